"""The objective of several target columns that one network predicts.

Legend: N counted positions, K outputs of all columns, W numbers of all targets, P columns.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytensor.tensor as pt
from pytensor.graph.basic import Variable

from lstm_cli.graph.inputs import Inputs
from lstm_cli.graph.objectives import Objective


@dataclass(frozen=True)
class Part:
    """One of the columns.

    Attributes
    ----------
    objective
        Of this column alone.
    outputs
        The first of its outputs among the K, and the one after its last.
    values
        The first of its numbers among the W of all targets, and the one after its last.
    known
        Which of these numbers says, by 1 or 0, whether its target counts.
    categories
        Whether its number is the index of a category.
    class_weights
        By what the loss of each of its K labels is multiplied; None: 1.
    factor
        What its loss is multiplied by.
    """

    objective: Objective
    outputs: tuple[int, int]
    values: tuple[int, int]
    known: int
    categories: bool
    class_weights: Sequence[float] | None = None
    factor: float = 1.0


@dataclass(frozen=True)
class Several:
    """The sum of the objectives of all columns, each over its own outputs.

    L = sum_p f_p sum_n w_n m_np L_np, with the factor f_p of column p, the weight w_n of position n, m_np the weight of
    the true label of column p (1 where labels have none) where its target counts, else 0, and L_np the loss of the
    column by itself: hard parameter sharing, with factors that are given (Caruana 1997, Multitask Learning, Machine
    Learning 28, section 2).
    """

    parts: Sequence[Part]

    def target(self, dtype: str) -> Variable:
        """Return the numbers of all targets (N, W)."""
        return pt.matrix("target", dtype=dtype)

    def __call__(self, output: Variable, inputs: Inputs[Variable]) -> tuple[Variable, Variable]:
        """Return the loss, and that of every position for each column (N, P), without its factor."""
        losses, each = [], []
        for part in self.parts:
            loss, own = part.objective(output[:, slice(*part.outputs)], _inputs_of(part, inputs))
            losses.append(loss if part.factor == 1 else loss * pt.constant(part.factor, dtype=output.dtype))
            each.append(own)
        return sum(losses[1:], losses[0]), pt.stack(each, axis=1)


def _inputs_of(part: Part, inputs: Inputs[Variable]) -> Inputs[Variable]:
    """Return the inputs with the target of one column, and weights of 0 where it does not count."""
    given: Any = inputs.target
    first, stop = part.values
    target = given[:, first].astype("int64") if part.categories else given[:, first:stop]
    weight = inputs.weight * given[:, part.known]
    if part.class_weights is not None:
        weight *= pt.constant(np.array(part.class_weights), dtype=weight.dtype)[target]
    return replace(inputs, target=target, weight=weight)
