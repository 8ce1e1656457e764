"""What several target columns exclude, key by key."""

import pytest

from lstm_cli.config import config_from_mapping
from lstm_cli.errors import ConfigError

SEVERAL = {"target": ["a", "b"]}


@pytest.mark.parametrize(("data", "sections", "problem"), [
    ({"target": {"columns": {"a": "number"}}}, {}, "one column only: write column: a"),
    ({"target": {"columns": ["a", "b"], "kind": "number"}}, {}, "data.target.kind: several columns have a kind each"),
    ({"target": {"columns": ["a", "b"], "horizon": 2}}, {}, "data.target.horizon: only for a single target column"),
    ({"target": {"columns": ["a", "b"], "column": "a"}}, {}, "give either a column, several columns, or next: true"),
    ({"target": ["a", "a"]}, {}, "a column is listed twice"),
    (SEVERAL, {"rollout": {"steps": 3}}, "rollout: a closed loop has one target"),
    (SEVERAL, {"model": {"output_activation": "relu"}}, "model.output_activation: several target columns have"),
    (SEVERAL | {"scale": "window", "window": 3}, {}, "data.scale: window: only for a single target column"),
    (SEVERAL | {"scale": "series", "inputs": ["b", "x"]}, {}, "data.scale: series: b is an input and one of several"),
    (SEVERAL | {"inputs": ["b"], "transform": {"b": "difference"}}, {}, "data.transform.b: differences of one"),
    (SEVERAL, {"loss": {"weights": {"c": 2}}}, r"loss.weights.c: no such target column"),
    (SEVERAL, {"loss": {"weights": {"a": 0, "b": 0}}}, "loss.weights: all are 0"),
    ({"target": "a"}, {"loss": {"weights": {"a": 2}}}, "loss.weights: only for several target columns"),
])  # fmt: skip
def test_what_excludes_several_target_columns_is_named(tmp_path, data, sections, problem):
    settings = {"data": {"train": "x.jsonl", "inputs": ["x"], **data}, **sections}
    with pytest.raises(ConfigError, match=problem):
        config_from_mapping(settings, tmp_path)


def test_one_column_in_a_list_is_that_column(tmp_path):
    target = config_from_mapping({"data": {"train": "x.jsonl", "inputs": ["x"], "target": ["a"]}}, tmp_path).data.target
    assert target is not None and (target.column, target.columns) == ("a", {})
