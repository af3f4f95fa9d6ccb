"""Gymnasium's MuJoCo v5 tasks, compiled, equal to Gymnasium's own to the bit. One file a task."""
