"""Sequences that are too long: refused in words, cut or split, and never left to run the machine out of memory."""

from collections.abc import Sequence

from lstm_cli.config.config import Config
from lstm_cli.data import memory
from lstm_cli.data.batching.batches import training_batches
from lstm_cli.data.batching.whole import WholeBatches, evaluation_batches, valid_batches
from lstm_cli.data.dataset import Dataset
from lstm_cli.data.encoded import Encoded
from lstm_cli.data.schema.schema import Schema
from lstm_cli.errors import DataError, listed

_BATCHES = {"train": training_batches, "valid": valid_batches, "test": evaluation_batches}
_FIX = "set data.max_length with data.on_long: cut or split, data.window, or a smaller train.batch_size"
_FIX_WHOLE = "this model needs all steps of a sequence at once to score it: cut it into shorter ones"
_FIX_SCORED = "set a smaller data.window or train.valid_streams, or give shorter sequences"


def limited(
    config: Config, schema: Schema, sequences: Sequence[Encoded], split: str
) -> tuple[list[Encoded], list[str]]:
    """Return sequences none of which is longer than ``data.max_length``, and notes on what was done to them.

    Pieces of a split sequence are sequences of their own, each with the target of the whole if that is per sequence.
    Only what is trained on is cut or split: scores are those of predictions, which are made for whole sequences.
    """
    most, action = config.data.max_length, config.data.on_long
    long = [] if most is None else [sequence for sequence in sequences if sequence.steps > most]
    if not long or (action != "stop" and split != "train"):
        return list(sequences), []
    names = listed([sequence.id for sequence in long])
    if action == "stop":
        longest = max(long, key=lambda sequence: sequence.steps)
        needed = memory.readable(_needed(config, schema, longest.steps, split))
        raise DataError(
            f"{longest.where}: {longest.steps:,} steps would take about {needed}, and data.max_length is {most:,}; "
            f"longer than that in {split}: {names}: set data.on_long to cut or split"
        )
    kept = [piece for sequence in sequences for piece in _pieces(sequence, most, once=action == "cut")]
    what = f"cut to {most:,} steps" if action == "cut" else f"split into pieces of at most {most:,} steps"
    return kept, [f"{split}: {len(long):,} of {len(sequences):,} sequences were {what}: {names}"]


def check_memory(config: Config, dataset: Dataset, split: str) -> None:
    """Refuse a split without a batch, or whose largest does not fit into memory."""
    batches = _BATCHES[split](config, dataset)
    if not batches.count(0):
        raise DataError(
            f"{dataset.where[0]}: no sequence of {split} has the {config.rollout.warmup or 1:,} observed steps of "
            f"rollout.warmup and one to predict: give longer sequences, or lower it"
        )
    free = memory.available()
    needed = _needed(config, dataset.schema, batches.most_steps(), split)
    if free is None or needed <= free:
        return
    longest = int(dataset.lengths.argmax())
    fix = _FIX if split == "train" else _FIX_WHOLE if isinstance(batches, WholeBatches) else _FIX_SCORED
    raise DataError(
        f"{dataset.where[longest]}: {dataset.lengths[longest]:,} steps make a batch of {split} that would take about "
        f"{memory.readable(needed)} of {memory.readable(free)} free memory: {fix}"
    )


def _needed(config: Config, schema: Schema, steps: int, split: str) -> int:
    keeps = split == "train" or config.rollout is not None  # a loop keeps its gates in any case
    return memory.needed(config.model, schema, steps, precision=config.precision, training=keeps)


def _pieces(sequence: Encoded, most: int, *, once: bool) -> list[Encoded]:
    if sequence.steps <= most:
        return [sequence]
    starts = range(0, 1 if once else sequence.steps, most)
    return [sequence.part(start, min(start + most, sequence.steps)) for start in starts]
