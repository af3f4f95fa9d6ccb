"""The engine: MuJoCo from compiled code, and the random streams, interruption and kernel cache that it needs."""
