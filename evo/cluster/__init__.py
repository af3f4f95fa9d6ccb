"""Nodes: slices of a population evaluated on many machines, equal to one machine's to the bit."""
