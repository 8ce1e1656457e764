"""The time of steps: how it is read, that it orders the rows of a series, and what is noted about it."""

from datetime import date, datetime

import numpy as np
import pandas as pd
import pytest

from lstm_cli.data import encode, open_data, raw_sequences, read_sequences
from lstm_cli.data.formats.cells import Cells
from lstm_cli.data.formats.raw import ValueProblem
from lstm_cli.data.schema.grid import following, grid_of
from lstm_cli.data.schema.times import infer_form, parse_times, written
from lstm_cli.errors import ConfigError, DataError
from tests.support.data import data_config, open_jsonl, write

GIVEN = {"inputs": ["x"], "target": "next", "time": "when", "scale": "none"}


def read_times(values):
    return parse_times(values, infer_form([values]))


@pytest.mark.parametrize(
    ("texts", "options"),
    [
        (["2020-01-31", "2020-02-29", "1999-12-31"], {}),
        (["2020-01-31 23:59:59", "2020-02-01T00:00:00"], {"format": "ISO8601"}),
        (["2020-01-31 23:59", "2020-02-01 00:00:01.250"], {"format": "ISO8601"}),
        (
            ["2020-01-31T12:00Z", "2020-01-31 12:00+0130", "2020-01-31T12:00:00-05:00"],
            {"format": "ISO8601", "utc": True},
        ),
        (["2020/1/31 5:07", "2020/2/1 15:07"], {"format": "%Y/%m/%d %H:%M"}),
        (["1949-01", "1949-02", "1950-12"], {"format": "%Y-%m"}),
        (["20200131", "20200229"], {"format": "%Y%m%d"}),
        (["31.01.2020", "1.2.2020"], {"format": "%d.%m.%Y"}),
        (["01.02.2020", "02.02.2020"], {"format": "%d.%m.%Y"}),
        (["16/12/2006 17:24:00", "01/02/2007 00:00:00"], {"format": "%d/%m/%Y %H:%M:%S"}),
        (["12/31/2006 5:07 PM", "1/2/2007 12:00 AM", "1/2/2007 12:30 pm"], {"format": "%m/%d/%Y %I:%M %p"}),
        (["10-31-2006", "01-02-2007"], {"format": "%m-%d-%Y"}),
    ],
)
def test_dates_are_those_of_pandas(texts, options):
    index = pd.DatetimeIndex(pd.to_datetime(pd.Series(texts), **options))
    expected = (index if index.tz is None else index.tz_convert(None)).to_numpy().astype("datetime64[ns]")
    for given in (texts, [f" {text} " for text in texts], Cells.of(texts), np.array(texts)):
        assert read_times(given).tolist() == expected.tolist()


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([1, 2.5, 7], [1, 2.5, 7]),
        (["2015", "2016"], [2015, 2016]),
        (np.array([3, 5]), [3, 5]),
        (Cells.of(["0.5", "1"]), [0.5, 1]),
        ([20200131, 20200229], ["2020-01-31", "2020-02-29"]),
        ([20200130, 20200230], [20200130, 20200230]),  # no date
        ([datetime(2020, 1, 31, 5, 7), datetime(2020, 2, 1)], ["2020-01-31 05:07", "2020-02-01 00:00"]),
        ([date(2020, 1, 31), date(2020, 2, 1)], ["2020-01-31", "2020-02-01"]),
        (np.array(["2020-01-31", "2020-02-01"], "datetime64[D]"), ["2020-01-31", "2020-02-01"]),
        (["10:00", "23:59:30"], ["1970-01-01 10:00:00", "1970-01-01 23:59:30"]),
    ],
)
def test_numbers_dates_and_times_of_day_from_every_format(values, expected):
    assert written(read_times(values)) == expected


@pytest.mark.parametrize(
    ("texts", "what"),
    [
        (["02/01/2020", "03/04/2020"], "'02/01/2020' and all others can be read with the day first and with the month"),
        (["soon", "later"], "expected dates of the years 1678 to 2261, times or numbers, got 'soon'"),
    ],
)
def test_a_form_that_is_not_clear_is_refused(texts, what):
    with pytest.raises(ValueProblem, match=what):
        infer_form([texts])


@pytest.mark.parametrize(
    ("form", "texts", "step", "what"),
    [
        ("ymd", ["2020-01-31", "2020-02-30"], 1, "expected a date such as 2020-01-31 .* got '2020-02-30'"),
        ("ymd", ["2020-01-31", ""], 1, "the time is missing"),
        ("ymd", ["2020-01-31 25:00"], 0, "got '2020-01-31 25:00'"),
        ("ymd", ["2020-01-31 10:00Z", "2020-01-31 11:00"], 1, "got '2020-01-31 11:00'"),
        ("dmy", ["31.12.2020", "12/31/2020"], 1, "expected a date such as 31.01.2020 .* got '12/31/2020'"),
        ("number", ["1", "x"], 1, "expected a number, got 'x'"),
        ("clock", ["10:00", "10:60"], 1, "expected a time such as 23:59:59, got '10:60'"),
    ],
)
def test_a_wrong_time_is_named_with_its_step(form, texts, step, what):
    with pytest.raises(ValueProblem, match=what) as found:
        parse_times(texts, form)
    assert found.value.step == step


def series(folder, times, **data):
    write(folder / "a.csv", "when,x\n" + "".join(f"{time},{n}.5\n" for n, time in enumerate(times)))
    return open_data(data_config(folder, train="a.csv", **{**GIVEN, **data}))


def hours(count, start="2015-02-02"):
    return [str(time) for time in pd.date_range(start, periods=count, freq="h")]


def test_rows_are_sorted_by_time_in_training_and_prediction(tmp_path):
    order = np.random.default_rng(0).permutation(30)
    times = hours(30)
    data = series(tmp_path, [times[place] for place in order])
    sequence = data.train[0]
    expected = np.argsort(order)
    assert sequence.numbers[:, 0].tolist() == [n + 0.5 for n in expected[:-1]]
    assert sequence.times.tolist() == pd.to_datetime(times[:-1]).to_numpy().astype("datetime64[ns]").tolist()
    moved = int((np.diff(order) < 0).sum())
    assert f"train: rows out of order in time, now sorted, of 1 ({moved})" in data.notes
    (again,) = read_sequences(tmp_path / "a.csv", data.schema)
    assert encode(data.schema, again).numbers[:, 0].tolist() == [n + 0.5 for n in expected]


def test_every_column_of_a_row_moves_with_it(tmp_path):
    rows = [(3, 1.5, "c", 0), (1, 2.5, "a", 1), (2, 3.5, "b", 1)]
    write(tmp_path / "a.csv", "when,x,y,w\n" + "".join(f"{t},{x},{y},{w}\n" for t, x, y, w in rows))
    given = data_config(tmp_path, {"loss": {"weight": "w"}}, train="a.csv", **{**GIVEN, "target": "y"})
    data = open_data(given)
    assert data.train.numbers[:, 0].tolist() == [2.5, 3.5, 1.5]
    assert data.train.weight.tolist() == [1, 1, 0]
    assert [data.schema.labels.names[index] for index in data.train.target[:2]] == ["a", "b"]


def test_every_series_of_a_panel_has_its_own_order(tmp_path):
    write(tmp_path / "a.csv", "id,when,x\nu,2,1.5\nv,1,2.5\nu,1,3.5\nv,2,4.5\nu,3,5.5\n")
    data = open_data(data_config(tmp_path, train="a.csv", **{**GIVEN, "target": "x"}))
    assert [sequence.numbers[:, 0].tolist() for sequence in data.train] == [[3.5, 1.5, 5.5], [2.5, 4.5]]


def test_times_in_lists_and_from_python(tmp_path):
    rows = [{"when": ["2020-01-02", "2020-01-01"], "x": [[1.5, 2], [3, 4]]}, {"when": ["2020-01-05"], "x": [[5, 6]]}]
    data = open_jsonl(tmp_path, rows, **{**GIVEN, "target": {"column": "x"}})
    assert data.train[0].numbers.tolist() == [[3, 4], [1.5, 2]]
    (raw,) = raw_sequences([rows[0]], data.schema)
    assert encode(data.schema, raw).numbers.tolist() == [[3, 4], [1.5, 2]]
    for unit in ("D", "s", "ns"):  # as the columns of a data frame are
        (raw,) = raw_sequences([{**rows[0], "when": np.array(rows[0]["when"], f"datetime64[{unit}]")}], data.schema)
        assert encode(data.schema, raw).numbers.tolist() == [[3, 4], [1.5, 2]]
    with pytest.raises(DataError, match="when: 1 time for 2 steps of x: give one per step"):
        open_jsonl(tmp_path, [{"when": ["2020-01-02"], "x": [1.5, 2]}], **GIVEN)


@pytest.mark.parametrize("form", ["parquet", "arrow"])
def test_time_stamps_of_columnar_files(tmp_path, form):
    from tests.support.columnar import WRITERS, pa

    times = pd.date_range("2015-02-02", periods=5, freq="h")
    for column in (pa.array(times[::-1]), pa.array(times[::-1].tz_localize("UTC"))):
        write(tmp_path / f"a.{form}", WRITERS[form]({"when": column, "x": [1.5, 2.5, 3.5, 4.5, 5.5]}))
        data = open_data(data_config(tmp_path, train=f"a.{form}", **GIVEN))
        assert data.train[0].numbers[:, 0].tolist() == [5.5, 4.5, 3.5, 2.5]
        assert data.train[0].times.tolist() == times[:4].to_numpy().astype("datetime64[ns]").tolist()


def test_two_rows_with_the_same_time_are_an_error_that_names_both(tmp_path):
    with pytest.raises(DataError, match=r"a.csv:4: when: 2015-02-02 again, as in .*a.csv:2: if several series are in "):
        series(tmp_path, ["2015-02-02", "2015-02-03", "2015-02-02"])
    data = series(tmp_path, [*hours(40), hours(1)[0]], on_error="skip")
    assert data.train.lengths.tolist() == [39]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"time": "then"}, "data.time: the data has no column then, only when, x"),
        ({"calendar": ["hour"]}, "data.calendar: needs dates, but when holds numbers: leave it out"),
    ],
)
def test_keys_that_do_not_fit_the_data(tmp_path, data, message):
    with pytest.raises(ConfigError, match=message):
        series(tmp_path, [1, 2, 3], **data)


def test_calendar_needs_time(tmp_path):
    with pytest.raises(ConfigError, match=r"data.calendar: needs data.time, the column of the dates"):
        data_config(tmp_path, train="a.csv", inputs=["x"], target="next", calendar="hour")


def test_gaps_are_noted_with_where_they_are(tmp_path):
    times = hours(60)
    del times[40:42], times[20], times[11:14]
    (note,) = [note for note in series(tmp_path, times).notes if "gap" in note]
    where = "1: 3 gaps, the first between 2015-02-02 10:00 and 2015-02-02 14:00, where the usual step is 1 hour"
    assert note == f"train: gaps in time: {where}"


def test_of_many_series_with_gaps_three_are_shown(tmp_path):
    lines = [f"s{k},{t},{t}.5\n" for k in range(5) for t in (1, 2, 3, 4, 6, 7)]
    write(tmp_path / "a.csv", "id,when,x\n" + "".join(lines))
    (note,) = [note for note in open_data(data_config(tmp_path, train="a.csv", **GIVEN)).notes if "gap" in note]
    assert note.startswith("train: gaps in time: 's0': 1 gap, between 4 and 6, where the usual step is 1; 's1'")
    assert note.endswith("and 2 more series")


def test_irregular_times_are_noted(tmp_path):
    times = pd.Timestamp("2020-01-01") + pd.to_timedelta(np.cumsum([0, 1, 7, 2, 40, 3, 90, 5]), "min")
    (note,) = [note for note in series(tmp_path, list(map(str, times))).notes if "irregular" in note]
    assert note.startswith("train: irregular times: 1 (steps of 1 min to 1.5 hours): the network sees steps")


@pytest.mark.parametrize("frequency", ["15min", "h", "D", "B", "W", "MS", "ME", "QS", "YS", "7s"])
def test_a_regular_series_has_no_gaps_and_continues_as_in_pandas(frequency):
    times = pd.date_range("2020-01-29 00:00", periods=30, freq=frequency)
    values = times.to_numpy().astype("datetime64[ns]")
    assert len(grid_of(values[:20]).gaps) == 0
    assert following(values[:20], 10).tolist() == values[20:].tolist()


@pytest.mark.parametrize(
    ("times", "expected"),
    [([1.0, 2, 3], [4, 5]), ([0.0, 0.1, 0.2, 0.4, 0.5], [0.6, 0.7]), ([0.0, 1, 5, 8], [11, 14])],
)
def test_numbers_continue_by_their_usual_step_or_else_the_median(times, expected):
    assert following(np.array(times), 2) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("times", "step"),
    [
        (pd.date_range("2020-01-01", periods=9, freq="h"), "1 hour"),
        (pd.date_range("2020-01-01", periods=9, freq="90min"), "1.5 hours"),
        (pd.date_range("2020-01-01", periods=9, freq="7D"), "7 days"),
        (pd.date_range("2020-01-01", periods=9, freq="MS"), "1 month"),
        (pd.date_range("2020-01-01", periods=9, freq="B"), "1 weekday"),
        (pd.date_range("2020-01-01", periods=9, freq="10s"), "10 s"),
    ],
)
def test_the_usual_step_in_words(times, step):
    assert grid_of(times.to_numpy().astype("datetime64[ns]")).text == step


@pytest.mark.parametrize("unit", ["D", "s", "ms", "us"])
def test_times_beyond_the_range_of_nanoseconds_are_refused(unit):
    """As numbers of nanoseconds they would become other times, without a word."""
    values = np.array(["2020-01-01", "9999-12-31", "NaT", "1500-01-01"], f"datetime64[{unit}]")
    with pytest.raises(ValueProblem, match=r"of the years 1678 to 2261, got '9999-12-31") as caught:
        read_times(values)
    assert caught.value.step == 1
    assert caught.value.steps.tolist() == [1, 2, 3]
    with pytest.raises(ValueProblem, match=r"of the years 1678 to 2261, got '9999-12-31'"):
        read_times(["2020-01-01", "9999-12-31"])
    with pytest.raises(ValueProblem, match=r"of the years 1678 to 2261, times or numbers, got '9999-12-31'"):
        read_times(["9999-12-31"])


def test_numbers_that_are_not_finite_are_no_times():
    with pytest.raises(ValueProblem, match="expected a number, got 'inf'"):
        read_times(["inf", "1", "2"])


@pytest.mark.parametrize("form", ["parquet", "arrow"])
def test_texts_with_a_time_each_are_steps_in_columnar_files(tmp_path, form):
    """Texts alone may be whole sequences."""
    from tests.support.columnar import WRITERS, pa

    when = pa.array([3, 1, 2], pa.timestamp("s"))
    write(tmp_path / f"a.{form}", WRITERS[form]({"w": ["c", "a", "b"], "y": [3.5, 1.5, 2.5], "when": when}))
    data = data_config(tmp_path, train=f"a.{form}", inputs=["w"], target="y", time="when", scale="none")
    (sequence,) = open_data(data).train
    assert sequence.target.ravel().tolist() == [1.5, 2.5, 3.5]
