"""Data larger than memory: a copy of the encoded arrays on disk, memory-mapped, and how it is built and kept."""
