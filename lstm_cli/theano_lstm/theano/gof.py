"""``theano.gof``: the parts of a graph, and what PyTensor has dropped of it."""

__all__ = ["set_lock_status"]


def set_lock_status(status: bool) -> None:
    """Do nothing: PyTensor's compile lock need not be switched off before processes start."""
