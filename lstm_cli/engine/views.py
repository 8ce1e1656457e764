"""What was scored, target column by target column: each as if it were the only one."""

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from lstm_cli.data import Batch, Dataset
from lstm_cli.engine.evaluator import Scored


class View(NamedTuple):
    """A data set, a batch of it and its scores with a single target; `column` is its name if there are several."""

    column: str
    dataset: Dataset
    batch: Batch
    scored: Scored


def views(dataset: Dataset, batch: Batch, scored: Scored) -> Iterator[View]:
    """Yield what was scored of each target column, at the positions where it counts; of a single one all."""
    target = dataset.schema.target
    if target.kind != "several":
        yield View("", dataset, batch, scored)
        return
    for part, (name, own) in enumerate(target.parts_of_outputs.items()):
        view, kept = batch.view(part, target)
        outputs = np.ascontiguousarray(scored.outputs[kept, own])
        yield View(name, dataset.parts[part], view, replace(scored, outputs=outputs, losses=scored.losses[kept, part]))
