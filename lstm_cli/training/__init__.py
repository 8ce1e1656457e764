"""The training run: one compiled step, the loop that yields events, and the sinks of those events."""
