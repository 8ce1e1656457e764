"""Shared by training and prediction: a model's compiled functions and their inputs, its scores, threads."""
