"""A summary of a model and its data: for `--check`, the start of a run, and its report."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from lstm_cli.config.given import given_yaml
from lstm_cli.data import Dataset, Schema
from lstm_cli.errors import counted, on_one_line
from lstm_cli.graph.model import Model
from lstm_cli.graph.plan import LayerPlan
from lstm_cli.run.config_changes import flattened
from lstm_cli.scores.baselines import baselines
from lstm_cli.training.ending import longer_command, next_commands
from lstm_cli.training.events import Part, Started
from lstm_cli.training.job import Job


def started(folder: Path, job: Job, earlier: Iterable[Mapping[str, Any]] = ()) -> Started:
    """Return the event that opens a session of a run; `earlier` are the evaluations of previous sessions."""
    config = job.config
    return Started(
        folder=folder,
        epochs=job.length.epochs,
        total_steps=job.length.updates,
        first_step=job.progress.step,
        monitor=config.train.monitor,
        model=parts(job.trainer.model),
        settings={key: str(value) for key, value in flattened(config.model_dump(mode="json"))},
        facts=facts(job),
        baselines=tuple(baselines(job.naives, job.evaluator, job.scored)),
        earlier=tuple(earlier),
        network=network(job.trainer.model),
        **_sizes(job),
        config_set=given_yaml(config),
        next_commands=next_commands(folder, config, job.data.schema),
        longer=longer_command(folder, config, job.length.epochs),
    )


def network(model: Model) -> str:
    """Return the recurrent layers in a few words: ``LSTM 128, 64``; ``GRU 2 x 32`` reads in both directions."""
    words, cell = list[str](), ""
    for layer in model.layers:
        first = layer.directions[0]
        size = f"{len(layer.directions)} x {first.units}" if len(layer.directions) > 1 else str(first.units)
        words.append(size if first.cell.name == cell else f"{first.cell.name.upper()} {size}")
        cell = first.cell.name
    return ", ".join(words)


def _sizes(job: Job) -> dict[str, Any]:
    """Return the sizes of the splits: their sequences, or the steps of one long series or text."""
    datasets = {name: batches.dataset for name, batches in job.scored.items()}
    order = [name for name in ("train", "valid", "test") if name in datasets]
    if all(len(dataset) == 1 for dataset in datasets.values()):
        return {"sizes": {name: datasets[name].scored_steps for name in order}, "counted": "step"}
    return {"sizes": {name: len(datasets[name]) for name in order}, "counted": "sequence"}


def parts(model: Model) -> tuple[Part, ...]:
    """Return the layers of a model, from the input to the output."""
    sizes = {parameter.name: parameter.size for parameter in model.parameters.parameters}

    def count(prefix: str) -> int:
        return sum(size for name, size in sizes.items() if name.startswith(prefix))

    embeddings = [
        Part(
            f"embedding.{on_one_line(name)}",
            f"{model.sizes.tokens[name]:,} tokens to {counted(width, 'number')}",
            sizes[f"embedding.{name}"],
        )
        for name, width in model.embeddings.items()
    ]
    layers = [
        Part(f"layers.{number}", _layer(layer), count(f"layers.{number}.")) for number, layer in enumerate(model.layers)
    ]
    output = f"{model.layers[-1].outputs} to {model.sizes.outputs:,}, one per {model.sizes.per}"
    if model.sizes.per == "sequence":
        output += f" ({model.spec.pool} of its steps)"
    field = [Part("crf", "from label to label", count("crf."))] if model.spec.crf else []
    return (*embeddings, *layers, Part("output", output, count("output.") + count("attention.")), *field)


def _layer(layer: LayerPlan) -> str:
    first = layer.directions[0]
    words = f"{first.cell.name.upper()} of {counted(first.units, 'unit')}, {counted(first.inputs, 'input')}"
    if len(layer.directions) == 2:
        words += ", in both directions"
    if first.activation != "tanh":
        words += f", {first.activation}"
    if first.cell.normalized:
        words += ", normalised"
    if layer.skip:
        words += ", plus its input"
    if layer.dropout:
        words += f", dropout {layer.dropout:g}"
    return words + (f", recurrent dropout {first.recurrent_dropout:g}" if first.recurrent_dropout else "")


def facts(job: Job) -> dict[str, str]:
    """Return a summary of the data: names and values."""
    found: dict[str, str] = {name: split_summary(batches.dataset) for name, batches in job.scored.items()}
    schema, batches = job.data.schema, job.batches
    if schema.numeric_size:
        found["numbers"] = f"{schema.numeric_size} per step"
    for name, vocabulary in schema.tokens.items():
        different = len(vocabulary) - 1  # the first is the unknown one
        found[f"tokens: {on_one_line(name)}"] = f"{different:,} different ones"
    found["target"] = target_summary(schema)
    found["batches"] = f"{batches.count(0):,} per epoch, {batches.waste():.1%} padding"
    if job.config.train.average is not None:
        found["scores"] = f"of the averaged weights (decay {job.config.train.average:g})"
    return found


def target_summary(schema: Schema) -> str:
    """Return what is predicted, in words."""
    if schema.parts:
        return "; ".join(f"{name}: {target_summary(part)}" for name, part in schema.columns.items())
    target = schema.target
    what = counted(target.size, "number" if target.kind == "number" else "label")
    return f"{target.kind}, {what} per {target.per}{', the next step' if target.is_next else ''}"


def split_summary(dataset: Dataset) -> str:
    """Return how many sequences and steps a split has, and how long the sequences are."""
    lengths = dataset.lengths
    low, high = lengths.min(), lengths.max()
    spread = f"{low:,} to {high:,} (median {int(np.median(lengths)):,})" if low < high else f"{low:,}"
    return f"{counted(len(lengths), 'sequence')}, {_steps(dataset)}; length {spread}"


def _steps(dataset: Dataset) -> str:
    """Return how many steps there are, and how many are scored if not all."""
    steps, context = int(dataset.lengths.sum()), dataset.context_steps
    scored = steps if dataset.schema.target.per == "sequence" else dataset.scored_steps
    if scored == steps:
        return counted(steps, "step")
    if context:
        return f"{counted(scored, 'step')} scored + {context:,} of context"
    return f"{counted(scored, 'step')} scored of {steps:,}"
