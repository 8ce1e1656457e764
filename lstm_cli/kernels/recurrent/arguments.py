"""What the kernels of a recurrent layer are called with, in groups.

Legend: T time, B batch, I input, H units, G row blocks of the weights, S further states, V tokens, N real steps of all
sequences. Kernels see every array flat.
"""

from typing import NamedTuple

import numpy as np


class Shape(NamedTuple):
    """Sizes: T, B, I and H."""

    steps: int
    batch: int
    inputs: int
    units: int


class Sequences(NamedTuple):
    """The sequences of a batch, their order and its cut into shards.

    Attributes
    ----------
    lengths : (B,)
        Real steps.
    order : (B,)
        Numbers of the sequences, longest first.
    shards : (shards + 1,)
        The place in `order` where each shard begins, and the end.
    packed : (shards + 1,)
        Real steps of all shards before; the last is N.
    """

    lengths: np.ndarray
    order: np.ndarray
    shards: np.ndarray
    packed: np.ndarray


class Source(NamedTuple):
    """What enters at each step: numbers x (T, B, I), or ids (T, B) and what each token adds to the sums (V, G H)."""

    x: np.ndarray
    ids: np.ndarray
    table: np.ndarray


class Weights(NamedTuple):
    """The packed weights, the bias, and what may be empty.

    Attributes
    ----------
    panels, bias
        The bias is zeros where it is among the norms.
    mask : (B, H)
        Of recurrent dropout.
    norms : (2, blocks of sums, H)
        Of a normalised cell: its gains and biases, in the order of the sums.
    """

    panels: np.ndarray
    bias: np.ndarray
    mask: np.ndarray
    norms: np.ndarray


class States(NamedTuple):
    """h (T, B, H), and all states (1 + S, B, H): the initial ones on entry, the final ones on return."""

    h: np.ndarray
    running: np.ndarray


class Kept(NamedTuple):
    """What the gradient needs of each packed step, (N, blocks, H), and the further states (N + B, S, H).

    The last B further states are the initial ones. Both arrays are empty if nothing is kept.
    """

    gates: np.ndarray
    further: np.ndarray


class Gradients(NamedTuple):
    """Gradients of outputs on entry, of inputs on return.

    Attributes
    ----------
    dh : (T, B, H), or empty if it is zero
    states : (1 + S, B, H), of the final states on entry, of the initial ones on return
    dx : (T, B, I), or empty if it is not computed
    norms : (shards, 2, blocks of sums, H) of zeros, to which each shard adds; empty if the cell is not normalised
    """

    dh: np.ndarray
    states: np.ndarray
    dx: np.ndarray
    norms: np.ndarray


class Positions(NamedTuple):
    """For each packed step (N,): its place t B + b, and that of the h before it; -1 - b for the initial h."""

    where: np.ndarray
    before: np.ndarray
