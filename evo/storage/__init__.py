"""Files: written whole, read with their size checked first; the run directory and its metrics."""
