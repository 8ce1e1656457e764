"""Missing values: which cells they are, and what takes their place in inputs."""

import io

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from lstm_cli.data import encode, load_schema, open_data, raw_sequences
from lstm_cli.data.formats.missing import MissingValues
from lstm_cli.data.schema.filling import filled
from lstm_cli.errors import ConfigError, DataError
from tests.support.columnar import WRITERS, pa
from tests.support.data import data_config, open_jsonl, save_schema, write

FILLS = ["previous", "linear", "mean", "zero"]


def by_pandas(column, fill, mean):
    """A column of one sequence, filled as pandas does it; `mean` is that of train."""
    if fill == "previous":
        return column.ffill().fillna(mean)
    if fill == "linear":
        return column.interpolate(method="linear", limit_direction="both").fillna(mean)
    return column.fillna(mean if fill == "mean" else 0.0)


@pytest.mark.parametrize(
    "cell", [None, "", " ", "NA", "N/A", " NaN ", "nan", "null", "?", float("nan"), np.float32("nan")]
)
def test_what_is_missing_by_default(cell):
    assert MissingValues().is_missing(cell)


@pytest.mark.parametrize("cell", ["0", 0, 0.0, False, "na", "NULL", "none", "-", "inf", float("inf"), [], 10**400])
def test_what_is_not_missing_by_default(cell):
    assert not MissingValues().is_missing(cell)


def test_a_list_replaces_the_default_and_numbers_are_compared_as_numbers():
    missing = MissingValues((-200, "x", "-9"))
    found = [
        cell
        for cell in [-200, -200.0, "-200", "-200.0", "-2e2", "x ", "X", "", "NA", -9, "-9.0", None]
        if missing.is_missing(cell)
    ]
    assert found == [-200, -200.0, "-200", "-200.0", "-2e2", "x ", "", -9, "-9.0", None]
    np.testing.assert_array_equal(
        missing.blanked(np.array([[-200.0, 1], [np.nan, -9]])), [[np.nan, 1], [np.nan, np.nan]]
    )
    np.testing.assert_array_equal(missing.among(["-200", "1", ""]), [True, False, True])


COLUMNS = arrays(
    np.float64,
    st.tuples(st.integers(1, 20), st.integers(1, 3)),
    elements=st.one_of(st.just(np.nan), st.floats(-1e3, 1e3, width=32)),
)


@given(COLUMNS, st.sampled_from(FILLS))
def test_filled_values_are_those_of_pandas(values, fill):
    mean = np.arange(values.shape[1]) + 0.5
    expected = pd.DataFrame(values).apply(lambda column: by_pandas(column, fill, mean[column.name]))
    np.testing.assert_allclose(filled(values, fill, mean), expected.to_numpy(), rtol=1e-12, atol=1e-9)


def gappy(rng, steps=60, share=0.3):
    """Rows of two series with gaps, the second of which has no value of b and begins without one of a."""
    table = pd.DataFrame({"id": np.repeat(["p", "q"], steps), "a": rng.normal(5, 3, 2 * steps).round(3)})
    table["b"] = rng.normal(-2, 0.5, 2 * steps).round(3)
    table["y"] = rng.normal(size=2 * steps).round(3)
    table.loc[rng.random(2 * steps) < share, "a"] = np.nan
    table.loc[rng.random(2 * steps) < share, "b"] = np.nan
    table.loc[steps : steps + 2, "a"] = np.nan
    table.loc[steps:, "b"] = np.nan
    return table


def as_csv(table):
    return table.to_csv(index=False, na_rep="NA")


def as_jsonl(table):
    rows = [{"id": name, **{c: part[c].tolist() for c in "aby"}} for name, part in table.groupby("id")]
    return pd.Series(rows).to_json(orient="records", lines=True).replace("NaN", "null")


def as_npz(table):
    buffer = io.BytesIO()
    np.savez(buffer, **{c: table[c].to_numpy().reshape(2, -1) for c in "aby"})
    return buffer.getvalue()


def as_lists(form):
    def write_table(table):
        return WRITERS[form]({c: [part[c].tolist() for _, part in table.groupby("id")] for c in "aby"})

    return write_table


FORMATS = {"csv": as_csv, "jsonl": as_jsonl, "npz": as_npz, **{form: as_lists(form) for form in WRITERS}}


def expected_inputs(table, fill):
    """The scaled columns and the indicators of all sequences: scaled by what is there, then filled."""
    means, spreads = table[["a", "b"]].mean(), table[["a", "b"]].std(ddof=0)
    parts = [
        part[["a", "b"]].apply(lambda column: by_pandas(column, fill, means[column.name]))
        for _, part in table.groupby("id")
    ]
    return np.column_stack([(pd.concat(parts) - means) / spreads, table[["a", "b"]].isna()])


@pytest.mark.parametrize("form", FORMATS)
def test_gaps_are_filled_before_scaling_and_told_by_indicators_in_every_format(tmp_path, form):
    table = gappy(np.random.default_rng(1))
    write(tmp_path / f"a.{form}", FORMATS[form](table))
    missing = {"fill": "linear", "indicator": True}
    data = open_data(data_config(tmp_path, train=f"a.{form}", inputs=["a", "b"], target="y", missing=missing))
    assert data.schema.numeric_size == 4
    np.testing.assert_allclose(data.train.numbers, expected_inputs(table, "linear"), rtol=1e-5, atol=1e-5)
    counts = table.isna().sum()
    assert [note for note in data.notes if "missing" in note] == [
        f"train: {name}: {counts[name]} of 120 values missing, filled by linear" for name in "ab"
    ]


@pytest.mark.parametrize("form", WRITERS)
@pytest.mark.parametrize("values", [["NA"], [-200]])
def test_nulls_and_nan_of_a_table_are_missing_whatever_is_listed(tmp_path, form, values):
    columns = {"x": pa.array([1.5, None, 3.5, float("nan")]), "y": pa.array([0.5, 1.5, None, 7.25])}
    write(tmp_path / f"a.{form}", WRITERS[form](columns))
    missing = {"fill": "linear", "target": "skip", "values": values}
    data = open_data(data_config(tmp_path, train=f"a.{form}", inputs=["x"], target="y", scale="none", missing=missing))
    assert data.train.numbers.ravel().tolist() == [1.5, 2.5, 3.5, 3.5]
    assert data.train.weight.tolist() == [1, 1, 0, 1]


@pytest.mark.parametrize("fill", FILLS)
def test_every_fill_with_what_was_fitted_in_training(tmp_path, fill):
    """At prediction the same numbers: means and scaling are those of train, whatever the file holds."""
    table = gappy(np.random.default_rng(2))
    write(tmp_path / "a.csv", as_csv(table))
    data = open_data(data_config(tmp_path, train="a.csv", inputs=["a", "b"], target="y", missing={"fill": fill}))
    np.testing.assert_allclose(data.train.numbers, expected_inputs(table, fill)[:, :2], rtol=1e-5, atol=1e-5)
    save_schema(data.schema, tmp_path)
    schema = load_schema(tmp_path)
    given = [{"a": [None, 1.0, None, 4.0], "b": [None] * 4}]
    (encoded,) = (encode(schema, sequence) for sequence in raw_sequences(given, schema))
    means, spreads = table[["a", "b"]].mean(), table[["a", "b"]].std(ddof=0)
    part = pd.DataFrame(given[0], dtype=np.float64).apply(lambda c: by_pandas(c, fill, means[c.name]))
    np.testing.assert_allclose(encoded.numbers, (part - means) / spreads, rtol=1e-5, atol=1e-5)


def test_columns_are_filled_each_in_its_way(tmp_path):
    rows = [{"x": [1.0, None, 3.0, 8.0], "z": [None, 2.0, 4.0, 6.0], "y": [0, 1, 0, 1]}]
    data = open_jsonl(
        tmp_path, rows, inputs=["x", "z"], target="y", scale="none", missing={"fill": {"x": "zero", "z": "mean"}}
    )
    np.testing.assert_array_equal(data.train.numbers, [[1, 4], [0, 2], [3, 4], [8, 6]])
    assert list(data.schema.means) == ["x", "z"]


def test_one_number_of_a_vector_may_be_missing_and_a_whole_step(tmp_path):
    rows = [{"x": [[1.0, None], [2.0, 10.0], None, [5.0, 40.0]], "y": "a"}, {"x": [[0.0, 0.0]], "y": "b"}]
    missing = {"fill": "linear", "indicator": True}
    data = open_jsonl(tmp_path, rows, inputs=["x"], target="y", scale="none", missing=missing)
    assert data.train[0].numbers.tolist() == [[1, 10, 0, 1], [2, 10, 0, 0], [3.5, 25, 1, 1], [5, 40, 0, 0]]


def test_the_held_out_end_of_a_series_is_filled_from_its_own_part(tmp_path):
    """Train ends in a gap that the next part would end, and the test part begins in it."""
    values = ["1", "2", "3", "4", "NA", "NA", "7", "8"]
    write(tmp_path / "a.csv", "x,y\n" + "".join(f"{value},{k}.5\n" for k, value in enumerate(values)))
    data = {"train": "a.csv", "inputs": ["x"], "target": "y", "scale": "none", "missing": {"fill": "linear"}}
    found = open_data(data_config(tmp_path, valid=3, **data))
    assert found.train.numbers.ravel().tolist() == [1, 2, 3, 4, 4]
    assert found.valid.numbers.ravel().tolist() == [1, 2, 3, 4, 5, 6, 7, 8]
    found = open_data(data_config(tmp_path, valid=3, window=1, **data))
    assert found.valid.numbers.ravel().tolist() == [7, 7, 7, 8]
    expected = [
        "train: x: 1 of 5 values missing, filled by linear",
        "valid: x: 1 of 3 values missing, filled by linear",
    ]
    assert [note for note in found.notes if "missing" in note] == expected


def test_a_series_is_scaled_by_the_values_that_it_has(tmp_path):
    """A gap is filled afterwards; a series without a value is scaled, and filled, by those of train."""
    rows = [{"x": [1.0, None, 3.0, 5.0], "y": [0, 1, 0, 1]}, {"x": [None, None], "y": [0, 1]}]
    data = open_jsonl(tmp_path, rows, inputs=["x"], target="y", scale="series", missing={"fill": "linear"})
    spread = np.std([1, 3, 5])
    np.testing.assert_allclose(data.train.numbers.ravel(), [-2 / spread, -1 / spread, 0, 2 / spread, 0, 0], atol=1e-6)


def test_a_static_input_may_be_missing(tmp_path):
    rows = [{"x": [1.0, 2.0, 3.0], "age": age, "y": "ab"[k]} for k, age in enumerate([30, None])]
    data = {"inputs": {"x": {}, "age": {"static": True}}, "target": "y", "scale": "none"}
    found = open_jsonl(tmp_path, [*rows, rows[0] | {"age": 50}], missing={"fill": "mean", "indicator": True}, **data)
    assert [found.train[k].numbers[:, 1:].tolist() for k in range(3)] == [
        [[30, 0, 0]] * 3, [[40, 0, 1]] * 3, [[50, 0, 0]] * 3,
    ]  # fmt: skip
    with pytest.raises(
        DataError, match=r"train.jsonl:2: age: the value is null: fill it in, or say how with data.missing"
    ):
        open_jsonl(tmp_path, rows, **data)


def test_transforms_see_filled_values(tmp_path):
    rows = [{"x": [1.0, None, 4.0, 16.0]}]
    data = open_jsonl(
        tmp_path, rows, inputs=["x"], target={"next": True}, scale="none",
        missing={"fill": "previous", "target": "skip"}, transform={"x": ["log", "difference"]},
    )  # fmt: skip
    np.testing.assert_allclose(data.train.numbers.ravel(), [0, np.log(4)], rtol=1e-6)


def test_numbers_may_be_listed_as_missing(tmp_path):
    write(tmp_path / "a.csv", "x,y\n1,2.5\n-200,3.5\n-200.0,-200\n4,-200.00\n")
    missing = {"values": [-200], "fill": "linear", "target": "skip"}
    data = open_data(data_config(tmp_path, train="a.csv", inputs=["x"], target="y", scale="none", missing=missing))
    assert data.train.numbers.ravel().tolist() == [1, 2, 3, 4]
    assert data.train.weight.tolist() == [1, 1, 0, 0]
    write(tmp_path / "b.csv", "x,y\n1,2.5\nNA,3.5\n")
    with pytest.raises(DataError, match=r"b.csv:3: x: 'NA' is not a number"):
        open_data(data_config(tmp_path, train="b.csv", inputs={"x": "number"}, target="y", missing=missing))


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ("NA", r"a.csv:3: x: a number is missing \(NA\): fill it in, or say how with data.missing.fill$"),
        ("", r"a.csv:3: x: a number is missing: fill it in, or say how with data.missing.fill$"),
        ("?", r"a.csv:3: x: a number is missing \(\?\): fill it in, or say how"),
        ("inf", "a.csv:3: x: inf is not a finite number"),
        ("abc", "a.csv:3: x: 'abc' is not a number"),
    ],
)
def test_stop_names_line_column_and_key(tmp_path, cell, message):
    write(tmp_path / "a.csv", f"x,y\n1.5,1\n{cell},0\n2.5,1\n")
    with pytest.raises(DataError, match=message):
        open_data(data_config(tmp_path, train="a.csv", inputs=["x"], target="y"))


def test_a_column_without_any_value_in_train_cannot_be_filled(tmp_path):
    rows = [{"x": [[1.0, None], [2.0, None]], "y": "a"}, {"x": [[1.0, None]], "y": "b"}]
    with pytest.raises(DataError, match="column x: every value in train is missing, so that none can be filled: leave"):
        open_jsonl(tmp_path, rows, inputs={"x": "number"}, target="y", missing={"fill": "zero"})


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"missing": {"fill": {"tmp": "mean"}}}, r"data.missing.fill.tmp: no such input \(did you mean temp\?\)"),
        ({"missing": {"fill": {"w": "mean"}}}, "data.missing.fill.w: for numbers, but w holds tokens: leave it out"),
        ({"missing": {"indicator": True}}, "data.missing.indicator: needs data.missing.fill, which says how"),
        (
            {"missing": {"fill": "linear"}, "target": {"column": "y", "ahead": 1}},
            "data.missing.fill: linear looks ahead, and a forecast begins at every step: use previous",
        ),
        (
            {"missing": {"fill": {"temp": "linear"}}, "target": "next", "inputs": ["temp"]},
            "data.missing.fill.temp: linear looks ahead, .* use previous",
        ),
        (
            {"missing": {"fill": "zero"}, "transform": {"temp": "log"}},
            r"data.missing.fill: zero has no logarithm \(data.transform.temp\): use mean",
        ),
    ],
)
def test_what_cannot_be_filled_so_is_refused(tmp_path, data, message):
    write(tmp_path / "a.csv", "temp,w,y\n1.5,p,1\n2.5,q,0\n")
    with pytest.raises(ConfigError, match=message):
        open_data(data_config(tmp_path, **{"train": "a.csv", "inputs": ["temp", "w"], "target": "y", **data}))


def test_the_own_input_of_a_format_is_known_from_the_data(tmp_path):
    write(tmp_path / "a.ts", "@univariate true\n@classLabel true a b\n@data\n1,?,3:a\n?,5,6:b\n")
    with pytest.raises(ConfigError, match=r"data.missing.fill.z: no such input, expected one of x$"):
        open_data(data_config(tmp_path, train="a.ts", target="label", missing={"fill": {"z": "mean"}}))
    data = open_data(data_config(tmp_path, train="a.ts", target="label", scale="none", missing={"fill": "linear"}))
    assert data.train.numbers.ravel().tolist() == [1, 2, 3, 5, 5, 6]


def test_rows_with_gaps_can_be_left_out_instead(tmp_path):
    write(tmp_path / "a.csv", "x,y\n" + "".join(f"{'NA' if k == 3 else k},{k}.5\n" for k in range(20)))
    data = open_data(data_config(tmp_path, train="a.csv", inputs=["x"], target="y", scale="none", on_error="skip"))
    assert data.train.numbers.ravel().tolist() == [k for k in range(20) if k != 3]
    assert sum("a.csv:5: x: a number is missing (NA)" in note for note in data.notes) == 1
