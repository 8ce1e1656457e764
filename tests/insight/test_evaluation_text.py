"""Evaluations as tables: no wider than a terminal, and what is left out is said."""

import re

import pytest

from lstm_cli.insight.evaluation import Evaluation
from lstm_cli.insight.evaluation_text import evaluation_text
from lstm_cli.insight.tables import aligned, cut, end_of, figure, width_of

CLASS = {"precision": 0.5, "recall": 0.25, "f1": 1 / 3, "support": 12}


def labelled(names, *, unknown=False):
    size = len(names)
    counts = [[1000 if k == j else k + j for j in range(size)] for k in range(size)]
    pairs = [(names[-1], names[0], 9), (None, names[1], 3)]
    return Evaluation(
        "test.csv", 20, 500, {"loss": 0.25, "accuracy": 0.95},
        intervals={"accuracy": (0.9, 1.0)},
        baselines={"majority": {"accuracy": 0.45}}, titles={"majority": 'always "normal"'},
        skill={"majority": {"accuracy": 0.909}},
        classes=dict.fromkeys(names, CLASS),
        confusion={"labels": names, "counts": counts} | ({"unknown": [7] * size} if unknown else {}),
        confused=[{"truth": truth, "predicted": other, "count": count} for truth, other, count in pairs],
    )  # fmt: skip


def test_the_sketch():
    assert (
        evaluation_text(labelled(["bearing", "imbalance", "normal"], unknown=True))
        == """\
test.csv: 20 sequences, 500 predictions

            score   95 % interval  always "normal"  skill
  loss      0.250
  accuracy  0.950  0.900 to 1.000            0.450  0.909

                precision  recall    F1   n | bearing imbalance normal
  bearing            0.50    0.25  0.33  12 |   1,000         1      2
  imbalance          0.50    0.25  0.33  12 |       1     1,000      3
  normal             0.50    0.25  0.33  12 |       2         3  1,000
  (never seen)                           21 |       7         7      7

Most often confused: normal taken for bearing, 9;
  (never seen) taken for imbalance, 3"""
    )


def test_columns_steps_ahead_and_groups():
    found = Evaluation(
        "a.csv", 2, 30, {"loss": 0.1, "r2": 0.5, "rmse.load": 1.0, "rmse.wind": 2.0},
        columns={"load": {"rmse": 1.0, "mae": 0.75, "r2": 0.5, "bias": 0.25, "deviation": 4.0},
                 "wind": {"rmse": 2.0, "mae": 1.5, "r2": 0.25, "bias": -0.5, "deviation": 3.0}},
        horizons={"model": {"mae.load": [0.25, 0.5], "mae.wind": [1.25, 1.5]}, "none": {"rmse.load": [0.5, 0.5]},
                  "last": {"mae.load": [0.75, 1.0], "mae.wind": [2.25, 2.5]}},
        titles={"last": "the last value"}, baselines={"last": {"r2": 0.1}}, skill={"last": {"r2": 0.25}},
        by="store", groups={"north": {"sequences": 1, "positions": 20, "metrics": {"r2": 0.5}},
                            "south": {"sequences": 1, "positions": 10, "metrics": {"r2": 0.25}}},
    )  # fmt: skip
    assert (
        evaluation_text(found)
        == """\
a.csv: 2 sequences, 30 predictions

        score  the last value  skill
  loss  0.100
  R²    0.500           0.100  0.250

  column   RMSE    MAE     R²    bias  deviation
  load    1.000  0.750  0.500   0.250      4.000
  wind    2.000  1.500  0.250  -0.500      3.000

  MAE of load by steps ahead      1      2
  the model                   0.250  0.500
  the last value              0.750  1.000

  store  sequences  positions     R²
  north          1         20  0.500
  south          1         10  0.250"""
    )


@pytest.mark.parametrize("width", [80, 60, 40])
@pytest.mark.parametrize("name", ["label number {}", "a very long name of a label, number {}"])
def test_labels_that_were_confused_are_told_apart(name, width):
    names = [name.format(k) for k in range(30, 40)]
    text = evaluation_text(labelled(names), width)
    (line,) = [line for line in text.split("\n") if line.endswith(", 9") or line.endswith(", 9;")]
    truth, predicted = line.removeprefix("Most often confused:").strip().split(" taken for ")
    assert truth != predicted.partition(",")[0]
    assert truth.endswith("39")
    assert predicted.removesuffix(";").endswith("30, 9")
    assert max(map(width_of, text.split("\n")[-3:])) <= width


@pytest.mark.parametrize("count", [2, 9, 17, 60])
@pytest.mark.parametrize("name", ["l{}", "label number {}", "レーベル{}", "a\nb\x1b{}"])
@pytest.mark.parametrize("width", [80, 60])
def test_many_labels_fit(count, name, width):
    found = labelled([name.format(k) for k in range(count)])
    lines = evaluation_text(found, width).split("\n")
    assert max(map(width_of, lines)) <= width
    assert all(line.isprintable() for line in lines)
    text = " ".join(" ".join(lines).split())
    if count == 60:
        assert "the 40 most frequent of 60 labels; --json has all" in text
    if count > 9:
        assert re.search(
            rf"(labels confused most, of|no room for the confusions of) {count} labels; --json has all", text
        )


def test_many_groups_and_columns_are_cut_and_counted():
    part = {"sequences": 1, "positions": 3, "metrics": {"rmse": 1.0, "mae": 12345.678, "r2": -0.00001}}
    found = Evaluation(
        "x" * 200, 1, 3, {"loss": 0.1, "r2": 0.5, **{f"rmse.c{k}": 1.0 for k in range(50)}},
        columns={f"c{k}": {"rmse": 1.0, "mae": 2.0, "r2": 0.1, "bias": 1e-9, "deviation": 3e7} for k in range(50)},
        horizons={"model": {"mae": [0.1] * 500, "rmse": [0.2] * 500}, "last": {"mae": [0.2] * 500}},
        titles={"last": "the last value"}, baselines={"last": {"r2": 0.1}}, skill={"last": {"r2": float("nan")}},
        by="store", groups={f"store {k}": part for k in range(40)},
    )  # fmt: skip
    text = evaluation_text(found)
    assert max(map(len, text.splitlines())) <= 80
    assert "and 20 columns more: --json shows all" in text
    assert "and 10 groups more: --json shows all" in text
    assert text.startswith("…")
    assert "MAE by steps ahead" in text
    (steps,) = [line.split() for line in text.splitlines() if "by steps ahead" in line]
    assert steps[4:6] == ["1", "2"]
    assert steps[-1] == "500"


def test_cells_are_aligned_by_what_terminals_show():
    assert aligned([["a", "1"], ["日本", "22", "x"]]) == ["  a      1", "  日本  22  x"]
    assert (cut("日本語です", 5), cut("abc", 3), cut("abcd", 3), cut("abcd", 3, end="")) == (
        "日本…",
        "abc",
        "ab…",
        "abc",
    )
    assert end_of("/a/long/path", 6) == "…/path"


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.12345, "0.123"), (12.3456, "12.35"), (114.0, "114.0"), (12345.6, "12,346"), (-0.0000123, "-1.23e-05"),
     (0.0, "0.000"), (None, "-"), (float("nan"), "-"), (1234567.0, "1.23e+06"), (float("inf"), "inf")],
)  # fmt: skip
def test_figures(value, text):
    assert figure(value) == text
