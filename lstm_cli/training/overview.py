"""A model and its data in a few words and numbers: for `--check`, for the start of a run and for its report."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from lstm_cli.config.config import Config
from lstm_cli.data import Batch, Batches, Data, Dataset, evaluation_batches
from lstm_cli.graph.model import Model
from lstm_cli.graph.plan import LayerPlan
from lstm_cli.run.compatibility import flattened
from lstm_cli.training.baselines import Baseline, Constant, persistence
from lstm_cli.training.events import Part, Started
from lstm_cli.training.loop import Job, evaluate, to_original_units
from lstm_cli.training.session import total_steps


def started(folder: Path, job: Job, data: Data) -> Started:
    """Return the event that opens a run."""
    config = job.config
    return Started(
        run=folder.name,
        epochs=config.train.epochs,
        total_steps=total_steps(config, job.batches),
        first_step=job.progress.step,
        monitor=config.train.monitor,
        model=parts(job.trainer.model),
        settings={key: str(value) for key, value in flattened(config.model_dump(mode="json"))},
        facts=facts(data, job.batches),
        baselines=tuple(_baselines(job, data)),
    )


def parts(model: Model) -> tuple[Part, ...]:
    """Return the layers of a model, from the input to the output."""
    sizes = {parameter.name: parameter.size for parameter in model.parameters.parameters}

    def count(prefix: str) -> int:
        return sum(size for name, size in sizes.items() if name.startswith(prefix))

    embeddings = [
        Part(f"embedding.{name}", f"{model.sizes.tokens[name]:,} tokens to {width} numbers", count(f"embedding.{name}"))
        for name, width in model.embeddings.items()
    ]
    layers = [
        Part(f"layers.{number}", _layer(layer), count(f"layers.{number}.")) for number, layer in enumerate(model.layers)
    ]
    output = f"{model.layers[-1].outputs} to {model.sizes.outputs:,}, one per {model.sizes.per}"
    if model.sizes.per == "sequence":
        output += f" ({model.spec.pool} of its steps)"
    return (*embeddings, *layers, Part("output", output, count("output.") + count("attention.")))


def _layer(layer: LayerPlan) -> str:
    first = layer.directions[0]
    words = f"{first.cell.name.upper()} of {first.units} units, {first.inputs} inputs"
    if len(layer.directions) == 2:
        words += ", in both directions"
    if first.activation != "tanh":
        words += f", {first.activation}"
    if layer.dropout:
        words += f", dropout {layer.dropout:g}"
    return words + (f", recurrent dropout {first.recurrent_dropout:g}" if first.recurrent_dropout else "")


def facts(data: Data, batches: Batches) -> dict[str, str]:
    """Return what is worth knowing of the data: name and value."""
    found = {name: _counts(dataset) for name, dataset in splits(data)}
    schema = data.schema
    if schema.numeric_size:
        found["numbers"] = f"{schema.numeric_size} a step"
    for name, vocabulary in schema.tokens.items():
        found[f"tokens: {name}"] = f"{len(vocabulary):,} kinds"
    target = schema.target
    what = _counted(target.size, {"category": "label", "number": "number", "set": "label"}[target.kind])
    found["target"] = f"{target.kind}, {what} per {target.per}{', the next one' if target.is_next else ''}"
    found["batches"] = f"{batches.count(0):,} an epoch, {batches.waste():.1%} padding"
    return found


def splits(data: Data) -> Iterator[tuple[str, Dataset]]:
    """Yield the name and the sequences of each split there is."""
    for name in ("train", "valid", "test"):
        if getattr(data, name) is not None:
            yield name, getattr(data, name)


def _counts(dataset: Dataset) -> str:
    lengths = dataset.lengths
    low, high = lengths.min(), lengths.max()
    spread = f"{low:,} to {high:,} (median {int(np.median(lengths)):,})" if low < high else f"{low:,}"
    return f"{_counted(len(lengths), 'sequence')}, {lengths.sum():,} steps; length {spread}"


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'s' * (count != 1)}"


def _baselines(job: Job, data: Data) -> Iterator[Baseline]:
    """Yield how well one does without a model."""
    config, target = job.config, data.schema.target
    if data.schema.layout.closed_loop is not None:
        yield from _left_alone(job, data)
        return
    constant = Constant(target, _truth(config, data.train))
    for name, dataset in splits(data):
        if name != "train":
            yield constant.score(name, _truth(config, dataset))
            if target.is_next and target.kind == "number":
                batches = _batches(config, dataset)
                pairs = ((dataset.present(_closing(batch)), dataset.truth(batch)) for batch in batches)
                yield persistence(target, name, pairs)


def _left_alone(job: Job, data: Data) -> Iterator[Baseline]:
    """Yield where the system goes that nobody drives: without weights the network puts out 0, unless by a sigmoid."""
    model = job.trainer.model
    if model.spec.output.activation == "sigmoid":
        return
    flat = model.parameters.flat
    values = flat.get_value()
    flat.set_value(np.zeros_like(values))
    try:
        with np.errstate(over="ignore", invalid="ignore"):
            for name, dataset in splits(data):
                if name != "train":
                    _, metrics = evaluate(job.evaluator, evaluation_batches(job.config, dataset))
                    yield Baseline("the system left alone", name, metrics)
    finally:
        flat.set_value(values)


def _closing(batch: Batch) -> Batch:
    """Return a batch whose rows stand where the loop closes: at the last step that is observed."""
    if batch.observed is None:
        return batch
    columns = batch.counted_sequences
    return replace(batch, counted=(batch.observed[columns] - 1) * len(batch.lengths) + columns)


def _truth(config: Config, dataset: Dataset) -> Iterator[np.ndarray]:
    """Return the targets that count, as the metrics take them."""
    return (to_original_units(dataset, batch, batch.target)[1] for batch in _batches(config, dataset))


def _batches(config: Config, dataset: Dataset) -> Iterator[Batch]:
    return (batch for batch in evaluation_batches(config, dataset).epoch(0) if len(batch.counted))
