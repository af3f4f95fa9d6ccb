"""Plots of runs: kinds of charts by their names, and pages of them."""
