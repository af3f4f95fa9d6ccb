"""Runs: the training loop, champions, the run as one reads it, replay, and what is shown in a terminal."""
