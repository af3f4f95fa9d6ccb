"""Search for several objectives at once: Pareto fronts."""
