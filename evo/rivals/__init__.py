"""What networks are timed against: plain loops, and torch where it is installed."""
