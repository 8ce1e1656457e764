"""Sequences that are too long: refused in words, cut or split, and never left to run the machine out of memory."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lstm_cli.errors import DataError
from lstm_cli.sequences.batches import training_batches
from lstm_cli.sequences.dataset import Dataset
from lstm_cli.sequences.encoded import Encoded
from lstm_cli.sequences.rows import listed

_GATES = {"lstm": 4, "gru": 4, "rnn": 1}


def limited(config: Any, sequences: Sequence[Encoded], split: str) -> tuple[list[Encoded], list[str]]:
    """Return sequences none of which is longer than ``data.max_length``, and notes on what was done to them.

    Pieces of a split sequence are sequences of their own, each with the target of the whole if that is per sequence.
    """
    most, action = config.data.max_length, config.data.on_long
    long = [] if most is None else [sequence for sequence in sequences if sequence.steps > most]
    if not long:
        return list(sequences), []
    names = listed([sequence.id for sequence in long])
    if action == "stop":
        longest = max(long, key=lambda sequence: sequence.steps)
        memory = readable(memory_needed(config, longest.steps))
        raise DataError(
            f"{longest.where}: {longest.steps:,} steps would take about {memory}, and data.max_length is {most:,}; "
            f"longer than that in {split}: {names}: set data.on_long to cut or split"
        )
    kept = [piece for sequence in sequences for piece in _pieces(sequence, most, once=action == "cut")]
    what = f"cut to {most:,} steps" if action == "cut" else f"split into pieces of at most {most:,} steps"
    return kept, [f"{split}: {len(long):,} of {len(sequences):,} sequences were {what}: {names}"]


def check_memory(config: Any, dataset: Dataset) -> None:
    """Refuse training data whose largest batch does not fit into memory."""
    free = available()
    memory = memory_needed(config, training_batches(config, dataset).most_steps())
    if free is None or memory <= free:
        return
    longest = int(dataset.lengths.argmax())
    raise DataError(
        f"{dataset.where[longest]}: {dataset.lengths[longest]:,} steps make a batch that would take about "
        f"{readable(memory)} of {readable(free)} free memory: set data.max_length with data.on_long: cut or split, "
        f"data.window, or a smaller train.batch_size"
    )


def memory_needed(config: Any, steps: int) -> int:
    """Return about how many bytes training on so many padded steps takes.

    Per layer, direction and step: the gates before and after activation and their gradient, the states and theirs,
    and what dropout and concatenation copy.
    """
    size = 4 if config.precision == "float32" else 8
    numbers = 0
    for layer in config.model.layers:
        directions = 2 if layer.bidirectional else 1
        numbers += directions * layer.size * (3 * _GATES[layer.cell] + 6)
    return steps * size * numbers


def available() -> int | None:
    """Return the bytes that can still be had, by the system's word and the control group's; None if neither says."""
    found: list[int] = []
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        found.extend(1024 * int(line.split()[1]) for line in lines if line.startswith("MemAvailable:"))
        group = Path("/sys/fs/cgroup")
        most = (group / "memory.max").read_text().strip()
        if most != "max":
            found.append(int(most) - int((group / "memory.current").read_text()))
    except (OSError, ValueError):
        pass
    return min(found, default=None)


def readable(count: float) -> str:
    """Return a number of bytes as people say it."""
    for unit in ("bytes", "kB", "MB"):
        if count < 1000:
            return f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:,.3g} GB"


def _pieces(sequence: Encoded, most: int, *, once: bool) -> list[Encoded]:
    if sequence.steps <= most:
        return [sequence]
    starts = range(0, 1 if once else sequence.steps, most)
    return [sequence.part(start, min(start + most, sequence.steps)) for start in starts]
