"""Sequences held out for validation and test: some of them, or the end of a single long series."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstm_cli.config.config import Config
from lstm_cli.data.formats.raw import Split as Split
from lstm_cli.data.schema.record import Record

Held = float | int | None


def hold_out(
    config: Config, records: Sequence[Record], *, per_step: bool, lag: int
) -> tuple[list[Record], list[Record], list[Record]]:
    """Return the records to train on, to validate with and to test with.

    Of several sequences some are chosen at random, by the seed alone; the test set does not depend on how many are
    held out for validation. Of one long series the end is held out, validation before test, and each part includes
    the steps before it as context, which does not count: one window, or all of them.

    Parameters
    ----------
    config
        Its ``data.valid`` and ``data.test`` are used if they are shares or counts, and ignored if they are paths.
    records
        All sequences.
    per_step
        Whether targets are per step, so that a single series can be cut.
    lag
        Steps that transforms remove at the start.
    """
    valid, test = (_share_or_count(held) for held in (config.data.valid, config.data.test))
    series = len(records) == 1 and per_step
    total = records[0].steps if series else len(records)
    test_size, valid_size = (_size(held, total) for held in (test, valid))
    if not (valid_size or test_size):
        return list(records), [], []
    if len(records) == 1 and not per_step:
        key = "data.valid" if valid else "data.test"
        raise config.error(key, "nothing can be held out of a single sequence: give more, or a file, or null")
    needed = lag + 2 if series else 1
    if total - test_size - valid_size < needed:
        what = f"{test_size + valid_size} of {total} {'steps' if series else 'sequences'} held out"
        key = "data.valid" if valid else "data.test"
        raise config.error(key, f"{what}, which leaves too few to train on: hold out less, or give files")
    if series:
        return _ends(records[0], total - test_size - valid_size, total - test_size, _context(config, lag))
    order = permutation(total, config.seed)
    chosen = [sorted(part.tolist()) for part in (order[:test_size], order[test_size : test_size + valid_size])]
    rest = sorted(order[test_size + valid_size :].tolist())
    tested, validated, trained = ([records[index] for index in part] for part in (*chosen, rest))
    return trained, validated, tested


def _share_or_count(held: Any) -> Held:
    return held if isinstance(held, int | float) else None


def _size(held: Held, total: int) -> int:
    """Return how many of `total` a share or a count amounts to."""
    if held is None:
        return 0
    return held if isinstance(held, int) else max(1, round(held * total))


def _context(config: Config, lag: int) -> int | None:
    """Return how many steps before a held-out part the network sees; None: all."""
    return None if config.data.window is None else config.data.window + lag


def _ends(
    series: Record, valid_from: int, test_from: int, context: int | None
) -> tuple[list[Record], list[Record], list[Record]]:
    def part(start: int, stop: int) -> list[Record]:
        begin = 0 if context is None else max(0, start - context)
        return [series.part(begin, stop, first=start)] if stop > start else []

    train = series.part(0, valid_from, first=0)
    return [train], part(valid_from, test_from), part(test_from, series.steps)


def permutation(count: int, *keys: int) -> NDArray[np.int64]:
    """Return 0 … count - 1 in an order that depends on the keys alone: the same with every version of numpy.

    Raw bits are sorted: numpy guarantees a generator's bit stream across versions, but not its permutations.
    """
    bits = np.random.PCG64(np.random.SeedSequence(keys)).random_raw(count)
    return np.argsort(bits, kind="stable")
