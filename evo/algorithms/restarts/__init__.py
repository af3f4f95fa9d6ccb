"""Restarts: a strategy begun anew when it has converged."""
