"""Who is held out."""

from collections import Counter
from itertools import chain

import numpy as np
import pytest
from sklearn.model_selection import train_test_split

from lstm_cli.config import config_from_mapping
from lstm_cli.data import evaluation_batches, open_data
from lstm_cli.data.strata import stratified
from lstm_cli.errors import ConfigError, DataError
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


def dataset_ids(data):
    return [dataset.ids if dataset else [] for dataset in (data.train, data.valid, data.test)]


@pytest.mark.parametrize("form", ["plain", "by"])
def test_classes_are_held_out_in_proportion(tmp_path, form):
    """Within one sequence of the exact share, as scikit-learn's stratified split."""
    labels = ["a"] * 50 + ["b"] * 30 + ["c"] * 17 + ["d"] * 3
    rows = [{"id": f"{label}{number}", "x": [1.5], "y": label} for number, label in enumerate(labels)]
    valid, test = (0.2, 0.1) if form == "plain" else ({"share": 0.2, "by": "sequence"}, {"share": 0.1})
    for seed in range(5):
        data = open_jsonl(tmp_path, rows, {"seed": seed}, valid=valid, test=test, **GIVEN)
        parts = dataset_ids(data)
        assert [len(part) for part in parts] == [70, 20, 10]
        for part, share in zip(parts[1:], (0.2, 0.1), strict=True):
            counts = Counter(name[0] for name in part)
            assert all(abs(counts[label] - share * labels.count(label)) <= 1 for label in "abcd")
        theirs, _ = train_test_split(range(100), train_size=20, stratify=labels, random_state=seed)
        their_counts = Counter(labels[index] for index in theirs)
        assert all(abs(their_counts[label] - Counter(name[0] for name in parts[1])[label]) <= 1 for label in "abcd")


def test_a_class_of_one_sequence_is_trained_on(tmp_path):
    rows = [{"id": f"s{number}", "x": [1.5], "y": "rare" if number == 7 else "ab"[number % 2]} for number in range(30)]
    for seed in range(10):
        data = open_jsonl(tmp_path, rows, {"seed": seed}, valid=0.5, **GIVEN)
        assert "s7" in data.train.ids


def test_a_split_in_proportion_is_the_one_of_the_seed_alone():
    order, labels = [3, 1, 0, 2, 5, 4], list("aabbab")
    assert stratified(order, labels, 2) == [3, 1]
    assert stratified(order, list("babaab"), 2) == [3, 0]


def test_groups_stay_together(tmp_path):
    rows = [
        {"id": f"p{patient}-{visit}", "patient": f"p{patient}", "x": [1.5], "y": "ab"[visit % 2]}
        for patient in range(12)
        for visit in range(1 + patient % 4)
    ]
    for seed in range(5):
        data = open_jsonl(
            tmp_path, rows, {"seed": seed}, valid={"share": 0.25, "by": "patient"},
            test={"share": 6, "by": "patient"}, **GIVEN,
        )  # fmt: skip
        parts = dataset_ids(data)
        patients = [{name.split("-")[0] for name in part} for part in parts]
        assert not patients[0] & patients[1] | patients[0] & patients[2] | patients[1] & patients[2]
        assert sorted(chain(*parts)) == sorted(row["id"] for row in rows)
        assert all(abs(len(part) - size) <= 2 for part, size in zip(parts[1:], (8, 6), strict=True))


def test_a_group_column_of_a_table_is_no_input(tmp_path):
    lines = [f"{series},{series // 2},{t}.5,{'ab'[t % 2]}\n" for series in range(8) for t in range(3)]
    write(tmp_path / "a.csv", "id,farm,x,y\n" + "".join(lines))
    data = open_data(data_config(tmp_path, train="a.csv", valid={"share": 0.25, "by": "farm"}, scale="none", **GIVEN))
    farms = [{int(name) // 2 for name in part} for part in dataset_ids(data)[:2]]
    assert [len(part) for part in farms] == [3, 1]
    assert data.train.numbers.shape == (18, 1)


@pytest.mark.parametrize(
    ("columns", "by", "error", "message"),
    [
        ("1,p,1.5,a\n1,q,2.5,a\n2,p,1.5,b\n", "farm", DataError,
         "a.csv:3: farm: expected one value for the sequence, got 'p' and 'q': give every step the same"),
        ("1,p,1.5,a\n2,p,1.5,b\n", "farm", ConfigError,
         "data.valid: nothing can be held out by farm: all sequences left have the same value"),
        ("1,p,1.5,a\n2,p,1.5,b\n", "barn", ConfigError, "data.valid.by: the data has no column barn"),
        ("1,,1.5,a\n2,p,1.5,b\n", "farm", DataError, "a.csv:2: farm: the value is missing"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_groups(tmp_path, columns, by, error, message):
    write(tmp_path / "a.csv", "id,farm,x,y\n" + columns)
    with pytest.raises(error, match=message):
        open_data(data_config(tmp_path, train="a.csv", valid={"share": 0.5, "by": by}, **GIVEN))


def panel(folder, lengths, **data):
    lines = [f"s{k},{100 * k + t}.5\n" for k, length in enumerate(lengths) for t in range(length)]
    write(folder / "a.csv", "id,x\n" + "".join(lines))
    return open_data(data_config(folder, train="a.csv", inputs=["x"], target="next", scale="none", **data))


def counted(dataset):
    """The targets that count, of every sequence."""
    return [
        sequence.target[slice(None) if sequence.weight is None else sequence.weight > 0, 0].tolist()
        for sequence in dataset
    ]


@pytest.mark.parametrize(("window", "context"), [(None, [30, 20]), (8, [8, 8])])
def test_the_last_steps_of_every_series_are_held_out(tmp_path, window, context):
    data = panel(
        tmp_path, [40, 30], valid={"share": 0.25, "by": "time"}, test={"share": 2, "by": "time"}, window=window
    )
    steps = {"train": [(1, 28), (1, 20)], "valid": [(28, 38), (20, 28)], "test": [(38, 40), (28, 30)]}
    for name, bounds in steps.items():
        expected = [[100 * k + t + 0.5 for t in range(*bound)] for k, bound in enumerate(bounds)]
        assert counted(getattr(data, name)) == expected
    assert data.valid.scored_steps == 10 + 8
    assert data.valid.context_steps == (28 + 20 if window is None else 16)
    assert data.valid.ids == ["s0", "s1"]


def test_a_series_too_short_to_hold_out_steps_trains_whole(tmp_path):
    data = panel(tmp_path, [40, 3], valid={"share": 5, "by": "time"})
    assert [len(part) for part in counted(data.train)] == [34, 2]
    assert data.valid.ids == ["s0"]
    what = "series too short to hold out steps at their end, so that all their steps train"
    assert f"train: {what}: s1 (3 steps)" in data.notes
    with pytest.raises(ConfigError, match="every series is too short to hold out steps at its end: the first has 4"):
        panel(tmp_path, [4, 3], valid={"share": 5, "by": "time"})


def test_by_time_needs_a_target_per_step(tmp_path):
    with pytest.raises(ConfigError, match="by time needs a target per step, and y is one per sequence"):
        open_jsonl(tmp_path, labelled_rows(10), valid={"share": 0.2, "by": "time"}, **GIVEN)


def test_some_sequences_for_the_test_and_the_ends_of_the_others_for_validation(tmp_path):
    data = panel(tmp_path, [20] * 5, valid={"share": 4, "by": "time"}, test=2)
    assert [len(part) for part in dataset_ids(data)] == [3, 3, 2]
    assert data.train.ids == data.valid.ids
    assert not set(data.train.ids) & set(data.test.ids)
    assert [len(part) for part in counted(data.test)] == [19, 19]


def test_a_column_says_where_a_sequence_belongs(tmp_path):
    names = ["train", "test", "Validation", "dev", "training", "TESTING"]
    rows = [{**row, "part": name} for row, name in zip(labelled_rows(6), names, strict=True)]
    data = open_jsonl(tmp_path, rows, split="part", valid=None, **GIVEN)
    assert dataset_ids(data) == [["s0", "s4"], ["s2", "s3"], ["s1", "s5"]]


def test_a_column_cuts_series_into_parts(tmp_path):
    parts = ["train"] * 10 + ["valid"] * 4 + ["test"] * 6
    write(tmp_path / "a.csv", "x,fold\n" + "".join(f"{t}.5,{part}\n" for t, part in enumerate(parts)))
    data = open_data(data_config(tmp_path, train="a.csv", split="fold", inputs=["x"], target="next", scale="none"))
    bounds = [(1, 10), (10, 14), (14, 20)]
    for dataset, bound in zip((data.train, data.valid, data.test), bounds, strict=True):
        assert counted(dataset) == [[t + 0.5 for t in range(*bound)]]


@pytest.mark.parametrize(
    ("parts", "error", "message"),
    [
        (["train", "oops", "valid"], DataError, "a.csv:3: fold: expected train, valid or test, got 'oops'"),
        (["valid", "valid", "train"], DataError,
         "a.csv:4: fold: train after valid, but a series is split in the order train, valid, test"),
        (["train", "", "valid"], DataError, "a.csv:3: fold: the value is missing"),
        (["train"] * 4, ConfigError, "data.split: no row says valid, and train.monitor needs it"),
        (["valid"] * 4, ConfigError, "data.split: no row says train"),
        (["train", "valid", "valid"], DataError, "a.csv:2: 1 step of 1 is too few for a split: give at least 2"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_column_of_splits(tmp_path, parts, error, message):
    write(tmp_path / "a.csv", "x,fold\n" + "".join(f"{t}.5,{part}\n" for t, part in enumerate(parts)))
    with pytest.raises(error, match=message):
        open_data(data_config(tmp_path, train="a.csv", split="fold", inputs=["x"], target="next"))


def test_a_sequence_with_one_target_is_in_one_split(tmp_path):
    rows = [{**row, "x": [1.5, 2.5], "part": ["train", "valid"]} for row in labelled_rows(3)]
    with pytest.raises(DataError, match="part: the values differ within the sequence: give one for all of it"):
        open_jsonl(tmp_path, rows, split="part", **GIVEN)


def test_a_class_missing_from_a_split_is_noted(tmp_path):
    rows = [{**row, "part": "train" if row["y"] == "a" or number < 10 else "valid"}
            for number, row in enumerate(labelled_rows(20))]  # fmt: skip
    data = open_jsonl(tmp_path, rows, split="part", valid=None, **GIVEN)
    assert any("valid" in note and "never occurs: a" in note for note in data.notes)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"split": "part", "valid": 0.2}, "data.valid: data.split says what is held out: leave data.valid out"),
        ({"split": "part", "valid": None, "test": "t.csv"}, "data.test: data.split says what is held out"),
        ({"valid": {"share": 0.2, "by": "time"}, "target": {"column": "y", "per": "sequence"}},
         "data.valid.by: time: needs a target per step"),
        ({"valid": {"share": 1.5}}, "data.valid.share: got 1.5, expected a share between 0 and 1, or a count"),
        ({"valid": {"by": "time"}}, "data.valid.share: missing"),
    ],
)  # fmt: skip
def test_keys_of_splits_that_conflict(tmp_path, data, message):
    with pytest.raises(ConfigError, match=message):
        data_config(tmp_path, **{"train": "a.csv", **GIVEN, **data})


def test_with_a_column_of_splits_nothing_else_is_held_out_by_default(tmp_path):
    section = {"train": "a.csv", "split": "part", **GIVEN}
    config = config_from_mapping({"data": section}, tmp_path)
    assert config.data.valid is None
    resolved = config.model_dump(mode="json")
    assert config_from_mapping(resolved, tmp_path).data.valid is None
