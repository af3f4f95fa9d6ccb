"""Problems: they give parameters their fitness."""
