"""Small networks in float64, random batches for them, and the outputs of one for the other."""

from dataclasses import dataclass, replace

import numpy as np

from lstm_cli.config import config_from_mapping
from lstm_cli.data import Batch
from lstm_cli.engine.evaluator import Evaluator
from lstm_cli.engine.predictor import Predictor
from lstm_cli.engine.trainer import Trainer
from lstm_cli.graph.model import Model
from lstm_cli.graph.objectives import objective
from lstm_cli.graph.plan import Sizes

CELLS = ("lstm", "gru", "rnn")
RAGGED = [6, 4, 4, 1]
EXACT = {"rtol": 1e-10, "atol": 1e-12}


@dataclass(frozen=True)
class Network:
    """A model with its functions; every weight is drawn at random, biases and initial states too."""

    model: Model
    kind: str
    predictor: Predictor
    evaluator: Evaluator
    trainer: Trainer

    def outputs(self, batch, state=None):
        return self.predictor(batch, state)[0]

    def loss(self, batch, state=None):
        return self.evaluator(batch, state)[0]

    def gradient(self, batch, state=None, *, divisor=1.0, step=0, part=0):
        """Return the loss and the gradient (P,) in the buffer after it."""
        loss, _ = self.trainer.backpropagate(batch, state, divisor=divisor, seed=7, step=step, part=part)
        return loss, self.trainer.gradient.get_value()


def network(kind="category", *, per="step", numbers=3, tokens=None, outputs=4, loss=None, precision="float64",
            further_cell=None, target="y", **model):  # fmt: skip
    """Build a network of small layers of uneven sizes, by default without dropout.

    `further_cell` is one that the config does not name, of all layers.
    """
    model = {"layers": [5, 7], "embedding": 2, "dropout": 0.0, **model}
    mapping = {
        "data": {"train": "a.jsonl", "target": target},
        "model": model,
        "loss": loss or {},
        "precision": precision,
    }
    config = config_from_mapping(mapping)
    spec = config.model
    if further_cell:
        layers = tuple(layer.model_copy(update={"cell": further_cell}) for layer in spec.layers)
        spec = spec.model_copy(update={"cell": further_cell, "layers": layers})
    built = Model(spec, Sizes(numbers, tokens or {}, outputs, per), dtype=precision)
    flat = built.parameters.flat.get_value()
    built.parameters.flat.set_value(np.random.default_rng(0).normal(0, 0.5, flat.shape).astype(precision))
    return Network(
        built,
        kind,
        Predictor(built),
        Evaluator(built, objective(kind, config.loss), consumes="outputs"),
        Trainer(built, objective(kind, config.loss), config.optimizer),
    )


def random_batch(network, lengths, *, seed=1, **fields):
    """Return a batch of random numbers, those on padding too: nothing may depend on them."""
    rng, sizes, lengths = np.random.default_rng(seed), network.model.sizes, np.asarray(lengths, np.int64)
    steps, count = int(lengths.max()), len(lengths)
    real = np.arange(steps)[:, None] < lengths
    rows = np.flatnonzero(real) if sizes.per == "step" else np.arange(count)
    batch = Batch(
        lengths=lengths,
        mask=real.astype(np.float32),
        numbers=rng.normal(size=(steps, count, sizes.numbers)).astype(np.float32) if sizes.numbers else None,
        tokens={name: rng.integers(size, size=(steps, count), dtype=np.int32) for name, size in sizes.tokens.items()},
        counted=rows,
        target=_targets(rng, network.kind, len(rows), sizes.outputs),
        weight=rng.uniform(0.5, 2, len(rows)).astype(np.float32),
        loss_divisor=float(len(rows)),
        sequences=np.arange(count),
    )
    return replace(batch, **fields)


def _targets(rng, kind, rows, outputs):
    if kind == "category":
        return rng.integers(outputs, size=rows)
    values = rng.normal(size=(rows, outputs)) if kind == "number" else rng.integers(2, size=(rows, outputs))
    return values.astype(np.float32)


def members(network, batch, columns):
    """Return some of the sequences as a batch of their own, and which counted positions of the whole batch it has."""
    columns, count = np.asarray(columns), len(batch.lengths)
    steps = int(batch.lengths[columns].max())
    if network.model.sizes.per == "step":
        place = {column: number for number, column in enumerate(columns.tolist())}
        found = {(row // count) * len(columns) + place[row % count]: number
                 for number, row in enumerate(batch.counted.tolist()) if row % count in place}  # fmt: skip
        rows = sorted(found)
        mine = np.array([found[row] for row in rows])
    else:
        rows, mine = range(len(columns)), columns
    part = replace(
        batch,
        lengths=batch.lengths[columns],
        mask=batch.mask[:steps, columns].copy(),
        numbers=None if batch.numbers is None else batch.numbers[:steps, columns].copy(),
        tokens={name: ids[:steps, columns].copy() for name, ids in batch.tokens.items()},
        counted=np.array(rows),
        target=batch.target[mine],
        weight=batch.weight[mine],
        sequences=batch.sequences[columns],
    )
    return part, mine


def check_alone(network):
    """Compare outputs, loss and gradients of a padded batch with those of its sequences, one by one."""
    batch = random_batch(network, RAGGED)
    outputs, (loss, gradient) = network.outputs(batch), network.gradient(batch)
    losses, gradients = [], []
    for column in range(len(RAGGED)):
        alone, mine = members(network, batch, [column])
        np.testing.assert_allclose(network.outputs(alone), outputs[mine], **EXACT)
        for values, value in zip((losses, gradients), network.gradient(alone), strict=True):
            values.append(value)
    np.testing.assert_allclose(sum(losses), loss, **EXACT)
    np.testing.assert_allclose(network.loss(batch), loss, **EXACT)
    np.testing.assert_allclose(sum(gradients), gradient, **EXACT)


def check_numerically(network, batch, *, step=1e-4, directions=6):
    """Move all weights a little along random directions: a single wrong number shows in every one of them.

    The differences are of fourth order: (8 f(h) - 8 f(-h) - f(2h) + f(-2h)) / 12 h.
    """
    _, gradient = network.gradient(batch)
    weights = network.model.parameters.flat.get_value()
    for direction in np.random.default_rng(5).normal(size=(directions, len(weights))):
        slope = 0.0
        for moved, factor in ((1, 8), (-1, -8), (2, -1), (-2, 1)):
            network.model.parameters.flat.set_value(weights + moved * step * direction)
            slope += factor * network.gradient(batch)[0] / (12 * step)
        np.testing.assert_allclose(gradient @ direction, slope, rtol=1e-9, atol=1e-9)
    assert (gradient != 0).mean() > 0.9
