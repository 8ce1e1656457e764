"""Layers that do not fit the data are refused once it is read, with the sizes that would."""

import pytest

from lstm_cli.config import config_from_mapping
from lstm_cli.data import open_data
from lstm_cli.engine.agreement import check_agreement
from lstm_cli.errors import ConfigError
from tests.support.data import write_jsonl


@pytest.mark.parametrize(
    ("model", "inputs", "problem"),
    [
        ({"layers": [{"size": 4, "skip": True}]}, ["w"], "model.layers.0.skip: the layer outputs 4 numbers, but 3 "
         "enter it: give them one width, or leave it out"),
        ({"layers": [4], "tie_embeddings": True}, ["w"], "model.tie_embeddings: the last layer outputs 4 numbers, an "
         "embedding has 3: set model.embedding: 4, or the last of model.layers to 3"),
        ({"layers": [3], "tie_embeddings": True}, ["x"], "model.tie_embeddings: needs one input of tokens, the one "
         "that is predicted: set it to false"),
        ({"layers": [{"size": 3, "skip": True}, 3], "tie_embeddings": True}, ["w"], None),
    ],
)  # fmt: skip
def test_widths(tmp_path, model, inputs, problem):
    write_jsonl(tmp_path / "a.jsonl", [{"w": list("abc"), "x": [0.5, 1.5, 2.5]} for _ in range(4)])
    data = {"train": "a.jsonl", "inputs": inputs, "target": "next", "valid": None}
    config = config_from_mapping(
        {"data": data, "model": {"embedding": 3, **model}, "train": {"monitor": "train.loss"}}, tmp_path
    )
    schema = open_data(config).schema
    if problem is None:
        check_agreement(config, schema)
        return
    with pytest.raises(ConfigError) as caught:
        check_agreement(config, schema)
    assert str(caught.value) == problem
