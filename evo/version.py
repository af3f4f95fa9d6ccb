"""The version of evo."""

__version__ = "0.2.0"
