"""Sequences: read, encoded, scaled, batched. Nothing here but numpy."""
