"""Estimates the bytes of weights and batches, and opens the data of a config after checking that they fit into memory.

PyTensor and numba are not imported before the data has been read without errors.
"""

from functools import partial

from lstm_cli.config.config import Config
from lstm_cli.config.model import ModelSpec
from lstm_cli.data import Batches, Data, Schema, Split, memory, open_data
from lstm_cli.data.batching.whole import WholeBatches
from lstm_cli.data.formats.source import Source
from lstm_cli.data.loader import Look
from lstm_cli.data.schema.following import Base
from lstm_cli.data.sources import first_file
from lstm_cli.data.written import Written
from lstm_cli.engine.agreement import check_agreement, embedded
from lstm_cli.engine.chains import check_chain_weights
from lstm_cli.engine.groups import check_groups
from lstm_cli.errors import DataError, brief

#: Numbers per unit and step. Training: a gradient and a copy for dropout, besides the states and what the cell keeps
#: for the gradient. Otherwise: the output and a copy.
_TRAINED, _EVALUATED = 2, 2
#: Numbers per weight in training: weight, gradient and up to three arrays of the optimizer, and a copy of all but the
#: gradient where a checkpoint is written. Initial weights, drawn in double precision, take less.
_PER_WEIGHT = 9
#: With `train.average` there is the average too, and a copy of it.
_PER_AVERAGE = 2
#: Numbers per step with a target: its position, its weight, its loss, and intermediate values.
_PER_TARGET = 40
#: Numbers per output and step with a target; metrics of numbers and sets use double precision.
_PER_LABEL, _PER_NUMBER_TRAINED, _PER_NUMBER_EVALUATED = 1, 3, 8
#: The same of a conditional random field: sums over labelings, and their gradients.
_PER_LABEL_OF_CHAIN = 6

_FIX = "set data.max_length with data.on_long: cut or split, data.window, or a smaller train.batch_size"
_FIX_WHOLE = "this model needs all steps of a sequence at once to score it: cut it into shorter ones"
_FIX_SCORED = "set a smaller data.window or train.valid_streams, or give shorter sequences"


def needed_bytes(spec: ModelSpec, schema: Schema, steps: int, *, precision: str, training: bool) -> int:
    """Estimate the bytes of a batch.

    Parameters
    ----------
    spec
        The section `model` of the config.
    schema
        The schema of the data.
    steps
        T * B, padding included.
    precision
        ``float32`` or ``float64``.
    training
        Whether gradients are computed.
    """
    from lstm_cli.kernels.cells import cell_of  # imports numba

    numbers = (3 if training else 1) * (schema.numeric_size + embedded(spec, schema))
    width = 0
    for layer in spec.layers:
        width = layer.width
        cell = cell_of(layer.cell or spec.cell, normalized=bool(layer.layer_norm))
        numbers += width * (cell.kept_blocks + len(cell.states) + _TRAINED if training else _EVALUATED)
        numbers += 2 * width if layer.skip and training else 0  # the sum, and its gradient
    target = schema.target
    if target.per == "step":
        per_number = _PER_NUMBER_TRAINED if training else _PER_NUMBER_EVALUATED
        per_label = _PER_LABEL_OF_CHAIN if spec.crf else _PER_LABEL
        numbers += _PER_TARGET + target.outputs * (per_label if target.kind == "category" else per_number)
    elif training and spec.pool != "last":
        numbers += 2 * width
    return steps * numbers * (4 if precision == "float32" else 8)


def batch_bytes(config: Config, schema: Schema, steps: int, split: Split) -> int:
    """Estimate the bytes of a batch of a split with this many steps, padding included."""
    training = split == "train" or config.rollout is not None  # a closed loop always stores its gates
    return needed_bytes(config.model, schema, steps, precision=config.precision, training=training)


def check_model_size(config: Config, schema: Schema) -> None:
    """Raise the `DataError` that names the largest array of weights if training them takes more memory than is free."""
    from lstm_cli.engine.build import parameters_of  # imports PyTensor
    from lstm_cli.graph.plan import embedding_sizes

    parameters = parameters_of(config, schema)
    weights, free = sum(parameter.size for parameter in parameters), memory.available()
    per_weight = _PER_WEIGHT if config.train.average is None else _PER_WEIGHT + _PER_AVERAGE
    needed = weights * per_weight * (4 if config.precision == "float32" else 8)
    if free is None or needed <= free:
        return
    largest = max(parameters, key=lambda parameter: parameter.size)
    widest = max(embedding_sizes(config.model.embedding, schema.tokens).values(), default=0)
    key = "model.embedding" if widest > max(layer.size for layer in config.model.layers) else "model.layers"
    shape = " x ".join(f"{size:,}" for size in largest.shape)
    what = f"{brief(largest.name)} has {shape} of the model's {weights:,} weights, which take about"
    fix = f"{memory.readable(needed)} of {memory.readable(free)} free memory to train: set smaller sizes"
    raise DataError(config.source.describe(config.source.path_of(key), f"{what} {fix}"))


def check_memory(config: Config, batches: Batches, split: Split) -> None:
    """Raise the `DataError` that says what to do if the largest batch of a split does not fit into memory."""
    dataset, free = batches.dataset, memory.available()
    needed = batch_bytes(config, dataset.schema, batches.most_steps(), split)
    if free is None or needed <= free:
        return
    longest = int(dataset.lengths.argmax())
    fix = _FIX if split == "train" else _FIX_WHOLE if isinstance(batches, WholeBatches) else _FIX_SCORED
    raise DataError(
        f"{dataset.where[longest]}: {dataset.lengths[longest]:,} steps make a batch of {split} that would take about "
        f"{memory.readable(needed)} of {memory.readable(free)} free memory: {fix}"
    )


def open_checked_data(
    config: Config,
    *,
    precision: str | None = None,
    look: Look | None = None,
    written: Written | None = None,
    base: Base | None = None,
) -> Data:
    """Return the data of a config; see `open_data`.

    Raises
    ------
    ConfigError
        The config does not fit the data.
    DataError
        The data is refused, or weights or a batch of a split do not fit into memory.
    """
    name = Source(config.source.resolve(first_file(config.data.train))).name
    with memory.memory_errors(name):
        estimate = partial(batch_bytes, config)
        data = open_data(config, precision=precision, batch_bytes=estimate, look=look, written=written, base=base)
    config = data.config
    check_agreement(config, data.schema)
    if config.model.crf:
        check_chain_weights(data.train)
    check_groups(config, data.schema)
    check_model_size(config, data.schema)  # where the weights are too large, shorter sequences would not help
    with memory.memory_errors(name):
        for split, batches in data.batches.items():
            check_memory(config, batches, split)
    return data
