"""Evolution strategies: search distributions that move over the parameters."""
