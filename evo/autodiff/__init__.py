"""Reverse-mode automatic differentiation: a loss is recorded once, then run forward and backward in compiled code."""

from evo.autodiff.tape import Node, Program, Tape

__all__ = ["Node", "Program", "Tape"]
