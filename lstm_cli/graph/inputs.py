"""The inputs of a compiled function: as symbolic variables where it is built, as arrays where it is called.

Legend: T time, B batch, I input, D or K targets, N counted positions, S numbers of state a sequence.
"""

from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Inputs(Generic[T]):
    """The inputs of a function of a model: ``Inputs[Variable]`` of its graph, ``Inputs[np.ndarray]`` of a call.

    Their order in a function's signature is that of the fields.

    Attributes
    ----------
    numbers
        Numeric inputs (T, B, I); None where there are none.
    tokens
        Token inputs (T, B) by name, in the order of the model's sizes.
    lengths
        Real steps of each sequence (B,).
    counted
        Flat positions t * B + b that reach the output layer (N,).
    seeds
        One for each place that drops.
    state
        Where each sequence starts (B, S): zeros for a fresh start.
    fresh
        1 where a sequence starts from the learned initial state, 0 where it continues (B,).
    feed
        In a closed loop: 1 where the observed input enters (T, B).
    observed
        In a closed loop: how many of the first steps are observed (B,).
    target, weight
        Of a function that has a loss: what the outputs should be, (N,), (N, D) or (N, K), and how much each counted
        position weighs (N,).
    """

    numbers: T | None
    tokens: dict[str, T]
    lengths: T
    counted: T
    seeds: T
    state: T
    fresh: T
    feed: T | None = None
    observed: T | None = None
    target: T | None = None
    weight: T | None = None

    def in_order(self) -> list[T]:
        """Return those that are there, in the order in which a function takes them."""
        present: list[T] = []
        for value in vars(self).values():
            if isinstance(value, dict):
                present += value.values()
            elif value is not None:
                present.append(value)
        return present
