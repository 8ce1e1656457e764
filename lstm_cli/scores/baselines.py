"""Baselines: the scores of naive predictors, which a trained model must beat to be useful."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace

import numpy as np

from lstm_cli.data import Batches, Dataset, Split
from lstm_cli.engine.column_metrics import of_column
from lstm_cli.engine.evaluation import evaluate, true_values
from lstm_cli.engine.evaluator import Evaluator
from lstm_cli.scores.baseline import Baseline
from lstm_cli.scores.collect import places
from lstm_cli.scores.metrics import add_positions, of_points
from lstm_cli.scores.naive import Naive, titles_of
from lstm_cli.scores.naives import Naives
from lstm_cli.scores.positions import Positions

UNDRIVEN = ("undriven", "the undriven system")


def baselines(naives: Naives, evaluator: Evaluator | None, scored: Mapping[Split, Batches]) -> Iterator[Baseline]:
    """Yield the scores of all naive predictors that fit the data, split by split.

    Parameters
    ----------
    naives
        What they know of the training data.
    evaluator
        Of a model that drives a system; not needed for other models.
    scored
        The batches in which each split is scored exactly; ``train`` is left out.
    """
    for split, batches in scored.items():
        if split == "train":
            continue
        for column, own in batches.views().items():
            for found in _scored(naives[column], split, own):
                yield named(found, column)
        if evaluator is not None and drives(evaluator, batches.dataset):
            with undriven(evaluator):
                yield Baseline(*UNDRIVEN, split, evaluate(evaluator, batches)[1])


def named(found: Baseline, column: str) -> Baseline:
    """Return the scores of a predictor of one of several target columns under names that say which."""
    if not column:
        return found
    metrics = of_column(found.metrics, column)
    return replace(found, name=f"{found.name}.{column}", title=f"{column}: {found.title}", metrics=metrics)


def _scored(naive: Naive, split: Split, batches: Batches) -> Iterator[Baseline]:
    """Yield the scores of a split, made batch by batch: it may have more positions than fit into memory."""
    schema, count = batches.dataset.schema, 0
    names = naive.predictors(schema)
    if not names:
        return
    metrics = {name: of_points(schema.target) for name in names}
    stand_ins = dict.fromkeys(names, 0)
    for positions in observed(batches):
        count += len(positions)
        for name in names:
            add_positions(metrics[name], naive.positions(name, positions))
            stand_ins[name] += naive.stand_ins(name, positions)
    for name, title in titles_of(names, stand_ins, count).items():
        yield Baseline(name, title, split, metrics[name].result())


def observed(batches: Batches) -> Iterator[Positions]:
    """Yield the counted positions of each batch with their truth, which stands for predictions too."""
    dataset = batches.dataset
    target = dataset.schema.target
    for batch in batches.epoch(0):
        if batch.target is None or not len(batch.counted):
            continue
        truth, unseen = true_values(dataset, batch), None
        if target.kind == "set":
            truth, unseen = truth > 0, dataset.unseen_labels(batch)
        yield Positions(target, dataset, truth=truth, predicted=truth, unseen=unseen, **places(dataset, batch))


def drives(evaluator: Evaluator, dataset: Dataset) -> bool:
    """Return whether the model drives a system that does without it: zero weights output 0 unless by a sigmoid."""
    output = evaluator.model.spec.output
    return dataset.schema.layout.closed_loop is not None and output is not None and output.activation != "sigmoid"


@contextmanager
def undriven(evaluator: Evaluator) -> Iterator[None]:
    """Have a model output 0 inside, with zero weights, so that nothing acts on its system."""
    flat = evaluator.model.parameters.flat
    values = flat.get_value()
    flat.set_value(np.zeros_like(values))
    try:
        with np.errstate(over="ignore", invalid="ignore"):
            yield
    finally:
        flat.set_value(values)
