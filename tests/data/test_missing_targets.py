"""Targets that do not count, as they are missing or their weight is 0: they fit nothing, whatever stands there."""

import numpy as np
import pandas as pd
import pytest

from lstm_cli.data import open_data
from lstm_cli.data.schema.storage import contents
from lstm_cli.errors import ConfigError, DataError
from tests.support.data import data_config, open_jsonl, write

SKIP = {"missing": {"target": "skip"}}
X = {"inputs": ["x"], "target": "y"}


def open_csv(folder, text, sections=None, **data):
    write(folder / "a.csv", text)
    return open_data(data_config(folder, sections, train="a.csv", **data))


def weights(data):
    return None if data.train.weight is None else data.train.weight.tolist()


# Missing targets.


def test_missing_numbers_do_not_count_and_do_not_scale(tmp_path):
    rng = np.random.default_rng(4)
    table = pd.DataFrame({"x": rng.normal(size=40), "y": rng.normal(50, 7, 40)})
    table.loc[rng.random(40) < 0.3, "y"] = np.nan
    data = open_csv(tmp_path, table.to_csv(index=False, na_rep="NA"), **X, **SKIP)
    assert weights(data) == table["y"].notna().astype(float).tolist()
    assert data.schema.target.scaling.center == pytest.approx(table["y"].mean())
    assert data.schema.target.scaling.spread == pytest.approx(table["y"].std(ddof=0))
    known = data.train.weight > 0
    expected = (table["y"] - table["y"].mean()) / table["y"].std(ddof=0)
    np.testing.assert_allclose(data.train.target[known, 0], expected[known], rtol=1e-5)
    assert f"train: target y: {(~known).sum()} of 40 values missing, which do not count" in data.notes


@pytest.mark.parametrize("cell", ["", "NA", "?", "null"])
def test_a_missing_label_is_no_class(tmp_path, cell):
    data = open_csv(tmp_path, f"x,y\n1,a\n2,{cell}\n3,b\n4,a\n", **X, **SKIP)
    assert data.schema.target.labels == ("a", "b")
    assert weights(data) == [1, 0, 1, 1]
    assert data.train.target[[0, 2, 3]].tolist() == [0, 1, 0]


def test_a_missing_set_does_not_count_and_an_empty_one_does(tmp_path):
    rows = [{"x": [1, 2, 3], "y": [["a"], None, []]}, {"x": [1, 2], "y": [["b", "a"], "NA"]}]
    data = open_jsonl(tmp_path, rows, inputs=["x"], target={"column": "y", "kind": "set", "per": "step"}, **SKIP)
    assert data.schema.target.labels == ("a", "b")
    assert weights(data) == [1, 0, 1, 1, 0]
    data = open_csv(
        tmp_path, "x,y\n1,a|b\n2,\n3,NA\n", inputs=["x"], target={"column": "y", "kind": "set", "per": "step"}, **SKIP
    )
    assert weights(data) == [1, 1, 0]


def test_a_vector_with_a_gap_does_not_count(tmp_path):
    rows = [{"x": [1, 2, 3], "y": [[1.5, 2], [None, 100], [3, 4]]}]
    data = open_jsonl(tmp_path, rows, **X, **SKIP)
    assert weights(data) == [1, 0, 1]
    assert data.schema.target.scaling.center.tolist() == [2.25, 3]


def test_a_step_counts_if_all_values_of_its_horizon_exist(tmp_path):
    rows = [{"x": [1, 2, 3, 4, 5, 6], "y": [1.5, 2.5, None, 4.5, 5.5, 6.5]}]
    data = open_jsonl(tmp_path, rows, inputs=["x"], target={"column": "y", "horizon": 2}, **SKIP)
    assert weights(data) == [0, 0, 1, 1, 0, 0]
    assert data.schema.target.scaling.center == pytest.approx(4.1)


@pytest.mark.parametrize("value", [None, "NA", "absent"])
@pytest.mark.parametrize(("kind", "given", "center"), [("category", ["a", "b"], None), ("number", [1.5, 4.5], 3)])
def test_a_sequence_without_target_does_not_count(tmp_path, value, kind, given, center):
    rows = [{"x": [1.0], "y": given[0]}, {"x": [5.0], "y": value}, {"x": [6.0], "y": given[1]}]
    if value == "absent":
        del rows[1]["y"]
    data = open_jsonl(tmp_path, rows, inputs=["x"], target={"column": "y", "kind": kind, "per": "sequence"}, **SKIP)
    assert weights(data) == [1, 0, 1]
    assert data.schema.scaling["x"].center == pytest.approx(4)  # its inputs count
    if center is None:
        assert data.schema.target.labels == ("a", "b")
    else:
        assert data.schema.target.scaling.center == pytest.approx(center)
    assert sorted(index for batch in data.batches["train"].epoch(0) for index in batch.sequences) == [0, 2]


def test_one_label_per_sequence_in_a_table_and_in_ts(tmp_path):
    data = open_csv(tmp_path, "id,x,y\np,1,a\np,2,a\nq,3,NA\nq,4,NA\nr,5,b\n", inputs=["x"],
                    target={"column": "y", "per": "sequence"}, **SKIP)  # fmt: skip
    assert weights(data) == [1, 0, 1]
    write(tmp_path / "a.ts", "@univariate true\n@classLabel true a b\n@data\n1,2:a\n3,4:?\n5,6:b\n")
    data = open_data(data_config(tmp_path, train="a.ts", target="label", **SKIP))
    assert weights(data) == [1, 0, 1]
    assert data.schema.target.labels == ("a", "b")


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("next", [1, 0, 1, 0, 0, 1]),
        ({"next": True, "ahead": 2}, [0, 1, 0, 0, 1]),
        ({"next": True, "horizon": 2}, [0, 0, 0, 0, 0]),
    ],
)
def test_a_step_whose_next_value_is_filled_does_not_count(tmp_path, target, expected):
    rows = [{"x": [1.5, 2.0, None, 4.0, None, None, 7.0]}]
    missing = {"fill": "previous", "target": "skip", "indicator": True}
    data = {"inputs": ["x"], "target": target, "missing": missing, "scale": "none"}
    if not any(expected):
        with pytest.raises(DataError, match="train has no step with a target that counts"):
            open_jsonl(tmp_path, rows, **data)
        return
    found = open_jsonl(tmp_path, rows, **data)
    assert weights(found) == expected
    counted = found.train.weight > 0
    truth = np.array([2, np.nan, 4, np.nan, np.nan, 7])[found.schema.target.ahead - 1 :]
    assert found.train.target.shape == (len(expected), 1)
    np.testing.assert_array_equal(found.train.target[counted, 0], truth[counted])


@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        (
            [1, 2, 3],
            [1.5, None, 2.5],
            "1: y: step 2: a number is missing: fill it in, or set data.missing.target: skip",
        ),
        ([1, 2, 3], ["a", "?", "b"], r"1: y: step 2: the label is missing \(\?\): fill it in, or set data.missing.tar"),
        ([1, 2, 3], [["a"], None, ["b"]], "1: y: step 2: the set is missing: fill it in, or set data.missing.target"),
        ([1, 2], [1.5, 2, 3], "1: y: 3 values for 2 steps of x"),
    ],
)
def test_stop_names_the_step_and_the_key(tmp_path, x, y, message):
    with pytest.raises(DataError, match=f"train.jsonl:{message}"):
        open_jsonl(
            tmp_path, [{"x": x, "y": y}, {"x": [1, 2, 3], "y": y}], inputs=["x"], target={"column": "y", "per": "step"}
        )


@pytest.mark.parametrize(("value", "what"), [(None, "the value is null"), ("NA", r"the label is missing \(NA\)")])
def test_stop_names_the_key_for_a_sequence(tmp_path, value, what):
    rows = [{"x": [1, 2], "y": "a"}, {"x": [1, 2], "y": value}]
    with pytest.raises(DataError, match=f"train.jsonl:2: y: {what}: fill it in, or set data.missing.target: skip"):
        open_jsonl(tmp_path, rows, **X)


def test_a_value_to_predict_is_not_filled_unasked(tmp_path):
    rows = [{"x": [None, 2.0, None, 4.0]}]
    with pytest.raises(
        DataError, match=r"train.jsonl:1: x: step 3: a number is missing, which is to be predicted: fill"
    ):
        open_jsonl(tmp_path, rows, inputs=["x"], target="next", missing={"fill": "mean"})
    data = open_jsonl(tmp_path, [{"x": [None, 2.5, 4.0]}], inputs=["x"], target="next", missing={"fill": "mean"})
    assert weights(data) is None  # no step predicts the first


def test_a_difference_from_a_filled_value_is_restored(tmp_path):
    """The truth at a step after a gap is the value itself, though its difference is from a filled one."""
    rows = [{"x": [10.0, 13.0, None, 19.0, 25.0]}]
    data = open_jsonl(
        tmp_path, rows, inputs=["x"], target="next", transform={"x": "difference"},
        missing={"fill": "previous", "target": "skip"},
    )  # fmt: skip
    (batch,) = data.batches["train"].epoch(0)
    np.testing.assert_allclose(np.sort(data.train.truth(batch).ravel()), [19, 25], rtol=1e-6)


# Steps of weight 0.

FILLERS = ["-999", "0", "?", "", "NA", "not known"]


def weighted(filler):
    """Rows in pairs, of which the first does not count."""
    values = [f"{k % 7}.5" for k in range(20)]
    return "x,y,w\n" + "".join(f"{k},{filler},0\n{k + 0.5},{value},1\n" for k, value in enumerate(values))


@pytest.mark.parametrize("filler", FILLERS)
@pytest.mark.parametrize(("ahead", "horizon"), [(0, 1), (2, 1)])
def test_a_filler_of_weight_zero_fits_nothing(tmp_path, filler, ahead, horizon):
    target = {"column": "y", "ahead": ahead, "horizon": horizon}
    loss = {"loss": {"weight": "w"}}
    one, other = (open_csv(tmp_path, weighted(value), loss, inputs=["x"], target=target) for value in ("1.5", filler))
    assert contents(one.schema) == contents(other.schema)
    counted = one.train.weight > 0
    assert (one.train.weight == other.train.weight).all()
    assert (one.train.target[counted] == other.train.target[counted]).all()
    assert np.isfinite(other.train.target).all()
    assert one.schema.target.scaling.center == pytest.approx(np.mean([k % 7 + 0.5 for k in range(ahead // 2, 20)]))


@pytest.mark.parametrize("filler", FILLERS)
def test_a_filler_of_weight_zero_is_no_class(tmp_path, filler):
    text = "x,y,w\n" + "".join(f"{k},{filler},0\n{k},{'ab'[k % 2]},1\n" for k in range(6))
    data = open_csv(tmp_path, text, {"loss": {"weight": "w"}}, **X)
    assert data.schema.target.labels == ("a", "b")
    assert data.notes == []


@pytest.mark.parametrize("filler", [-999.0, None, "?", "a", [1, 2]])
def test_what_is_outside_the_loss_window_fits_nothing(tmp_path, filler):
    rows = [{"x": [1, 2, 3, 4], "y": [filler, 1.5, 2.5, filler], "s": 1, "n": 2}]
    data = open_jsonl(tmp_path, rows, {"loss": {"start": "s", "length": "n"}}, **X)
    assert weights(data) == [0, 1, 1, 0]
    assert data.schema.target.scaling.center == pytest.approx(2)
    assert data.schema.target.scaling.spread == pytest.approx(0.5)


@pytest.mark.parametrize("filler", ["NA", "-1", "z"])
def test_a_sequence_of_weight_zero_fits_nothing(tmp_path, filler):
    text = f"id,x,y,w\np,1,a,1\nq,2,{filler},0\nq,3,{filler},0\nr,4,b,1\n"
    data = open_csv(tmp_path, text, {"loss": {"weight": "w"}}, inputs=["x"], target={"column": "y", "per": "sequence"})
    assert data.schema.target.labels == ("a", "b")
    assert weights(data) == [1, 0, 1]


def test_an_input_counts_at_every_step_even_if_it_is_the_target(tmp_path):
    text = "x,w\n" + "1.5,1\n2.5,1\n-999,0\n4.5,1\n"
    data = open_csv(tmp_path, text, {"loss": {"weight": "w"}}, inputs=["x"], target={"column": "x", "kind": "number"})
    values = np.array([1.5, 2.5, -999, 4.5])
    assert data.schema.scaling["x"].center == pytest.approx(values.mean())
    assert data.schema.target.scaling.center == pytest.approx(values.mean())


def test_labels_of_the_context_of_a_held_out_end_are_not_counted(tmp_path):
    """The context before the last two steps has labels that training saw, and they are not scored anew."""
    text = "x,y\n" + "".join(f"{k},{'ab'[k % 2]}\n" for k in range(8)) + "8,c\n9,a\n"
    data = open_csv(tmp_path, text, inputs=["x"], target="y", valid=2)
    notes = [note for note in data.notes if "never saw" in note]
    assert notes == ["valid: targets that training never saw, each an error: 1 of 2 (50.00%), such as 'c'"]


@pytest.mark.parametrize("cell", ["", "NA", "?"])
def test_a_missing_weight_is_an_error(tmp_path, cell):
    with pytest.raises(DataError, match=r"a.csv:3: w: the weight is missing.*: give 0 to leave a step out"):
        open_csv(tmp_path, f"x,y,w\n1,1.5,1\n2,2.5,{cell}\n", {"loss": {"weight": "w"}}, **X)


def test_a_system_has_no_missing_values(tmp_path):
    data = {"train": "a.jsonl", "inputs": ["s"], "target": "g"}
    rest = {"rollout": {"dynamics": "a.py:f", "steps": 3}, "model": {"output": {"size": 1}}}
    for missing, key in (({"fill": "mean"}, "fill"), ({"target": "skip"}, "target")):
        with pytest.raises(ConfigError, match=f"data.missing.{key}: a system's states are all observed: leave it out"):
            data_config(tmp_path, rest, **data, missing=missing)
