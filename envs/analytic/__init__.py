"""Worlds that need no simulation of bodies: nearly free, so the tests use them."""
