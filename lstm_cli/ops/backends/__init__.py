"""Registrations of the Ops with PyTensor linkers."""
