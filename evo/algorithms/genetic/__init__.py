"""Genetic algorithms: populations of individuals that are selected, crossed and mutated."""
