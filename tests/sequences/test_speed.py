"""Figures that the start of a run and every training step depend on."""

import time

import numpy as np

from lstm_cli.sequences import Batches
from tests.sequences.helpers import open_text


def test_a_million_characters_load_in_seconds_and_batches_take_no_time(tmp_path):
    text = "".join(np.random.default_rng(0).choice(list("abcdefghijklmnopqrstuvwxyz \n"), 1_000_000))
    began = time.perf_counter()
    data = open_text(tmp_path, text, window=128, carry_state=True)
    assert time.perf_counter() - began < 5  # 0.3 s on an idle machine
    assert data.train.tokens["text"].dtype == np.int32
    batches = Batches(data.train, batch_size=64, window=128, carry_state=True)
    batches.count(0)
    times = [time.perf_counter() for _ in batches.epoch(0)]
    assert np.median(np.diff(times)) < 1e-3
