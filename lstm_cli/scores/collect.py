"""Runs a model over batches once and keeps of its outputs what figures need, for any kind of target.

Legend: N counted positions, D numbers, K labels. Of the outputs (N, K) of categories only the highest is kept, batch by
batch: vocabularies are large.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstm_cli.data import Batch, Batches, Dataset
from lstm_cli.data.schema.labelings import best_labels, share_of
from lstm_cli.engine.evaluation import Evaluation, to_original_units
from lstm_cli.engine.evaluator import Evaluator, Scored
from lstm_cli.engine.sets import set_nats
from lstm_cli.engine.views import views
from lstm_cli.scores.positions import Positions

Arrays = dict[str, NDArray[Any]]


def collect(evaluator: Evaluator, batches: Batches) -> Positions:
    """Return what a model of a single target outputs at the counted positions of batches, and the truth."""
    return scored_positions(evaluator, batches)[0]


def scored_positions(evaluator: Evaluator, batches: Batches) -> tuple[Positions, dict[str, float]]:
    """Return the counted positions of a single target, and the loss and metrics that `engine.evaluation` gives."""
    found, scores = scored_targets(evaluator, batches)
    return found[""], scores


def scored_targets(evaluator: Evaluator, batches: Batches) -> tuple[dict[str, Positions], dict[str, float]]:
    """Return the counted positions of each target column by its name, and the loss and metrics over all.

    A single target has no name. A column without a target that counts is left out.
    """
    evaluation, pieces, datasets = Evaluation(evaluator, batches), defaultdict[str, list[Arrays]](list), {}
    for batch in batches.epoch(0):
        with np.errstate(over="ignore", invalid="ignore"):  # a closed loop may leave all bounds
            for column, dataset, own, scored in views(batches.dataset, batch, evaluation.add(batch)):
                pieces[column].append(places(dataset, own) | outputs_and_truth(dataset, own, scored))
                datasets[column] = dataset
    loss, metrics = evaluation.result()
    found = {
        column: in_order(datasets.get(column, batches.dataset), pieces[column])
        for column in batches.dataset.schema.columns
    }
    return {column: own for column, own in found.items() if not column or len(own)}, {"loss": loss, **metrics}


def places(dataset: Dataset, batch: Batch) -> Arrays:
    """Return where the counted positions of a batch are: `sequences`, `steps` and, in a closed loop, `turns`."""
    columns = batch.counted_sequences
    sequences = batch.sequences[columns]
    if dataset.schema.target.per == "sequence":
        return {"sequences": sequences, "steps": dataset.lengths[sequences] - 1}
    steps = batch.counted_times + (0 if batch.starts is None else batch.starts[columns])
    found = {"sequences": sequences, "steps": steps}
    if batch.observed is not None:
        found["turns"] = batch.counted_times - batch.observed[columns] + 2
    return found


def outputs_and_truth(dataset: Dataset, batch: Batch, scored: Scored) -> Arrays:
    """Return the arrays of `Positions` that a batch's outputs and truth give, beside those of `places`."""
    outputs, truth = to_original_units(dataset, batch, scored.outputs)
    match dataset.schema.target.kind:
        case "set":
            share = -np.logaddexp(0, -np.abs(outputs.astype(np.float64))).sum(axis=1)
            return {
                "truth": truth > 0,
                "predicted": outputs > 0,
                "confidence": np.exp(share),
                "nats": set_nats(outputs, truth),
                "unseen": dataset.unseen_labels(batch),
            }
        case "category":
            size = dataset.schema.target.size
            predicted = best_labels(outputs, size)
            return {
                "truth": truth,
                "predicted": predicted,
                "confidence": share_of(outputs, predicted, size),
                "nats": np.where(truth < 0, np.nan, scored.losses.astype(np.float64)),
            }
        case _:
            head = dataset.schema.target.head
            if not head.levels:
                return {"truth": truth, "predicted": outputs}
            return {"truth": truth, "predicted": outputs[head.middle], "curves": outputs.swapaxes(0, 1)}


def in_order(dataset: Dataset, pieces: Iterable[Mapping[str, NDArray[Any]]]) -> Positions:
    """Return the positions of all batches as one, in the order of the sequences and their steps."""
    given = list(pieces)
    if not given:
        raise ValueError("no batch has a position that counts")
    joined = {name: np.concatenate([piece[name] for piece in given]) for name in given[0]}
    keys = [joined["steps"], joined["sequences"]]
    if "turns" in joined:
        keys.insert(1, joined["steps"] - joined["turns"])
    order = np.lexsort(keys)
    return Positions(dataset.schema.target, dataset, **{name: array[order] for name, array in joined.items()})
