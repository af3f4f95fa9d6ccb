"""Comparison of methods on one task: its runs, their terms, and the results."""
