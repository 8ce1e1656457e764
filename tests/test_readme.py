"""What the README shows first works: the four lines, the two small files, the weights' layout is tested in docs."""

import json

import pytest

import lstm_cli
from lstm_cli.config.yaml_reader import read_yaml
from tests.support.pages import ROOT, blocks

README = ROOT / "README.md"
LINES = README.read_text(encoding="utf-8").splitlines()


def configs():
    return [read_yaml(block.text.encode()).value for block in blocks(README, "yaml")]


def files():
    """The two data files: name in the config after each, and content."""
    texts = [block.text for block in blocks(README, "text")]
    (jsonl,) = [text for text in texts if text.startswith('{"id"')]
    (csv,) = [text for text in texts if text.startswith("id,")]
    return jsonl, csv


def test_it_stays_short():
    assert len(LINES) <= 180


@pytest.mark.slow
def test_the_four_lines_train_well(tmp_path):
    """What the README says of them: how many of the test recordings are right."""
    first, *_ = configs()
    assert list(first) == ["data"]
    assert list(first["data"]) == ["train", "inputs", "target"]
    first["data"]["train"] = str(ROOT / first["data"]["train"])
    lstm_cli.train(first, run=tmp_path / "run", verbosity=-1)
    scores = lstm_cli.load(tmp_path / "run").evaluate(ROOT / "data/gestures/test.jsonl")
    assert scores["accuracy"] >= 0.92


@pytest.mark.parametrize("form", ["jsonl", "csv"])
def test_the_small_files_train_and_predict(tmp_path, form):
    """Both label whole sequences. A dozen copies, as two sequences cannot be split into three."""
    jsonl, csv = files()
    _, of_jsonl, of_csv = configs()
    if form == "jsonl":
        config = of_jsonl
        rows = [json.loads(line) for line in jsonl.splitlines()]
        text = "".join(json.dumps({**row, "id": f"{row['id']}-{k}"}) + "\n" for k in range(12) for row in rows)
    else:
        config = of_csv
        head, *body = csv.splitlines()
        rows = [line.partition(",") for line in body]
        text = "\n".join([head, *(f"{name}-{k},{rest}" for k in range(12) for name, _, rest in rows)]) + "\n"
    file = tmp_path / config["data"]["train"]
    file.write_text(text)
    config["data"]["train"] = str(file)
    lstm_cli.train(config, ["train.epochs=20"], run=tmp_path / "run", verbosity=-1)
    run = lstm_cli.load(tmp_path / "run")
    steps = {"a1": [[0.1, 20.5], [0.2, 20.4], [0.4, 20.1]], "a2": [[0.9, 31.0], [1.1, 32.5]]}
    columns = config["data"]["inputs"]
    given = [
        {"id": name, "x": x}
        if columns == ["x"]
        else {"id": name, **dict(zip(columns, zip(*x, strict=True), strict=True))}
        for name, x in steps.items()
    ]
    predictions = run.predict(
        [{key: list(v) if isinstance(v, tuple) else v for key, v in row.items()} for row in given]
    )
    assert predictions == [{"id": "a1", "prediction": "ok"}, {"id": "a2", "prediction": "hot"}]
