"""Each recipe of docs/data.md, as it stands: its files are written, its configs train for a moment and predict."""

import re
from pathlib import Path

import pytest

import lstm_cli
from lstm_cli.config.yaml_reader import read_yaml
from lstm_cli.predict import predict_run
from tests.support.data import read_jsonl, write
from tests.support.pages import ROOT, blocks

PAGE = ROOT / "docs/data.md"
TEXT = PAGE.read_text(encoding="utf-8")
BRIEFLY = ["train.epochs=1", "model.layers=[4]", "threads=1"]


def sections():
    """The headings of the recipes that have a config, and the blocks of each."""
    starts = [(match[1], TEXT.count("\n", 0, match.start())) for match in re.finditer(r"^## (.+)$", TEXT, re.M)]
    found = {title: [] for title, _ in starts}
    for block in blocks(PAGE):
        title = [title for title, line in starts if line < block.line][-1]
        found[title].append(block)
    return {title: parts for title, parts in found.items() if any(part.language == "yaml" for part in parts)}


RECIPES = sections()


def file_of(block):
    """The name on the line before a block of text."""
    lines = TEXT.splitlines()[: block.line - 1]
    (name,) = re.fullmatch(r"`([\w./]+)`:", next(line for line in reversed(lines) if line)).groups()
    return Path(name)


def test_every_recipe_is_in_the_table():
    shown = re.findall(r"\(#([\w-]+)\)", TEXT.partition("\n## ")[0])
    titles = re.findall(r"^## (.+)$", TEXT, re.M)
    assert sorted(shown) == sorted(title.lower().replace(" ", "-") for title in titles)


@pytest.mark.parametrize("title", RECIPES)
def test_a_recipe_trains_and_predicts(title, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    configs = []
    for block in RECIPES[title]:
        if block.language == "python":
            exec(compile(block.text, str(PAGE), "exec"), {})
        elif block.language == "text":
            file_of(block).parent.mkdir(exist_ok=True)
            write(file_of(block), block.text)
        elif not block.fragment:
            configs.append(read_yaml(block.text.encode()).value)
    assert configs
    for number, config in enumerate(configs):
        run = Path(f"run-{number}")
        lstm_cli.train(config, BRIEFLY, run=run, verbosity=-1)
        data = next(iter(sorted(Path().glob(config["data"]["train"]))))
        predict_run(run, data, out=Path("predictions.jsonl"))
        rows = read_jsonl(Path("predictions.jsonl"))
        assert rows and all("prediction" in row for row in rows)
        if config["data"].get("target") == "next":
            predict_run(run, data, out=Path("forecasts.jsonl"), steps=3)
            assert all(len(row["prediction"]) == 3 for row in read_jsonl(Path("forecasts.jsonl")))
