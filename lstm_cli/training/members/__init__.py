"""Several trainings of one config at a time, each in a process of its own: the members of an ensemble."""
