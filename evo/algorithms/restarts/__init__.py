"""Restart schemes around a strategy that converges."""
