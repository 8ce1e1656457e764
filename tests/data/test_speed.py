"""What the start of a run and every training step depend on: Python does nothing for a single character.

Counted is what the interpreter executes, which no other work on the machine can change.
"""

import sys
from collections.abc import Callable
from types import FrameType

import numpy as np
import pytest

from lstm_cli.data import Batches, Data
from tests.support.data import open_text


def lines(work: Callable[[], object]) -> int:
    """How many lines of Python run, in libraries too: those of a loop or a comprehension each time round."""
    count, before = 0, sys.gettrace()

    def trace(frame: FrameType, event: str, argument: object) -> Callable:
        nonlocal count
        count += 1
        return trace

    sys.settrace(trace)
    try:
        work()
    finally:
        sys.settrace(before)
    return count


@pytest.fixture
def load(tmp_path):
    """Loads a text of N characters. What is done once in a process has been done."""
    draw = np.random.default_rng(0)

    def load(characters: int) -> Data:
        text = "".join(draw.choice(list("abcdefghijklmnopqrstuvwxyz \n"), characters))
        return open_text(tmp_path, text, window=128, carry_state=True)

    load(1000)
    return load


def test_a_loop_in_python_would_be_counted():
    works = [lambda: [x + 1 for x in range(500)], lambda: all(x + 1 for x in range(500))]
    assert all(lines(work) > 500 for work in works)


def test_a_text_is_loaded_without_a_loop_in_python_over_its_characters(load):
    short, long = (lines(lambda: load(characters)) for characters in (100_000, 1_000_000))
    assert long - short < 9000  # of 900,000 more characters; in truth 0
    assert load(1000).train.tokens["text"].dtype == np.int32


def test_batches_are_made_without_a_loop_in_python_over_their_steps(load):
    data = load(1_000_000).train

    def lines_per_batch(batch_size: int, window: int) -> float:
        batches = Batches(data, batch_size=batch_size, window=window, carry_state=True)
        assert lines(lambda: batches.count(0)) < 1000
        return lines(lambda: list(batches.epoch(0))) / batches.count(0)

    assert lines_per_batch(64, 128) < 1.5 * lines_per_batch(8, 32)  # of 32 times the steps
