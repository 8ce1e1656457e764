"""Positions made by hand: what a model might have output, and the truth, without a model."""

from types import SimpleNamespace

import numpy as np

from lstm_cli.data.schema.target import Target
from lstm_cli.scores.positions import Positions


def target(kind, size, *, columns=(), **given):
    labels = None if kind == "number" else tuple("abcdefghijklmnopqrstuvwxyz"[:size])
    columns = (columns or ("y",) * size) if kind == "number" else ()
    return Target(kind, given.pop("per", "step"), size, labels, output_columns=tuple(columns), **given)


def positions(task, sequences, truth, predicted, **arrays):
    """Positions of sequences that have no other steps; the steps count from 0."""
    sequences = np.array(sequences)
    lengths = np.bincount(sequences)
    steps = np.concatenate([np.arange(length) for length in lengths])
    dataset = SimpleNamespace(
        schema=SimpleNamespace(target=task), lengths=lengths, ids=[f"s{k}" for k in range(len(lengths))]
    )
    return Positions(task, dataset, sequences, steps, np.array(truth), np.array(predicted), **arrays)


def drawn(kind, count, random, *, sequences=7, size=4, **given):
    """Positions with a predictor that is right more often than not."""
    task = target(kind, size, **given)
    own = np.sort(random.integers(0, sequences, count))
    own = np.unique(own, return_inverse=True)[1]
    if kind == "number":
        truth = random.normal(5, 2, (count, size))
        return positions(task, own, truth, truth + random.normal(0, 1, (count, size)) * own[:, None] / 4)
    if kind == "set":
        truth = random.random((count, size)) < 0.4
        predicted = truth ^ (random.random((count, size)) < 0.2)
        arrays = {"confidence": random.random(count), "nats": random.exponential(size=count),
                  "unseen": random.integers(0, 2, count)}  # fmt: skip
        return positions(task, own, truth, predicted, **arrays)
    truth = random.integers(-1, size, count)
    predicted = np.where(random.random(count) < 0.6, np.maximum(truth, 0), random.integers(0, size, count))
    nats = np.where(truth < 0, np.nan, random.exponential(size=count))
    return positions(task, own, truth, predicted, confidence=random.random(count), nats=nats)
