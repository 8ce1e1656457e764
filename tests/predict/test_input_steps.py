"""`step` in predictions is the step of the input row, whatever rows are skipped or sorted."""

import json

import numpy as np
import pandas as pd
import pytest

import lstm_cli
from lstm_cli.predict.files import predict_run
from tests.support.kinds import MODEL, TRAIN

ROWS = 60


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Runs that copy the sign of x, one of them in the order of times that the file does not have."""
    folder = tmp_path_factory.mktemp("steps")
    table = pd.DataFrame({"x": np.where(np.arange(ROWS) % 3 == 0, 1.0, -1.0) + np.arange(ROWS) / 1000})
    table["tag"] = np.where(table.x > 0, "up", "down")
    table["time"] = np.random.default_rng(1).permutation(ROWS)
    table.to_csv(folder / "train.csv", index=False)
    data = {"train": str(folder / "train.csv"), "inputs": ["x"], "target": "tag", "valid": None, "on_error": "skip"}
    for name, more in {"rows": {}, "times": {"time": "time"}}.items():
        config = {"data": data | more, "model": MODEL, "train": TRAIN, "threads": 1}
        lstm_cli.train(config, run=folder / name, verbosity=-1)
    broken = table.astype({"x": object})
    broken.loc[[4, 17, 30], "x"] = "broken"
    broken.to_csv(folder / "new.csv", index=False)
    return folder, table


@pytest.mark.parametrize("run", ["rows", "times"])
def test_csv_joins_on_the_step_of_the_input_row(runs, run):
    folder, table = runs
    predict_run(folder / run, folder / "new.csv", out=folder / f"{run}.csv", keep=["x"])
    found = pd.read_csv(folder / f"{run}.csv").set_index("step")
    assert list(found.index) == [row for row in range(ROWS) if row not in (4, 17, 30)]
    np.testing.assert_allclose(found.x, table.x[found.index])
    if run == "times":
        np.testing.assert_array_equal(found.time, table.time[found.index])


@pytest.mark.parametrize("run", ["rows", "times"])
def test_jsonl_has_an_entry_per_input_row_and_null_for_skipped_ones(runs, run):
    folder, table = runs
    predict_run(folder / run, folder / "new.csv", out=folder / f"{run}.jsonl", keep=["x"])
    (line,) = (folder / f"{run}.jsonl").read_text().splitlines()
    row = json.loads(line)
    assert len(row["prediction"]) == ROWS
    assert [step for step, tag in enumerate(row["prediction"]) if tag is None] == [4, 17, 30]
    assert [float(x) for x in row["x"] if x is not None] == pytest.approx(table.x.drop([4, 17, 30]).tolist())
    assert row["x"][4] is None


def test_predictions_are_those_of_the_rows_in_the_order_of_their_times(runs):
    folder, table = runs
    ordered = table.sort_values("time")
    ordered.to_csv(folder / "ordered.csv", index=False)
    table.to_csv(folder / "whole.csv", index=False)
    for name in ("ordered", "whole"):
        predict_run(folder / "times", folder / f"{name}.csv", out=folder / f"{name}.out.csv", probabilities=True)
    straight, mixed = (pd.read_csv(folder / f"{name}.out.csv") for name in ("ordered", "whole"))
    joined = straight.merge(mixed, on="time")
    np.testing.assert_allclose(joined.p_up_x, joined.p_up_y, atol=1e-6)
    np.testing.assert_array_equal(mixed.time, table.time)
