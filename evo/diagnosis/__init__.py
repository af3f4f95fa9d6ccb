"""What is wrong with a run that does not learn: each finding a function of `Evidence`, in a table of its own."""
