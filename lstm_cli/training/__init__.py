"""Training runs: updates, the training loop that yields events, and the sinks of those events."""
