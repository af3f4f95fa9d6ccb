"""Runs: the training loop, champions, reading of finished runs, replay, and terminal display."""
