"""Genomes and populations of them: parameter vectors, and seeds of the mutations that made them."""
