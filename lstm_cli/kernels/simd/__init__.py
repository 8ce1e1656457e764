"""Vector code: registers, tiles of matrix products, panels, and functions of single numbers."""
