"""A trained run for other programs, and weights of other programs as a run."""
