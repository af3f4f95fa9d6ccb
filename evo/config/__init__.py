"""Configuration: dotted keys and values, merged, checked, and built into tasks, networks, problems and learners."""
