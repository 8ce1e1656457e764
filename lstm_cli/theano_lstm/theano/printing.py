"""``theano.printing``: what PyTensor has renamed of it."""

from typing import Any

import pytensor.printing

__all__ = ["debugprint"]

pydot_imported = False


def debugprint(
    obj: Any, depth: int = -1, print_type: bool = False, file: Any = None, ids: str = "CHAR", **options: Any
) -> Any:
    """Print a graph, or return its text where `file` is "str".

    Parameters
    ----------
    obj : variable, compiled function, or list of them
    depth : int
        How many levels; -1 for all.
    print_type : bool
    file : file or "str", optional
    ids : {"CHAR", "id", "int", "auto", ""}
        How the identities of variables are written.
    options
        As in PyTensor.
    """
    return pytensor.printing.debugprint(obj, depth, print_type, file=file, id_type=ids, **options)
