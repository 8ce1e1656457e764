"""A network in a closed loop, step by step."""
