"""Searching over configs: a study of Optuna whose trials are ordinary runs, each in a process of its own."""
