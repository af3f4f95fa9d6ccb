"""Bridge between evo and Gymnasium: our tasks as its environments, and its environments as our tasks."""
