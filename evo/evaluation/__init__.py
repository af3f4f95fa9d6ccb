"""Scoring of parameters: compiled episodes and forward passes, Gymnasium episodes, and experience collection."""
