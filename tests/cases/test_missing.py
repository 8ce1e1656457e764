"""Missing values: which cells they are, how they are filled, and steps that do not count."""

import json

import numpy as np
import pytest

from tests.support.cases import Case, npz, parquet, table

BLANK = {"a.csv": table("d,v,w", "1.5,10.5,3.5", "2.5,,3.1", "3.5,10.9,3.3")}
V_TO_W = {"inputs": ["v"], "target": "w"}
SENSOR = {"a.csv": table("x,y", "1.5,0.1", "-200,0.2", "2.5,0.3", "-200.0,0.4", "-200,0.5", "5.5,0.6")}
X_TO_Y = {"inputs": ["x"], "target": "y"}
LEADING = {"a.csv": table("x,y", "?,0.1", "2.5,0.2", "null,0.3", "3.5,0.4")}
FILLER = {
    "a.csv": table(
        "id,x,y,w",
        *(
            f"{s},{(s * 7 + t) % 5 / 4},{-999 if t < 2 else (s + t) / 8},{int(t == 2)}"
            for s in range(8)
            for t in range(3)
        ),
    )
}
WEIGHTED = {"loss": {"weight": "w"}}
QUESTION = {"a.csv": table("x,y,w", "0.5,?,0", "1.5,yes,1", "2.5,?,0", "3.5,no,1")}
EMPTY = {"a.csv": table("x,y,w", "0.5,,0", "1.5,0.25,1", "2.5,,0", "3.5,0.75,1")}
NULLS = {"a.jsonl": json.dumps({"x": [0.5, None, 1.5], "y": "a"}) + "\n" + '{"x": [NaN, 2.5], "y": "b"}\n'}
NANS = {"a.npz": npz(x=np.array([[[0.5], [np.nan], [1.5]], [[3.5], [2.5], [np.nan]]]), y=np.array(["a", "b"]))}
LISTS = {"a.parquet": parquet({"x": [[0.5, None, 1.5], [float("nan"), 2.5]], "y": ["a", "b"]})}
TS = {"a.ts": table("@problemName P", "@missing true", "@classLabel true a b", "@data", "1,?,3:a", "?,5,6:b")}
WINDOW = {"a.jsonl": "".join(json.dumps({"x": [k, 1.5, 2.5], "y": [-999, k, 0.5], "from": 1}) + "\n" for k in range(9))}

CASES = {
    "a blank cell": Case(BLANK, V_TO_W, refused=r":3: .*v.*data\.missing\.fill"),
    "a blank cell drops its line": Case(
        BLANK, {**V_TO_W, "on_error": "skip"}, numbers=[[10.5], [10.9]], targets=[3.5, 3.3], notes=["1 of 3 rows"]
    ),
    "minus 200": Case(
        SENSOR,
        {**X_TO_Y, "missing": {"values": [-200], "fill": "linear"}},
        numbers=[[1.5], [2.0], [2.5], [3.5], [4.5], [5.5]],
        notes=["x.*3"],
    ),
    "a line across the origin of a forecast": Case(
        SENSOR,
        {"inputs": ["x"], "target": "next", "missing": {"fill": "linear"}},
        refused=r"missing\.fill.*looks ahead",
    ),
    "the previous value, and an indicator": Case(
        LEADING,
        {**X_TO_Y, "missing": {"fill": "previous", "indicator": True}},
        numbers=[[3, 1], [2.5, 0], [2.5, 1], [3.5, 0]],  # what leads is the mean of train
    ),
    "the mean": Case(LEADING, {**X_TO_Y, "missing": {"fill": "mean"}}, numbers=[[3], [2.5], [3], [3.5]]),
    "zero, by column": Case(LEADING, {**X_TO_Y, "missing": {"fill": {"x": "zero"}}}, numbers=[[0], [2.5], [0], [3.5]]),
    "a question mark at weight 0 is no class": Case(
        QUESTION, X_TO_Y, WEIGHTED, labels=["no", "yes"], targets=["", "yes", "", "no"], counted=[0, 1, 0, 1]
    ),
    "a blank target at weight 0": Case(
        EMPTY, X_TO_Y, WEIGHTED, target=("number", "step"), targets=[0, 0.25, 0, 0.75], counted=[0, 1, 0, 1]
    ),
    "null and NaN in jsonl": Case(
        NULLS, {**X_TO_Y, "missing": {"fill": "linear"}}, numbers=[[0.5], [1.0], [1.5], [2.5], [2.5]]
    ),
    "null in jsonl is refused": Case(NULLS, X_TO_Y, refused=r"a\.jsonl:1.*x.*data\.missing\.fill"),
    "NaN in npz": Case(NANS, {**X_TO_Y, "missing": {"fill": "zero"}}, numbers=[[0.5], [0], [1.5], [3.5], [2.5], [0]]),
    "null and NaN in parquet": Case(
        LISTS, {**X_TO_Y, "missing": {"fill": "previous"}}, numbers=[[0.5], [0.5], [1.5], [1.5], [2.5]]
    ),
    "question marks in ts": Case(
        TS,
        {"inputs": ["x"], "target": "label", "missing": {"fill": "mean"}},
        numbers=[[1], [3.75], [3], [3.75], [5], [6]],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_case(name, tmp_path):
    CASES[name].run(tmp_path)


@pytest.mark.parametrize(
    ("files", "sections", "counts"),
    [(FILLER, WEIGHTED, [0, 0, 1] * 8), (WINDOW, {"loss": {"start": "from"}}, [0, 1, 1] * 9)],
    ids=["weight 0", "outside start and length"],
)
def test_what_does_not_count_fits_nothing(files, sections, counts, tmp_path):
    """The target's scaling is that of the steps that count: mean 0 and deviation 1 of them, whatever the filler is."""
    target = {"column": "y", "kind": "number", "per": "step"}
    data = Case(files, {"inputs": ["x"], "target": target, "scale": "standard"}, sections)._open(tmp_path).train
    values = data.target[np.array(counts) > 0]
    assert data.weight is not None and ((data.weight > 0) == counts).all()
    np.testing.assert_allclose([values.mean(), values.std()], [0, 1], atol=1e-5)
