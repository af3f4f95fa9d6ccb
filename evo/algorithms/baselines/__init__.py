"""Baselines: what any search must beat."""
