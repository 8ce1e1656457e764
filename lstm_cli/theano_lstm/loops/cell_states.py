"""The cell states c of an LSTM at all steps, from its outputs h. Legend: T time, B batch, I input, H units."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytensor.tensor as pt
from pytensor.graph.basic import Apply, Variable
from pytensor.graph.op import Op

from lstm_cli.ops.activations import ACTIVATIONS
from lstm_cli.ops.contract import Storage, infers_shape, output_buffer
from lstm_cli.ops.dense import dense


def cell_states(
    x: Variable, before: Variable, start: Variable, W: Variable, b: Variable, *, units: int, activation: str
) -> Variable:
    """Return ``c_t = f_t c_{t-1} + i_t z_t``: once h is known, a recurrence of single elements.

    Parameters
    ----------
    x : (T, B, I)
    before : (T, B, H)
        h before each step.
    start : (B, H)
        c before the first step.
    W, b : (4 H, I + H), (4 H,)
        Gate blocks i, f, o, z.
    units : int
        H.
    activation : str
        Of z.

    Returns
    -------
    c : (T, B, H)
    """
    sums = dense(pt.concatenate([x, before], axis=2), W, b)
    i, f, _, z = pt.split(sums, splits_size=[units] * 4, n_splits=4, axis=2)
    return accumulate(pt.sigmoid(f), pt.sigmoid(i) * ACTIVATIONS[activation](z), start)


def accumulate(factors: Variable, terms: Variable, start: Variable) -> Variable:
    """Return ``y_t = factors_t y_{t-1} + terms_t`` (T, …), with y_{-1} = start (…)."""
    return Accumulate()(factors, terms, start)


def shifted(sequence: Variable, start: Variable) -> Variable:
    """Return what a sequence (T, …) was one step before: start (…) at the first."""
    return pt.concatenate([start[None], sequence])[:-1]


class Accumulate(Op):
    """``(factors (T, …), terms (T, …), start (…)) -> y (T, …)``, all of the same element type."""

    __props__ = ()

    def make_node(self, factors: Variable, terms: Variable, start: Variable) -> Apply:
        """Make an output like the terms."""
        return Apply(self, [factors, terms, start], [terms.type()])

    @infers_shape
    def infer_shape(self, node: Apply, shapes: list[Any]) -> list[Any]:
        """Return the shape of the terms."""
        return [shapes[1]]

    def perform(self, node: Apply, inputs: Sequence[np.ndarray], outputs: Storage) -> None:
        """Take step after step."""
        factors, terms, before = inputs
        y = output_buffer(outputs[0], terms.shape, terms.dtype)
        for factor, term, here in zip(factors, terms, y, strict=True):
            np.multiply(factor, before, out=here)
            np.add(here, term, out=here)
            before = here

    def pullback(
        self, inputs: Sequence[Variable], outputs: Sequence[Variable], cotangents: Sequence[Variable]
    ) -> list[Variable]:
        """Return the gradients: that of the terms is the same recurrence from the last step to the first."""
        factors, _, start = inputs
        following = pt.concatenate([pt.zeros_like(factors[:1]), factors[:0:-1]])
        dterms = accumulate(following, cotangents[0][::-1], pt.zeros_like(start))[::-1]
        dfactors = dterms * shifted(outputs[0], start)
        return [dfactors, dterms, (factors[:1] * dterms[:1]).sum(axis=0)]
