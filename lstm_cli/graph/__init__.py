"""From the spec of a model to its graph."""
