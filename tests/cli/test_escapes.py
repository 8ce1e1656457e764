"""Names from files and command lines reach the terminal and the log with their control characters escaped."""

import json

import pytest

from lstm_cli.cli.group import main

#: Colours the terminal, breaks the line, rings, deletes backwards, turns the direction of writing.
ODD = "\x1b[31m\nfake: line\r\x07\x9b2J\u202e\u2028"


def named(name):
    return f"{name}{ODD}"


X, W, Y, ID = named("x"), named("w"), named("y"), named("id")


def rows(count=12):
    for k in range(count):
        x = [[0.5 * k, 1.0], [float(k % 2), 1.0]]
        yield {ID: named(f"s{k}"), X: x, W: [named("a"), named(f"b{k}")], Y: named("pq"[k % 2]), named("c"): 1}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("odd") / f"f{ODD}".replace("/", "")
    folder.mkdir()
    lines = [json.dumps(row) for row in rows()]
    (folder / named("d.jsonl")).write_text("\n".join(lines))
    (folder / named("test.jsonl")).write_text("\n".join([*lines[:3], json.dumps({**next(rows()), Y: named("new")})]))
    bad = [json.dumps({**row, X: [[named("text"), 1]]}) for row in rows(2)]
    (folder / named("bad.jsonl")).write_text("\n".join([*lines, *bad]))
    (folder / named("d.csv")).write_text(f'{X.encode("unicode_escape").decode()},\x1b[31m,"a\nb"\n1,2,3\n4,5,6\n')
    (folder / f"{named('dynamics')}.py").write_text("def other(state, output): return state")
    return folder


def config(folder, **changes):
    data = {"train": named("d.jsonl"), "test": named("test.jsonl"), "format": "jsonl", "inputs": [X, W], "target": Y,
            "id": ID, "valid": 3, **changes.pop("data", {})}  # fmt: skip
    given = {"threads": 1, "data": data, "model": {"layers": [4]}, "train": {"epochs": 1}, **changes}
    path = folder / named("c.yaml")
    path.write_text(json.dumps(given))
    return path


def clean(text):
    return all(character == "\n" or character.isprintable() for character in text) and "\nfake" not in text


@pytest.fixture(scope="module")
def run(folder, request):
    from click.testing import CliRunner

    result = CliRunner().invoke(main, ["train", str(config(folder)), "-o", str(folder / named("run")), "-v"])
    assert result.exit_code == 0, result.output
    assert clean(result.output), result.output
    assert "\\x1b[31m" in result.output
    log = (folder / named("run") / "train.log").read_text()
    assert clean(log), log
    return folder / named("run")


TRAINING = {
    "no such column": {"data": {"inputs": [named("no")]}},
    "no target": {"data": {"target": named("no")}},
    "a column twice": {"data": {"inputs": [X, X]}},
    "no id": {"data": {"id": named("no")}},
    "no split": {"data": {"split": named("c")}},
    "no time": {"data": {"time": named("no")}},
    "time of text": {"data": {"time": Y}},
    "no file": {"data": {"train": named("none.jsonl")}},
    "no pattern": {"data": {"train": named("*.none")}},
    "no folder": {"data": {"train": named("none/")}},
    "a table": {"data": {"train": named("d.csv"), "format": "csv"}},
    "bad rows": {"data": {"train": named("bad.jsonl")}},
    "bad rows, skipped": {"data": {"train": named("bad.jsonl"), "on_error": "skip"}},
    "held out by": {"data": {"valid": {"share": 0.5, "by": named("no")}}},
    "a set": {"data": {"target": {"column": Y, "kind": "set"}}},
    "a number": {"data": {"target": {"column": Y, "kind": "number"}}},
    "per step": {"data": {"target": {"column": Y, "per": "step"}}},
    "number for tokens": {"data": {"inputs": {W: {"kind": "number"}}}},
    "unknown keys": {named("key"): 1, "model": {named("size"): 4}},
    "unknown values": {"model": {"cell": named("lstm")}, "optimizer": named("adam"),
                       "train": {"monitor": named("valid")}},
    "wrong transform": {"data": {"transform": {W: "log"}}},
    "transform of none": {"data": {"transform": {named("no"): "log"}}},
    "weights": {"loss": {"weight": named("no")}},
    "embedding": {"model": {"embedding": {named("no"): 4}}},
    "fill": {"data": {"missing": {"fill": {named("no"): "zero"}}}},
    "too long": {"data": {"max_length": 1}},
    "cut": {"data": {"max_length": 1, "on_long": "cut", "valid": None, "test": None}},
    "no dynamics": {"data": {"inputs": [X], "target": None}, "model": {"output": 1},
                    "rollout": {"dynamics": named("none.py") + ":f", "steps": 2}},
    "wrong dynamics": {"data": {"inputs": [X], "target": Y}, "model": {"output": 1},
                       "rollout": {"dynamics": f"{named('dynamics')}.py:f", "steps": 2}},
}  # fmt: skip


@pytest.mark.parametrize("name", TRAINING)
def test_training(folder, invoke, name):
    result = invoke(main, "train", str(config(folder, **TRAINING[name])), "--check")
    assert isinstance(result.exception, SystemExit | None), result.exception
    assert "please report" not in result.output, result.output
    assert clean(result.output), result.output


def test_training_runs(run):
    assert (run / "best").is_dir()


@pytest.mark.parametrize(
    "options",
    [
        ["train", "{config}", "-o", "{run}"],
        ["train", "{config}", "-o", "{run}/best"],
        ["train", "{config}", "-o", "{folder}"],
        ["train", "{config}", "--check"],
        ["train", "{config}", "-o", "{run}", "--resume", "model.layers=[5]", "data.target=" + json.dumps(named("z"))],
        ["train", "{config}", named("key") + "=1"],
        ["train", "{config}", named("train.epochs=a")],
        ["train", "{config}", named("--no")],
        ["train", "{config}", "more", named("more")],
        ["train", named("none.yaml")],
        ["predict", "{run}", "{data}", "--evaluate"],
        ["predict", "{run}", "{data}"],
        ["predict", "{run}", "{data}", "-o", "{data}"],
        ["predict", "{run}", "{data}", "-o", named("o.txt")],
        ["predict", "{run}", "{data}", "-o", named("none/") + "o.csv"],
        ["predict", "{run}", "{data}", "--state-out", "{run}/schema.json"],
        ["predict", "{run}", "{data}", "--state-in", named("none.npz")],
        ["predict", "{run}", "{data}", "--keep", named("no").replace(",", "")],
        ["predict", "{run}", "{data}", "--format", named("csv")],
        ["predict", "{run}", "{data}", "--steps", named("3")],
        ["predict", "{run}", "{bad}"],
        ["predict", "{run}", named("none.jsonl")],
        ["predict", named("none"), "{data}"],
        ["predict", "{run}", "{data}", named("more")],
        ["predict", "{run}", "{data}", named("--no")],
        [named("command")],
    ],
)
@pytest.mark.parametrize("more", [[], ["-v"]])
def test_commands(folder, run, invoke, options, more):
    places = {"{config}": config(folder), "{run}": run, "{folder}": folder}
    places |= {"{data}": folder / named("test.jsonl"), "{bad}": folder / named("bad.jsonl")}
    given = []
    for option in options:
        for key, value in places.items():
            option = option.replace(key, str(value))
        given.append(option)
    result = invoke(main, *given, *more)
    assert isinstance(result.exception, SystemExit | None), result.exception
    assert "please report" not in result.stderr, result.stderr
    if more:  # with the lines of a traceback
        assert all(character == "\n" or character.isprintable() for character in result.stderr), result.stderr
    else:
        assert clean(result.stderr), result.stderr
