"""From outputs and truth to figures: what a model and naive predictors got right, where, and how certain that is."""
