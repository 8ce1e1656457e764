"""Answers about runs and data: evaluations, backtests, comparisons, what a report explains."""
