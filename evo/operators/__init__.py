"""Operators: pure functions on populations; the random generator comes first."""
