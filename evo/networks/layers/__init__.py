"""Layers, one a file: each with its compiled step, its initial parameters and its gradient."""
