"""Measurements: speed, memory, equality with Gymnasium, reliability; `evo bench` prints them."""
