"""Problems: what gives parameters their fitness."""
