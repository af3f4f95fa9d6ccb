"""Figures and films: plots of runs, predictions on data sets, frames, strips and their encoding."""
