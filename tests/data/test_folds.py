"""Which sequences each fold of a cross-validation holds out."""

from collections import Counter
from itertools import chain

import numpy as np
import pytest

from lstm_cli.config import config_from_mapping
from lstm_cli.data import open_data
from lstm_cli.data.strata import dealt, dealt_groups
from lstm_cli.errors import ConfigError
from lstm_cli.run.seen import spec_of
from tests.support.data import data_config, open_jsonl, write, write_jsonl

GIVEN = {"inputs": ["x"], "target": "y", "valid": 0.2}


def rows(count, labels="ab"):
    return [{"id": f"s{k}", "x": [k + 0.5], "y": labels[k % len(labels)], "farm": f"f{k // 3}"} for k in range(count)]


def folds(folder, given, count, **data):
    """The data of each fold."""
    return [open_jsonl(folder, given, **{**GIVEN, "fold": f"{k}/{count}", **data}) for k in range(1, count + 1)]


def test_every_sequence_is_held_out_once(tmp_path):
    given = rows(23, "aab")
    data = folds(tmp_path, given, 4, test=0.2)
    (tests,) = {tuple(fold.test.ids) for fold in data}
    trained = [row["id"] for row in given if row["id"] not in tests]
    assert sorted(chain(*(fold.valid.ids for fold in data))) == sorted(trained)
    for fold in data:
        assert sorted([*fold.train.ids, *fold.valid.ids]) == sorted(trained)
        assert fold.valid.ids == [name for name in trained if name in fold.valid.ids]  # the order of the file
    sizes = [len(fold.valid) for fold in data]
    assert max(sizes) - min(sizes) <= 1
    # and what the test holds out is what it holds out without folds
    assert list(tests) == open_jsonl(tmp_path, given, test=0.2, **GIVEN).test.ids


def test_folds_follow_from_the_seed_alone(tmp_path):
    held = [folds(tmp_path, rows(23), 4, split_seed=seed)[0].valid.ids for seed in (1, 1, 2)]
    assert held[0] == held[1] != held[2]


def test_folds_have_the_classes_in_proportion(tmp_path):
    given = rows(40, "aaabbc")
    labels = {row["id"]: row["y"] for row in given}
    counts = [Counter(labels[name] for name in fold.valid.ids) for fold in folds(tmp_path, given, 5)]
    for label, total in Counter(labels.values()).items():
        assert {count[label] for count in counts} <= {total // 5, -(-total // 5)}


def test_a_label_per_step_and_numbers_are_dealt_by_the_seed_alone(tmp_path):
    for target in ("x", {"column": "x", "per": "step"}):
        found = [fold.valid.ids for fold in folds(tmp_path, rows(10), 3, inputs=["x"], target=target)]
        assert sorted(map(len, found)) == [3, 3, 4]


def test_groups_stay_in_one_fold(tmp_path):
    given = rows(22)
    farms = {row["id"]: row["farm"] for row in given}
    data = folds(tmp_path, given, 3, valid={"share": 0.2, "by": "farm"}, test=0.1)
    held = [{farms[name] for name in fold.valid.ids} for fold in data]
    assert not held[0] & held[1] | held[0] & held[2] | held[1] & held[2]
    assert sum(len(fold.valid) for fold in data) == 20
    sizes = [len(fold.valid) for fold in data]
    assert max(sizes) - min(sizes) <= 3  # the largest group


def test_sequences_are_dealt_class_by_class():
    classes = np.array([1, 0, 0, 1, 0, 1, 0])
    assert dealt(classes, 3).tolist() == [1, 0, 1, 2, 2, 0, 0]
    assert dealt_groups([1, 5, 3, 3, 1], 2) == [0, 0, 1, 1, 0]


def test_more_folds_than_sequences_or_groups(tmp_path):
    with pytest.raises(ConfigError, match=r"data\.fold: 4 folds of 3 sequences: use at most 3"):
        folds(tmp_path, rows(3), 4)
    with pytest.raises(ConfigError, match=r"data\.fold: 4 folds of 3 groups: use at most 3"):
        folds(tmp_path, rows(9), 4, valid={"share": 0.2, "by": "farm"})


def test_a_series_has_no_folds(tmp_path):
    write(tmp_path / "a.csv", "x\n" + "".join(f"{t}.5\n" for t in range(30)))
    with pytest.raises(
        ConfigError, match=r"data\.fold: folds are of whole sequences, and there is one series: use lstm"
    ):
        open_data(data_config(tmp_path, train="a.csv", inputs=["x"], target="next", valid=0.2, fold="1/3"))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"valid": "v.csv"}, "folds of the training data are held out as data.valid, which is files: leave data.valid"),
        ({"valid": None}, "data.valid, which is null: leave data.valid out"),
        ({"split": "part", "valid": None}, "data.split says what is held out, and folds do so too: leave one out"),
        ({"valid": {"share": 3, "by": "time"}}, "data.valid holds out the last steps of each: use lstm backtest"),
        ({"test": {"share": 3, "by": "time"}}, "data.test holds out the last steps of each: use lstm backtest"),
        ({"fold": "3/2"}, "expected a fold such as 2/5"),
        ({"fold": "1/1"}, "expected a fold such as 2/5"),
        ({"fold": 0.4}, "expected a fold such as 2/5"),
    ],
)
def test_keys_that_conflict(tmp_path, data, message):
    with pytest.raises(ConfigError, match=message):
        data_config(tmp_path, **{"train": "a.csv", **GIVEN, "fold": "1/2", **data})


def test_the_share_of_a_fold_is_known(tmp_path):
    write_jsonl(tmp_path / "a.jsonl", rows(4))
    section = {"train": "a.jsonl", **GIVEN, "fold": "2/4", "valid": {"share": 0.1, "by": "farm"}}
    spec = spec_of(config_from_mapping({"data": section}, tmp_path), "valid")
    assert (spec.share, spec.by) == (0.25, "farm")
