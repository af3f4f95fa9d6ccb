"""Diagnosis of a run that does not learn: each finding is a function of `Evidence`, in a table."""
