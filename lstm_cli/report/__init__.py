"""The report of a run, from its events and scores."""
