"""Networks drawn: their units by depth, their links by weight, and what the units do in an episode."""
