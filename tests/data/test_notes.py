"""Notes: one line for what may surprise, with what to do; none where nothing is odd."""

import io

import numpy as np
import pytest

from lstm_cli.config import config_from_mapping
from lstm_cli.data import UnknownCounts, encode, open_data, raw_sequences
from tests.support.data import data_config, open_jsonl, write, write_jsonl

DRAW = np.random.default_rng(7)
SERIES = [(float(a), float(b)) for a, b in DRAW.normal(size=(60, 2)).round(3)]


def csv(folder, rows, names="a,b"):
    return write(folder / "a.csv", "\n".join([names, *(",".join(map(str, row)) for row in rows)]) + "\n")


def notes_of(folder, rows, names="a,b", **data):
    csv(folder, rows, names)
    return open_data(data_config(folder, train="a.csv", **data)).notes


def noted(notes, *parts):
    """Whether exactly one note holds all of the parts."""
    return sum(all(part in note for part in parts) for note in notes) == 1


def test_an_ordinary_series_has_one_note_that_says_what_the_target_is(tmp_path):
    values = [b for _, b in SERIES]
    (note,) = notes_of(tmp_path, SERIES, inputs=["a"], target="b")
    assert note == f"train: target: b: number per step, {min(values):,.6g} to {max(values):,.6g}"


@pytest.mark.parametrize(
    ("labels", "given", "said"),
    [
        ([0, 1] * 30, {}, "target: b: category, 2 labels per step; for quantities set kind: number in data.target"),
        (range(512, 572), {}, "target: b: number per step, 512 to 571; for labels set kind: category"),
        ([0, 1] * 30, {"kind": "category"}, None),
        (["up", "down"] * 30, {}, None),
    ],
)
def test_what_numbers_of_a_target_were_taken_for_is_said(tmp_path, labels, given, said):
    rows = [(a, label) for (a, _), label in zip(SERIES, labels, strict=True)]
    notes = notes_of(tmp_path, rows, inputs=["a"], target={"column": "b", **given})
    assert notes == ([] if said is None else [f"train: {said}"])


@pytest.mark.parametrize(("ahead", "count"), [(0, 1), (1, 0)])
def test_a_target_among_the_inputs_of_its_step(tmp_path, ahead, count):
    notes = notes_of(tmp_path, SERIES, inputs=["a", "b"], target={"column": "b", "ahead": ahead})
    assert sum("b is also an input of the same step" in note and "set ahead: 1" in note for note in notes) == count


@pytest.mark.parametrize(("inputs", "ahead", "count"), [("ab", 1, 1), ("a", 1, 0), ("ab", 0, 0)])
def test_a_later_target_that_a_layer_from_the_end_reads_is_noted(tmp_path, inputs, ahead, count):
    csv(tmp_path, SERIES)
    data = {"train": "a.csv", "inputs": [*inputs], "target": {"column": "b", "ahead": ahead}}
    config = config_from_mapping({"data": data, "model": {"bidirectional": True}}, tmp_path)
    notes = open_data(config).notes
    assert sum("b is also an input, whose later steps a bidirectional layer sees" in note for note in notes) == count


def test_a_constant_input_and_a_constant_target(tmp_path):
    notes = notes_of(tmp_path, [(2.5, 7.25)] * 20, inputs=["a"], target="b")
    assert noted(notes, "a is always 2.5", "leave it out of data.inputs")
    assert noted(notes, "b is always 7.25: there is nothing to learn")


@pytest.mark.parametrize(("value", "far"), [(-200, True), (4, False)])
def test_a_value_far_from_all_others(tmp_path, value, far):
    rows = [*SERIES[:41], (value, 1.5), *SERIES[42:]]
    column = np.array([a for a, _ in rows])
    low, high = np.percentile(column, [25, 75])
    distance = abs(value - np.median(column)) / ((high - low) / 1.349)
    assert (distance > 100) == far
    notes = notes_of(tmp_path, rows, inputs=["a"], target="b")
    assert noted(notes, f"a: {value} (step 42 of", f"{distance:,.0f} deviations", "data.missing.values") == far


def npz(folder, ends, **more):
    x = np.stack([np.where(np.arange(12)[:, None] < end, 1.5 + DRAW.random((12, 2)), 0) for end in ends])
    file = io.BytesIO()
    np.savez(file, x=x, y=np.array(["a", "b"] * (len(ends) // 2)), **more)
    return write(folder / "a.npz", file.getvalue())


@pytest.mark.parametrize(
    ("lengths", "more", "padded"),
    [
        ([4, 7, 5, 9], {}, 4),
        ([4, 7, 12, 9], {}, 3),
        ([12, 12, 11, 10], {}, 0),
        ([6, 6, 6, 6], {}, 0),
        ([4, 7, 5, 9], {"lengths": np.array([4, 7, 5, 9])}, 0),
    ],
)
def test_arrays_filled_up_with_zeros(tmp_path, lengths, more, padded):
    npz(tmp_path, lengths, **more)
    notes = open_data(data_config(tmp_path, train="a.npz", inputs=["x"], target="y")).notes
    found = [note for note in notes if "as if padded" in note]
    assert [note.startswith(f"train: {padded} of 4 sequences end in 3 or more") for note in found] == [True] * bool(
        padded
    )


def sequences(count, seed):
    draw = np.random.default_rng(seed)
    return [{"x": draw.normal(size=4).round(4).tolist(), "y": "ab"[k % 2]} for k in range(count)]


def test_sequences_that_stand_in_two_splits_are_counted(tmp_path):
    rows = sequences(12, 1)
    write_jsonl(tmp_path / "valid.jsonl", rows[:3] + sequences(5, 2))
    write_jsonl(tmp_path / "test.jsonl", rows)
    data = open_jsonl(tmp_path, rows, inputs=["x"], target="y", valid="valid.jsonl", test="test.jsonl")
    assert noted(data.notes, "valid: 3 of 8 sequences are also in train")
    assert noted(data.notes, "test: 12 of 12 sequences are also in train")
    assert noted(data.notes, "test: 3 of 12 sequences are also in valid")


def test_splits_of_different_sequences_have_no_note(tmp_path):
    write_jsonl(tmp_path / "test.jsonl", sequences(8, 3))
    assert open_jsonl(tmp_path, sequences(12, 1), inputs=["x"], target="y", test="test.jsonl").notes == []


def test_a_class_that_a_split_never_has(tmp_path):
    rows = sequences(12, 1)
    write_jsonl(tmp_path / "valid.jsonl", [row | {"y": "a"} for row in sequences(4, 2)])
    data = open_jsonl(tmp_path, rows, inputs=["x"], target="y", valid="valid.jsonl")
    assert noted(data.notes, "valid: 1 label of y never occurs: b", "hold out more")


@pytest.mark.parametrize(
    ("name", "given", "likely"),
    [
        ("ID", {}, True),
        ("store", {}, True),
        ("patient_id", {}, True),
        ("row_id", {}, False),
        ("ID", {"id": "ID"}, False),
    ],
)
def test_an_id_column_under_another_name(tmp_path, name, given, likely):
    rows = [(k // 10, *pair) for k, pair in enumerate(SERIES)]
    notes = notes_of(tmp_path, rows, f"{name},a,b", inputs=["a"], target="b", **given)
    assert noted(notes, f"{name} looks like an id", f"set data.id: {name}") == likely


def test_numbers_as_many_as_steps_may_be_one_vector(tmp_path):
    rows = [{"x": [*SERIES[k], 0.5], "y": [*SERIES[k + 9], 0.25]} for k in range(8)]
    for per, likely in (("auto", True), ("step", False)):
        data = open_jsonl(tmp_path, rows, inputs=["x"], target={"column": "y", "per": per})
        assert data.schema.target.per == "step"
        assert noted(data.notes, "y: one value for each of the 3 steps", "set per: sequence") == likely


def test_tokens_nearly_all_of_which_differ(tmp_path):
    rows = [(f"user{k}", "ab"[k % 2]) for k in range(60)]
    assert noted(notes_of(tmp_path, rows, inputs=["a"], target="b"), "a: 60 of 60 tokens are different")
    rows = [(f"user{k % 30}", "ab"[k % 2]) for k in range(60)]
    assert notes_of(tmp_path, rows, inputs=["a"], target="b") == []


def test_documents_as_tokens(tmp_path):
    rows = [("a good film that I liked", "pos"), ("a dull film and far too long", "neg")] * 5
    notes = notes_of(tmp_path, rows, inputs=["a"], target="b")
    assert noted(notes, "each token is a text of several words", "unit: word", "data.table.row: sequence")


@pytest.mark.parametrize(
    ("given", "unit", "advice"),
    [({}, "char", True), ({"unit": "char"}, "char", False), ({"unit": "word"}, "word", False)],
)
def test_how_strings_are_cut_is_said(tmp_path, given, unit, advice):
    rows = [{"s": "What is it", "y": "a"}, {"s": "Who", "y": "b"}, {"s": "Why is it", "y": "b"}]
    data = open_jsonl(tmp_path, rows, inputs={"s": given}, target="y")
    assert noted(data.notes, f"s: strings are cut into {'characters' if unit == 'char' else 'words'} (unit: {unit})")
    assert noted(data.notes, "for words set unit: word in data.inputs.s") == advice


@pytest.mark.parametrize("scale", ["standard", "minmax"])
def test_inputs_at_prediction_far_outside_training(tmp_path, scale):
    rows = [{"x": [*map(list, SERIES[k : k + 5])], "w": [5.0, 6.0, 7.0, 8.0, 9.0], "y": "a"} for k in range(9)]
    schema = open_jsonl(tmp_path, rows, inputs=["x", "w"], target="y", scale=scale).schema
    counts = UnknownCounts()
    given = [{"x": rows[0]["x"], "w": rows[0]["w"]}, {"x": [[0, 0], [0, -5e3], [0, 400.0]], "w": [7, 7, 7]}]
    for sequence in raw_sequences(given, schema):
        encode(schema, sequence, unknown_counts=counts)
    (note,) = counts.notes("new.jsonl")
    column = np.array([pair for row in rows for pair in row["x"]])[:, 1]
    center, spread = (column.mean(), column.std()) if scale == "standard" else (column.min(), np.ptp(column))
    times = abs(-5e3 - center) / spread
    assert note.startswith("new.jsonl: x: 2 values far outside those of training, such as -5000 (")
    assert f"({times:,.0f} times the spread)" in note


def test_values_like_those_of_training_are_not_noted(tmp_path):
    rows = [{"x": [1.5, 2.5, 4.5], "y": "a"}, {"x": [3.5, 2.5], "y": "b"}]
    schema, counts = open_jsonl(tmp_path, rows, inputs=["x"], target="y").schema, UnknownCounts()
    for sequence in raw_sequences(rows, schema):
        encode(schema, sequence, unknown_counts=counts)
    assert counts.notes("new.jsonl") == []


SECONDS = [1.7e9 + k for k in range(300)]


@pytest.mark.parametrize(
    ("times", "given", "expected"),
    [
        (SECONDS, {"scale": "none"}, "300 different values become 3 in single precision, which has 7 digits"),
        (SECONDS, {"scale": "standard"}, None),
        (SECONDS, {"scale": "minmax"}, None),
        (SECONDS, {"scale": "none", "transform": {"a": "difference"}}, None),
        (SECONDS, {"scale": "series"}, None),
        ([*SECONDS[:-1], -1e17], {"scale": "standard"}, "300 different values become 2 in single precision"),
        ([k / 7 for k in range(300)], {"scale": "none"}, None),
        ([0.1 + 0.2, 0.3] * 150, {"scale": "none"}, None),
    ],
)
@pytest.mark.parametrize("role", ["input", "target"])
def test_numbers_that_single_precision_does_not_tell_apart(tmp_path, times, given, expected, role):
    draw = np.random.default_rng(3).normal(size=300)
    if role == "target" and (given["scale"] == "series" or "transform" in given):
        pytest.skip("only where the target is an input too")
    names = ("a", "b") if role == "input" else ("b", "a")
    target = {"column": names[1], "kind": "number"}
    options = {"inputs": [names[0]], "target": target, "valid": None, **given}
    notes = notes_of(tmp_path, [(repr(time), value) for time, value in zip(times, draw, strict=True)], **options)
    found = [note for note in notes if "single precision" in note]
    assert len(found) == (expected is not None)
    if expected is not None:
        assert found[0].startswith(f"train: a: {expected}")
        assert found[0].endswith("data.transform.a: difference, or precision: float64")
        assert ("data.scale: standard" in found[0]) == (given["scale"] == "none")


def test_double_precision_tells_them_apart(tmp_path):
    csv(tmp_path, [(repr(time), 0.5 * k) for k, time in enumerate(SECONDS)])
    config = data_config(tmp_path, {"precision": "float64"}, train="a.csv", inputs=["a"], target="b", scale="none")
    assert not any("precision" in note for note in open_data(config).notes)
