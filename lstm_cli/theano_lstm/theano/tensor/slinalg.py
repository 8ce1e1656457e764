"""``theano.tensor.slinalg``: systems of linear equations as Theano describes them. Legend: A (N, N), b (N, …)."""

from collections.abc import Callable
from functools import partial
from typing import Any, Literal

from pytensor.graph.basic import Variable
from pytensor.tensor.linalg import solve as general
from pytensor.tensor.linalg import solve_triangular

__all__ = ["Solve", "solve", "solve_lower_triangular", "solve_symmetric", "solve_upper_triangular"]

Structure = Literal["general", "symmetric", "lower_triangular", "upper_triangular"]


def Solve(
    A_structure: Structure = "general", lower: bool = False, overwrite_A: bool = False, overwrite_b: bool = False
) -> Callable[[Any, Any], Variable]:
    """Return the function ``(A, b) -> x`` with A x = b for an A of this structure; nothing is overwritten."""
    solvers: dict[str, Callable[[Any, Any], Variable]] = {
        "general": solve,
        "symmetric": solve_symmetric,
        "lower_triangular": solve_lower_triangular,
        "upper_triangular": solve_upper_triangular,
    }
    if A_structure not in solvers:
        raise ValueError(f"Solve: A_structure: got {A_structure!r}, expected one of {', '.join(solvers)}")
    return solvers[A_structure]


def solve(a: Any, b: Any, **options: Any) -> Variable:
    """Return x with A x = b; the options are PyTensor's."""
    return general(a, b, **options)


def solve_symmetric(a: Any, b: Any) -> Variable:
    """Return `solve` of a symmetric A."""
    return general(a, b, assume_a="sym")


solve_lower_triangular = partial(solve_triangular, lower=True)
solve_upper_triangular = partial(solve_triangular, lower=False)
