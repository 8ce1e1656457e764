"""Random recurrent layers for tests, run by the Op and by the numpy reference."""

import itertools
from dataclasses import dataclass
from functools import cache

import numpy as np
import pytensor
import pytensor.tensor as pt

from lstm_cli.kernels.cells import CELLS as DECLARED
from lstm_cli.kernels.cells.activations import ACTIVATIONS
from lstm_cli.ops.recurrent import recurrent
from tests.support import reference
from tests.support.ops import compiled


@dataclass(frozen=True)
class Kind:
    """What is fixed in a graph."""

    cell: str = "lstm"
    activation: str = "tanh"
    reverse: bool = False
    masked: bool = False
    normalized: bool = False

    @property
    def options(self):
        return {"cell": self.cell, "activation": self.activation, "reverse": self.reverse}


CELLS = list(DECLARED)
KINDS = [Kind(*k) for k in itertools.product(CELLS, ACTIVATIONS, (False, True), (False, True))]
RAGGED = [3, 6, 1, 4, 6]


@dataclass
class Problem:
    """Inputs of a layer, and the directions along which its outputs are summed up to a cost."""

    kind: Kind
    x: np.ndarray
    lengths: np.ndarray
    W: np.ndarray
    b: np.ndarray
    initial: list
    mask: np.ndarray | None
    dh: np.ndarray
    dfinals: list
    gain: np.ndarray | None = None

    @property
    def inputs(self):
        optional = [array for array in (self.mask, self.gain) if array is not None]
        return [self.x, self.lengths, self.W, self.b, *self.initial, *optional]

    @property
    def cotangents(self):
        return [self.dh, *self.dfinals]

    def astype(self, dtype):
        def cast(a):
            return a.astype(dtype)

        mask, gain = (None if array is None else cast(array) for array in (self.mask, self.gain))
        lists = [[cast(a) for a in part] for part in (self.initial, self.dfinals)]
        return Problem(
            self.kind, cast(self.x), self.lengths, cast(self.W), cast(self.b), lists[0], mask, cast(self.dh), lists[1],
            gain,
        )  # fmt: skip

    def select(self, rows):
        """The same layer on some of the sequences, without steps that none of them has."""
        steps = self.lengths[rows].max()
        mask = None if self.mask is None else self.mask[rows]
        lists = [[a[rows] for a in part] for part in (self.initial, self.dfinals)]
        return Problem(
            self.kind, self.x[:steps, rows], self.lengths[rows], self.W, self.b, lists[0], mask, self.dh[:steps, rows],
            lists[1], self.gain,
        )  # fmt: skip


def make(kind, steps, batch, inputs, units, lengths=None, seed=0, scale=0.4):
    rng = np.random.default_rng(seed)

    def normal(*shape):
        return rng.normal(scale=scale, size=shape)

    cell = DECLARED[kind.cell]
    states = len(cell.states)
    lengths = np.full(batch, steps) if lengths is None else np.asarray(lengths, np.int64)
    return Problem(
        kind,
        normal(steps, batch, inputs),
        lengths,
        normal(len(cell.gates) * units, inputs + units),
        normal(len(cell.biases) * units),
        [normal(batch, units) for _ in range(states)],
        rng.integers(0, 2, (batch, units)) / 0.5 if kind.masked else None,
        normal(steps, batch, units),
        [normal(batch, units) for _ in range(states)],
        1 + normal(len(cell.biases) * units) if kind.normalized else None,
    )


@cache
def graph(kind, dtype="float64"):
    """Variables: inputs, cotangents, outputs, gradients of inputs that have one."""
    states = len(DECLARED[kind.cell].states)
    x, dh = pt.tensor3("x", dtype=dtype), pt.tensor3("dh", dtype=dtype)
    W, b, lengths = pt.matrix("W", dtype=dtype), pt.vector("b", dtype=dtype), pt.lvector("lengths")
    initial = [pt.matrix(dtype=dtype) for _ in range(states)]
    masks = [pt.matrix("mask", dtype=dtype)] if kind.masked else []
    dfinals = [pt.matrix(dtype=dtype) for _ in range(states)]
    gains = [pt.vector("gain", dtype=dtype)] if kind.normalized else []
    optional = {"mask": masks[0] if masks else None, "gain": gains[0] if gains else None}
    h, finals = recurrent(x, lengths, W, b, initial, **optional, **kind.options)
    known = dict(zip([h, *finals], [dh, *dfinals], strict=True))
    gradients = pytensor.grad(None, [x, W, b, *initial, *gains], known_grads=known)
    return [x, lengths, W, b, *initial, *masks, *gains], [dh, *dfinals], [h, *finals], gradients


@cache
def function(kind, dtype="float64"):
    inputs, cotangents, outputs, gradients = graph(kind, dtype)
    return compiled([*inputs, *cotangents], [*outputs, *gradients])


def run(problem):
    """Outputs and gradients by the Op."""
    results = function(problem.kind, str(problem.x.dtype))(*problem.inputs, *problem.cotangents)
    outputs = 1 + len(problem.initial)
    return results[:outputs], results[outputs:]


def run_reference(problem):
    """Outputs by numpy."""
    h, finals = reference.recurrent(
        problem.x, problem.lengths, problem.W, problem.b, problem.initial, mask=problem.mask, gain=problem.gain,
        **problem.kind.options,
    )  # fmt: skip
    return [h, *finals]


def reference_slope(problem, number, direction, step=1e-3):
    """Derivative of the cost along a direction of one input: central differences of fourth order."""

    def cost(distance):
        inputs = problem.inputs
        inputs[number] = inputs[number] + distance * direction
        x, lengths, W, b, *rest = inputs
        moved = Problem(
            problem.kind, x, lengths, W, b, rest[: len(problem.initial)], problem.mask, problem.dh, problem.dfinals,
            None if problem.gain is None else rest[-1],
        )  # fmt: skip
        return sum(float((a * d).sum()) for a, d in zip(run_reference(moved), problem.cotangents, strict=True))

    near, far = cost(step) - cost(-step), cost(2 * step) - cost(-2 * step)
    return (8 * near - far) / (12 * step)


def close(got, expected, tolerance=1e-10):
    for a, b in zip(got, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=tolerance * max(1, np.abs(b).max()))


def check_against_reference(problem):
    """The Op's outputs are those of numpy, and its gradients the slopes of numpy's cost."""
    outputs, gradients = run(problem)
    close(outputs, run_reference(problem))
    rng, activation = np.random.default_rng(1), problem.kind.activation
    places = [0, 2, 3, *(4 + state for state in range(len(problem.initial)))]
    places += [] if problem.gain is None else [len(problem.inputs) - 1]
    for number, gradient in zip(places, gradients, strict=True):
        direction = rng.normal(size=gradient.shape) / np.sqrt(gradient.size)
        smooth = 1e-4 if problem.kind.normalized else 1e-3  # a norm over few units bends more than a cell
        step = 1e-6 if activation in ("relu", "softsign") else smooth  # a corner is not to be crossed
        slope = reference_slope(problem, number, direction, step)
        np.testing.assert_allclose((gradient * direction).sum(), slope, rtol=0, atol=1e-8 if step == 1e-6 else 1e-10)


def check_sequences_alone(problem):
    """Each sequence has the same outputs and gradients without the others and without padding."""
    states = len(problem.initial)
    (h, *finals), (dx, dW, db, *rest) = run(problem)
    total = 0
    for row in range(len(problem.lengths)):
        (h_one, *finals_one), (dx_one, dW_one, db_one, *rest_one) = run(problem.select([row]))
        end = problem.lengths[row]
        close([h[:end, [row]], dx[:end, [row]]], [h_one, dx_one])
        close([a[[row]] for a in (*finals, *rest[:states])], [*finals_one, *rest_one[:states]])
        assert not h[end:, row].any()
        assert not dx[end:, row].any()
        total = total + flat([dW_one, db_one, *rest_one[states:]])
    close([flat([dW, db, *rest[states:]])], [total])


def flat(arrays):
    """The numbers of all arrays."""
    return np.concatenate([array.ravel() for array in arrays])
