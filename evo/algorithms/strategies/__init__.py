"""Evolution strategies and other searches that move a distribution over the parameters."""
