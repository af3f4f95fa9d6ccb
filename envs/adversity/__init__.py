"""Adversity as options of any task: heavier, slippery, weak, noisy, delayed, pushed, lame."""
