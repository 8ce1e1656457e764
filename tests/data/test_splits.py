"""Who is held out."""

from itertools import chain

import numpy as np
import pytest

from lstm_cli.data import evaluation_batches, open_data
from lstm_cli.errors import ConfigError
from tests.support.data import data_config, open_jsonl, write, write_jsonl

GIVEN = {"inputs": ["x"], "target": "y"}


def labelled_rows(count):
    return [{"id": f"s{index}", "x": [index + 0.5], "y": "ab"[index % 2]} for index in range(count)]


def open_series(folder, length=100, **data):
    write(folder / "a.csv", "x\n" + "".join(f"{t}.5\n" for t in range(length)))
    return open_data(data_config(folder, train="a.csv", inputs=["x"], target="next", scale="none", **data))


@pytest.mark.parametrize(
    ("valid", "test", "sizes"),
    [(0.2, 0.1, (14, 4, 2)), (3, 5, (12, 3, 5)), (0.01, None, (19, 1, 0)), (None, None, (20, 0, 0))],
)
def test_shares_and_counts_of_sequences(tmp_path, valid, test, sizes):
    data = open_jsonl(tmp_path, labelled_rows(20), valid=valid, test=test, **GIVEN)
    parts = [dataset.ids if dataset else [] for dataset in (data.train, data.valid, data.test)]
    assert tuple(map(len, parts)) == sizes
    assert sorted(chain(*parts)) == sorted(row["id"] for row in labelled_rows(20))


def test_the_split_follows_from_the_seed_alone(tmp_path):
    def held(seed, valid=0.2):
        data = open_jsonl(tmp_path, labelled_rows(40), {"seed": seed}, valid=valid, test=0.2, **GIVEN)
        return data.valid.ids, data.test.ids

    assert held(1) == held(1)
    assert held(1) != held(2)
    assert held(1)[1] == held(1, valid=0.5)[1]


def test_files_and_shares_go_together(tmp_path):
    write_jsonl(tmp_path / "valid.jsonl", labelled_rows(3))
    data = open_jsonl(tmp_path, labelled_rows(10), valid="valid.jsonl", test=0.2, **GIVEN)
    assert [len(dataset) for dataset in (data.train, data.valid, data.test)] == [8, 3, 2]


def test_the_end_of_a_series_is_held_out_test_last(tmp_path):
    data = open_series(tmp_path, valid=10, test=0.2)
    assert data.train.target[:, 0].tolist() == [t + 0.5 for t in range(1, 70)]
    for dataset, first, last in ((data.valid, 70, 80), (data.test, 80, 100)):
        counted = dataset.target[dataset.weight > 0, 0]
        assert counted.tolist() == [t + 0.5 for t in range(first, last)]
        assert dataset.numbers[0, 0] == 0.5


@pytest.mark.parametrize("lag", [0, 3])
def test_with_a_window_only_so_much_context_is_kept(tmp_path, lag):
    transform = {"x": f"seasonal_difference({lag})"} if lag else {}
    data = open_series(tmp_path, test=20, window=8, transform=transform)
    (sequence,) = data.test
    assert sequence.steps == 8 + 20 - 1
    assert sequence.weight.tolist() == [0] * 7 + [1] * 20


def test_scaling_and_vocabulary_see_train_only(tmp_path):
    write(tmp_path / "a.csv", "x\n" + "1.5\n" * 10 + "2.5\n" * 10 + "9.5\n" * 10)
    data = open_data(data_config(tmp_path, train="a.csv", test=10, inputs=["x"], target="next"))
    assert data.schema.scaling["x"].center == [2]
    write(tmp_path / "a.txt", "abab" + "cccc")
    data = open_data(data_config(tmp_path, train="a.txt", test=4))
    assert data.schema.tokens["text"].tokens == ("<unk>", "a", "b")


@pytest.mark.parametrize(
    ("count", "held", "message"),
    [
        (1, {"valid": 0.2}, r"data.valid: nothing can be held out of a single sequence: give more, or a file, or null"),
        (3, {"valid": 2, "test": 1}, r"data.valid: 3 of 3 sequences held out, which leaves too few to train on"),
        (3, {"test": 5}, r"data.test: 5 of 3 sequences held out"),
    ],
)
def test_holding_out_too_much_is_a_config_error(tmp_path, count, held, message):
    with pytest.raises(ConfigError, match=message):
        open_jsonl(tmp_path, labelled_rows(count), **held, **GIVEN)


def test_holding_out_all_of_a_series_is_a_config_error(tmp_path):
    with pytest.raises(ConfigError, match="99 of 100 steps held out"):
        open_series(tmp_path, test=99)


def test_evaluation_in_streams_sees_the_steps_before(tmp_path):
    """With warm-up every counted step of a stream follows a window of real steps, or the series' beginning."""
    sections = {"train": {"batch_size": 3}}
    write(tmp_path / "a.csv", "x\n" + "".join(f"{t}.5\n" for t in range(200)))
    given = data_config(
        tmp_path, sections, train="a.csv", test=60, inputs=["x"], target="next", scale="none", window=10
    )
    data = open_data(given)
    batches = list(evaluation_batches(given, data.test).epoch(0))
    counted = np.concatenate([batch.target[:, 0] for batch in batches])
    assert sorted(counted) == [t + 0.5 for t in range(140, 200)]
    assert (batches[0].carry == -1).all()
    for batch in batches[1:]:
        fresh = batch.carry < 0
        assert not np.isin(np.flatnonzero(fresh), batch.counted % len(batch.lengths)).any()
