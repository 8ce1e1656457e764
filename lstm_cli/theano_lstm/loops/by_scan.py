"""A layer over whole sequences as a scan: the gradient of the gradient of its Op, for which there is no kernel.

Legend: T time, B batch, I input, H units, G gate blocks of the weights.
"""

from collections.abc import Sequence

import pytensor
import pytensor.tensor as pt
from pytensor.graph.basic import Variable
from pytensor.graph.replace import clone_replace

from lstm_cli.ops.activations import ACTIVATIONS, Activation

States = tuple[Variable, ...]


def second_gradients(
    cell: str, activation: str, inputs: Sequence[Variable], flowing: Sequence[Variable | None],
    cotangents: Sequence[Variable | None],
) -> list[Variable]:  # fmt: skip
    """Return the gradients of ``sum(cotangents * gradients)``, where the gradients are those of a layer's Op.

    Parameters
    ----------
    cell, activation : str
        As in `lstm_cli.ops.recurrent.recurrent`, or gru_reset_before.
    inputs : sequence
        x (T, B, I), W, b and the initial states (B, H).
    flowing : sequence
        The cotangents of h (T, B, H) and of the final states; None for zeros.
    cotangents : sequence
        Of the gradients of the inputs; None for zeros.

    Returns
    -------
    gradients : list
        With respect to the inputs and to what is flowing; zeros for a None.
    """
    given = [*inputs, *(v for v in flowing if v is not None)]
    fresh = [v.type() for v in given]  # so that an input which depends on another one is not counted twice
    x, W, b, *initial = fresh[: len(inputs)]
    h, finals = scanned_layer(cell, ACTIVATIONS[activation], x, W, b, tuple(initial))
    outputs = [output for output, v in zip((h, *finals), flowing, strict=True) if v is not None]
    first = pytensor.grad(_product(outputs, fresh[len(inputs) :]), fresh[: len(inputs)], disconnected_inputs="ignore")
    pairs = [(g, c) for g, c in zip(first, cotangents, strict=True) if c is not None]
    second = pytensor.grad(_product(*zip(*pairs, strict=True)), fresh, disconnected_inputs="ignore")
    return list(clone_replace(second, dict(zip(fresh, given, strict=True))))


def _product(left: Sequence[Variable], right: Sequence[Variable]) -> Variable:
    return pt.add(0, *((a * b).sum() for a, b in zip(left, right, strict=True)))


def scanned_layer(
    cell: str, activation: Activation, x: Variable, W: Variable, b: Variable, initial: States
) -> tuple[Variable, States]:
    """Return h (T, B, H) of a layer over x (T, B, I) and the final states, computed step by step."""

    def step(x: Variable, *states: Variable) -> list[Variable]:
        return list(_STEPS[cell](activation, x, states, W, b))

    outputs = pytensor.scan(step, [x], list(initial), return_list=True, return_updates=False)
    return outputs[0], tuple(output[-1] for output in outputs)


def _rnn(activation: Activation, x: Variable, states: States, W: Variable, b: Variable) -> States:
    return (activation(pt.dot(pt.concatenate([x, states[0]], axis=1), W.T) + b),)


def _lstm(activation: Activation, x: Variable, states: States, W: Variable, b: Variable) -> States:
    h, c = states
    sums, units = pt.dot(pt.concatenate([x, h], axis=1), W.T) + b, h.shape[1]
    i, f, o, z = (sums[:, k * units : (k + 1) * units] for k in range(4))
    c = pt.sigmoid(f) * c + pt.sigmoid(i) * activation(z)
    return pt.sigmoid(o) * pt.tanh(c), c


def _gru(activation: Activation, x: Variable, states: States, W: Variable, b: Variable) -> States:
    (h,) = states
    units, width = h.shape[1], x.shape[1]
    from_x, from_h = pt.dot(x, W[:, :width].T) + b[: 3 * units], pt.dot(h, W[:, width:].T)
    r, u = (pt.sigmoid((from_x + from_h)[:, k * units : (k + 1) * units]) for k in range(2))
    n = activation(from_x[:, 2 * units :] + r * (from_h[:, 2 * units :] + b[3 * units :]))
    return (u * h + (1 - u) * n,)


def _gru_reset_before(activation: Activation, x: Variable, states: States, W: Variable, b: Variable) -> States:
    (h,) = states
    units = h.shape[1]
    sums = pt.dot(pt.concatenate([x, h], axis=1), W[: 2 * units].T) + b[: 2 * units]
    r, u = pt.sigmoid(sums[:, :units]), pt.sigmoid(sums[:, units:])
    n = activation(pt.dot(pt.concatenate([x, r * h], axis=1), W[2 * units :].T) + b[2 * units :])
    return ((1 - u) * h + u * n,)


_STEPS = {"rnn": _rnn, "lstm": _lstm, "gru": _gru, "gru_reset_before": _gru_reset_before}
