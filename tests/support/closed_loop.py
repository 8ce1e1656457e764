"""Networks in closed loops for tests: run by the Op, and step by step in plain numpy."""

from dataclasses import dataclass, replace

import numpy as np
import pytensor
import pytensor.tensor as pt

from lstm_cli.kernels.cells import CELLS
from lstm_cli.ops.loop_arguments import LayerKind
from lstm_cli.ops.rollout import LayerInputs, rollout
from lstm_cli.ops.rollout_inputs import seen_gradient
from tests.support import reference
from tests.support.ops import compiled

SIZE = 3


class Spring:
    """A system that mixes all of its state and its two forces, and its gradient written by hand."""

    diverged = None

    def step(self, turn, state, output):
        pull = np.tanh(output[:, :1]) * state[:, 1:2] + output[:, 1:]
        return np.concatenate([state[:, 1:2], np.sin(state[:, 2:]), state[:, :1] - 0.5 * pull], axis=1)

    def step_gradient(self, turn, state, output, dnext):
        dpull = -0.5 * dnext[:, 2:]
        slope = 1 - np.tanh(output[:, :1]) ** 2
        dstate = np.concatenate(
            [dnext[:, 2:], dnext[:, :1] + dpull * np.tanh(output[:, :1]), dnext[:, 1:2] * np.cos(state[:, 2:])], axis=1
        )
        return dstate, np.concatenate([dpull * state[:, 1:2] * slope, dpull], axis=1)

    def symbolic(self, state, output):
        pull = pt.tanh(output[:, :1]) * state[:, 1:2] + output[:, 1:]
        return pt.concatenate([state[:, 1:2], pt.sin(state[:, 2:]), state[:, :1] - 0.5 * pull], axis=1)


@dataclass
class Problem:
    kinds: tuple
    system: Spring | None
    residual: bool
    numbers: np.ndarray
    feed: np.ndarray
    lengths: np.ndarray
    observed: np.ndarray
    layers: list  # of lists of arrays
    output: list
    activation: str = "softsign"

    @property
    def size(self):
        """Numbers of the state."""
        return len(self.output[0]) if self.system is None else SIZE

    @property
    def arrays(self):
        return [array for layer in self.layers for array in layer] + self.output

    def loop(self, *arrays):
        """The Op over variables in the order of `arrays`."""
        *rest, W, b = arrays
        layers = []
        for kind in self.kinds:
            own, rest = rest[: kind.arrays], rest[kind.arrays :]
            states = kind.states
            further = iter(own[2 + states :])
            mask = next(further) if kind.masked else None
            drop = next(further) if kind.dropped else None
            layers.append(LayerInputs(kind, own[0], own[1], own[2 : 2 + states], mask, drop))
        return rollout(
            pt.constant(self.numbers), pt.constant(self.feed), pt.constant(self.lengths), pt.constant(self.observed),
            layers, (W, b, self.activation), size=SIZE, system=self.system, residual=self.residual,
        )  # fmt: skip

    def member(self, row):
        """One row as a problem of its own, cut to its length."""
        steps, one = int(self.lengths[row]), slice(row, row + 1)
        layers = []
        for kind, layer in zip(self.kinds, self.layers, strict=True):
            states = [a[one] for a in layer[2 : 2 + kind.states + kind.masked]]
            drops = [layer[-1][:steps, one].copy()] * kind.dropped
            layers.append([*layer[:2], *states, *drops])
        return replace(
            self, numbers=self.numbers[:steps, one].copy(), feed=self.feed[:steps, one].copy(),
            lengths=self.lengths[one], observed=self.observed[one], layers=layers,
        )  # fmt: skip


def problem(kinds, *, system=True, residual=False, extra=0, lengths=(7, 4, 7, 1, 6), observed=(2, 1, 4, 1, 1),
            forced=False, seed=0):  # fmt: skip
    """A loop with random weights; a system has two inputs, and `extra` numbers enter that the loop leaves alone."""
    rng, batch, steps = np.random.default_rng(seed), len(lengths), max(lengths)
    lengths, observed = np.array(lengths), np.array(observed)
    feed = (np.arange(steps)[:, None] < observed).astype(np.int64)
    if forced:
        feed |= rng.random(feed.shape) < 0.4
    layers, width = [], SIZE + extra
    for number, kind in enumerate(kinds):
        units = 5 + 3 * number
        cell = CELLS[kind.cell]
        shapes = [(len(cell.gates) * units, width + units), (len(cell.biases) * units,)]
        arrays = [rng.normal(0, 0.6, shape) for shape in [*shapes, *[(batch, units)] * kind.states]]
        arrays += [rng.choice([0.0, 1.6], (batch, units))] * kind.masked
        arrays += [rng.choice([0.0, 1.6], (steps, batch, units))] * kind.dropped
        layers.append(arrays)
        width = units
    outputs = 2 if system else SIZE
    output = [rng.normal(0, 0.6, (outputs, width)), rng.normal(0, 0.6, outputs)]
    numbers = rng.normal(size=(steps, batch, SIZE + extra))
    return Problem(kinds, Spring() if system else None, residual, numbers, feed, lengths, observed, layers, output)


def by_hand(problem, moved=None):
    """The same in plain numpy, row by row; `moved` (T, B, I) is added to what the network sees, and to no state."""
    steps, batch = problem.feed.shape
    following, outputs = np.zeros((steps, batch, problem.size)), np.zeros((steps, batch, len(problem.output[0])))
    for r in range(batch):
        states = [[a[r : r + 1] for a in layer[2 : 2 + kind.states]]
                  for kind, layer in zip(problem.kinds, problem.layers, strict=True)]  # fmt: skip
        for t in range(problem.lengths[r]):
            x = problem.numbers[t, r : r + 1].copy()
            if not problem.feed[t, r]:
                x[:, : problem.size] = following[t - 1, r]
            state = x[:, : problem.size]
            x = x if moved is None else x + moved[t, r]
            for number, (kind, layer) in enumerate(zip(problem.kinds, problem.layers, strict=True)):
                before = states[number]
                mask = layer[2 + kind.states][r : r + 1] if kind.masked else 1.0
                step, activation = reference.STEPS[kind.cell], reference.ACTIVATIONS[kind.activation]
                states[number] = step(x, before, before[0] * mask, layer[0], layer[1], activation)
                x = states[number][0] * (layer[-1][t, r : r + 1] if kind.dropped else 1.0)
            y = reference.ACTIVATIONS[problem.activation](x @ problem.output[0].T + problem.output[1])
            outputs[t, r] = y[0]
            grown = state + y if problem.residual else y
            following[t, r] = (problem.system.step(t, state, y) if problem.system else grown)[0]
    return following, outputs


def variables(problem):
    return [pt.tensor(dtype=str(a.dtype), shape=(None,) * a.ndim) for a in problem.arrays]


def weights_of_cost(problem):
    """Directions along which the trajectory is summed up, where the states after the observed ones count."""
    steps, batch = problem.feed.shape
    real = np.arange(steps)[:, None] < problem.lengths
    counts = real & (np.arange(steps)[:, None] >= problem.observed - 1)
    return np.random.default_rng(3).normal(size=(steps, batch, SIZE)) * counts[:, :, None]


def gradients(problem, direction):
    """Cost and gradients of all that has one."""
    given = variables(problem)
    following, _ = problem.loop(*given)
    cost = (following * pt.constant(direction)).sum()
    smooth = [v for v, flows in zip(given, flows_to(problem), strict=True) if flows]
    return compiled(given, [cost, *pytensor.grad(cost, smooth)])(*problem.arrays)


def flows_to(problem):
    return [
        flow for kind in problem.kinds for flow in [True] * (2 + kind.states) + [False] * (kind.masked + kind.dropped)
    ] + [True, True]


def plain(*cells, masked=False, dropped=False, activation="tanh"):
    return tuple(LayerKind(cell, activation, masked, dropped) for cell in cells)


def started(problem, following):
    """Where the system has made the state that follows: earlier than some row's loop needs, it is left out."""
    return following * (np.arange(len(following)) >= problem.observed.min() - 1)[:, None, None]


def check_forward(problem):
    """The Op computes what numpy does."""
    given = variables(problem)
    following, outputs = compiled(given, problem.loop(*given))(*problem.arrays)
    expected, expected_outputs = by_hand(problem)
    if problem.system:
        expected = started(problem, expected)
    np.testing.assert_allclose(following, expected, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(outputs, expected_outputs, rtol=1e-10, atol=1e-12)


def check_gradients(problem):
    """The gradients of all that has one are slopes of the cost."""
    direction = weights_of_cost(problem)
    _, *found = gradients(problem, direction)
    rng, step = np.random.default_rng(5), 1e-6
    flows = [number for number, flow in enumerate(flows_to(problem)) if flow]
    for number, gradient in zip(flows, found, strict=True):
        along = rng.normal(size=gradient.shape)
        costs = []
        for sign in (1, -1):
            arrays = [a.copy() for a in problem.arrays]
            arrays[number] += sign * step * along
            costs.append((by_hand(with_arrays(problem, arrays))[0] * direction).sum())
        slope = (costs[0] - costs[1]) / (2 * step)
        np.testing.assert_allclose((gradient * along).sum(), slope, rtol=2e-7, atol=1e-9)


def check_seen_gradient(problem):
    """The gradient of what the network sees is, step by step, the slope of the cost."""
    direction, given = weights_of_cost(problem), variables(problem)
    following, _ = problem.loop(*given)
    found = compiled(given, [seen_gradient(following, pt.constant(direction))])(*problem.arrays)[0]
    assert found.shape == problem.numbers.shape
    assert (found[np.arange(len(found))[:, None] >= problem.lengths] == 0).all()
    rng, step = np.random.default_rng(5), 1e-6
    for t in range(len(found)):
        along = np.zeros_like(found)
        along[t] = rng.normal(size=found[t].shape)
        costs = [(by_hand(problem, sign * step * along)[0] * direction).sum() for sign in (1, -1)]
        slope = (costs[0] - costs[1]) / (2 * step)
        np.testing.assert_allclose((found * along).sum(), slope, rtol=2e-7, atol=1e-9)


def with_arrays(problem, arrays):
    layers, rest = [], list(arrays)
    for kind in problem.kinds:
        layers.append(rest[: kind.arrays])
        rest = rest[kind.arrays :]
    return replace(problem, layers=layers, output=rest)
