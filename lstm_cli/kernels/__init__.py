"""Kernels: compiled functions on arrays. Nothing here knows PyTensor."""
