"""Which steps of which sequences make a batch."""
