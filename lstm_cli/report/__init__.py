"""Pages and pictures of a run, from its events and scores."""
