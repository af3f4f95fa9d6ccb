"""The public functions: the same words as the commands."""
