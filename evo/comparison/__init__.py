"""Methods beside each other on one task: which runs, on which terms, and what came of them."""
