"""Tasks computed in closed form, without body simulation; nearly free, so the tests use them."""
