"""Functions of arrays and numbers that know nothing of networks, tasks or runs."""
