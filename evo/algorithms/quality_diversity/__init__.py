"""Quality diversity: archives of elites by what they do, and the searches that fill them."""
