"""What is inherited, and populations of it: vectors, and seeds of the mutations that made them."""
