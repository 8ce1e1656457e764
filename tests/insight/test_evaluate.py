"""`lstm_cli.evaluate` on runs of every kind: the scores of `lstm-predict --evaluate`, and where the model is wrong."""

import json
import shutil

import pytest

import lstm_cli
from lstm_cli.config import config_from_mapping
from lstm_cli.data import open_data
from lstm_cli.errors import CheckpointError, ConfigError, DataError
from lstm_cli.insight.evaluate import evaluate
from lstm_cli.insight.evaluation_text import evaluation_text
from lstm_cli.predict import predict_run
from lstm_cli.run.origin import config_of
from lstm_cli.scores.metrics import metrics_of
from tests.support.data import read_csv, read_jsonl, write, write_jsonl
from tests.support.kinds import KINDS, data_of
from tests.support.paths import RELEASED
from tests.support.worlds import world_config, write_world


@pytest.fixture(scope="module")
def evaluated(trained, loaded):
    found = {}

    def of(kind):
        if kind not in found:
            found[kind] = evaluate(loaded(kind), data_of(trained(kind)), by="length")
        return found[kind]

    return of


@pytest.mark.parametrize("kind", KINDS)
def test_metrics_are_those_of_predictions(kind, evaluated, trained, loaded):
    found, expected = evaluated(kind), loaded(kind).evaluate(data_of(trained(kind)))
    assert found.metrics == expected
    again = metrics_of(found.found)
    assert again == pytest.approx({name: expected[name] for name in again}, rel=1e-9)
    assert set(expected) - set(again) == {"loss"}
    assert found.intervals
    for name, (low, high) in found.intervals.items():
        assert low <= found.metrics[name] <= high, name


@pytest.mark.parametrize("kind", KINDS)
def test_json_and_text_hold_what_applies(kind, evaluated, loaded):
    found, target = evaluated(kind), loaded(kind).schema.target
    content = json.loads(json.dumps(found.to_json(), allow_nan=False))
    labels = target.kind == "set" or (target.kind == "category" and not target.is_next)
    assert ("classes" in content) == labels
    assert ("confusion" in content) == (labels and target.kind == "category")
    assert ("calibration" in content) == (target.kind != "number")
    assert ("columns" in content) == (target.kind == "number")
    assert content["baselines"].keys() == content["titles"].keys() == content["skill"].keys()
    assert "groups" in content
    assert content["positions"] == len(found.found)
    for width in (80, 60):
        text = evaluation_text(found, width)
        assert max(map(len, text.splitlines())) <= width
    assert text.splitlines()[0].endswith(("sequences", "sequence", "predictions"))


def notes_on(run, data, **options):
    notes = []
    return evaluate(run, data, note=notes.append, **options), notes


def test_scores_of_the_file_that_trained_the_run_say_so(trained, loaded, tmp_path):
    run, data = loaded("tagger"), data_of(trained("tagger"))
    found, notes = notes_on(run, data)
    assert found.to_json()["trained_on"] == "parts"
    assert notes == [
        f"{data}: the model was trained on about 80 % of this data: the scores are mostly of what it has seen; "
        f"lstm evaluate {run.folder}, without DATA, scores the part that was held out"
    ]
    notes.clear()
    predict_run(run.folder, data, evaluate=True, note=notes.append)
    assert len(notes) == 1 and "was trained on about 80 % of this data" in notes[0]
    notes.clear()
    predict_run(run.folder, data, out=tmp_path / "predictions.jsonl", note=notes.append)
    assert notes == [], "nothing is scored"
    assert "trained_on" not in evaluate(run).to_json()


def test_the_training_data_is_known_in_another_file_too(trained, loaded, tmp_path):
    run, data = loaded("classifier"), trained("classifier") / "train.jsonl"
    seen = set(open_data(config_of(run.folder)).train.ids)
    copy = write_jsonl(tmp_path / "copy.jsonl", [row for row in read_jsonl(data) if row["id"] in seen])
    found, notes = notes_on(run, copy)
    assert (found.trained_on, found.sequences) == ("all", len(seen))
    assert notes == [
        f"{copy}: the model was trained on this data: the scores are of what it has seen; "
        f"lstm evaluate {run.folder}, without DATA, scores the run's test data"
    ]


def test_other_data_has_no_such_note(trained, loaded, recordings):
    for data in (trained("classifier") / "test.jsonl", recordings[0]):
        found, notes = notes_on(loaded("classifier"), data)
        assert (found.trained_on, notes) == (None, [])


def test_without_data_the_test_data_of_the_run_is_scored(trained, loaded):
    found = evaluate(loaded("classifier"))
    assert (found.split, found.sequences) == ("test", 12)
    assert found.data.endswith("test.jsonl")
    assert found.metrics == loaded("classifier").evaluate(trained("classifier") / "test.jsonl")
    (line,) = [one for one in read_jsonl(trained("classifier") / "run" / "metrics.jsonl") if one["split"] == "test"]
    assert {name: line[name] for name in found.metrics} == found.metrics


@pytest.mark.parametrize(("kind", "split"), [("tagger", "valid"), ("passengers", "test"), ("plays", "valid")])
def test_without_data_a_part_of_the_training_file_is_scored(kind, split, trained, loaded, tmp_path):
    found = evaluate(loaded(kind), out=tmp_path / "errors.csv")
    assert found.split == split
    lines = [one for one in read_jsonl(trained(kind) / "run" / "metrics.jsonl") if one["split"] == split]
    assert any({name: line[name] for name in found.metrics} == found.metrics for line in lines)
    assert read_csv(tmp_path / "errors.csv")


def test_data_that_has_changed_or_moved_is_refused(trained, tmp_path):
    folder = trained("tagger")
    config = json.loads((folder / "run" / "environment.json").read_text())
    shutil.copytree(folder / "run", tmp_path / "run")
    data = folder / "train.jsonl"
    before = data.read_text()
    try:
        data.write_text(before.replace('"a"', '"b"'))
        with pytest.raises(DataError, match="have changed since the run was trained: restore them, or give DATA"):
            evaluate(tmp_path / "run")
        data.rename(tmp_path / "elsewhere")
        with pytest.raises(DataError, match=r"has moved: data.train: .*: restore it, or give DATA"):
            evaluate(tmp_path / "run")
    finally:
        data.write_text(before)
    del config["config"]
    (tmp_path / "run" / "environment.json").write_text(json.dumps(config))
    with pytest.raises(CheckpointError, match=r"earlier version trained this run.*give DATA"):
        evaluate(tmp_path / "run")


@pytest.fixture(scope="module")
def recordings(trained, tmp_path_factory):
    """The test data of the classifier with further columns: of the sequence, and of each step."""
    rows = read_jsonl(trained("classifier") / "test.jsonl")
    for k, row in enumerate(rows):
        row |= {"site": "ab"[k % 2], "load": k / 10, "pair": [1, 2], "part": ["first", *["rest"] * (len(row["x"]) - 1)]}
    return write_jsonl(tmp_path_factory.mktemp("recordings") / "recordings.jsonl", rows), rows


def test_scores_by_a_column_that_is_no_input(recordings, loaded):
    path, _ = recordings
    found = evaluate(loaded("classifier"), path, by="site")
    assert list(found.groups) == ["a", "b"]
    right = found.found.truth == found.found.predicted
    for place, name in enumerate("ab"):
        assert found.groups[name]["metrics"]["accuracy"] == right[place::2].mean()
        assert found.groups[name]["sequences"] == 6
    assert evaluation_text(found).count("\n  site") == 1
    numbers = evaluate(loaded("classifier"), path, by="load").groups
    assert next(iter(numbers)) == "0.0"


def test_scores_by_a_column_of_each_step(trained, loaded, tmp_path):
    rows = read_jsonl(data_of(trained("numbered")))
    for row in rows:
        row["place"] = ["first", *["later"] * (len(row["x"]) - 1)]
    found = evaluate(loaded("numbered"), write_jsonl(tmp_path / "data.jsonl", rows), by="place")
    assert {name: part["positions"] for name, part in found.groups.items()} == {
        "later": sum(len(row["x"]) - 1 for row in rows), "first": len(rows)
    }  # fmt: skip


WRONG = {
    "no such column": ({"by": "sites"}, r"--by sites: .* has no such column, .*\(did you mean site\?\)"),
    "several values": ({"by": "pair"}, "--by pair: has several values"),
    "a suffix": ({"out": "errors.txt"}, "errors.txt: expected a name that ends in .csv or .jsonl"),
    "a format": ({"form": "jsnl"}, "--format jsnl: expected one of"),
    "safe": ({"safe_csv": True}, "--safe-csv: is for errors in a csv file"),
}


@pytest.mark.parametrize(("options", "message"), WRONG.values(), ids=WRONG)
def test_wrong_options(options, message, recordings, loaded):
    with pytest.raises(ConfigError, match=message):
        evaluate(loaded("classifier"), recordings[0], **options)


def test_wrong_options_without_data(loaded, trained, recordings):
    with pytest.raises(ConfigError, match="--format: is that of DATA"):
        evaluate(loaded("classifier"), form="jsonl")
    with pytest.raises(ConfigError, match=r"--by site: .*train.jsonl:\d+ has no such column"):
        evaluate(loaded("tagger"), by="site")
    for kind, name in (("classifier", "test.jsonl"), ("tagger", "train.jsonl")):
        with pytest.raises(ConfigError, match=r"is the file that is read as data\.t"):
            evaluate(loaded(kind), out=trained(kind) / name)
    with pytest.raises(ConfigError, match="is the file that is read as DATA"):
        evaluate(loaded("classifier"), recordings[0], out=recordings[0])


def test_labels_that_training_never_saw(loaded, recordings, tmp_path):
    rows = recordings[1]
    path = write_jsonl(tmp_path / "data.jsonl", [{**rows[0], "label": "odd"}, *rows[1:]])
    notes = []
    found = evaluate(loaded("classifier"), path, out=tmp_path / "errors.csv", note=notes.append)
    assert found.metrics["unknown_labels"] == 1
    assert sum(found.confusion["unknown"]) == 1
    assert any("never saw" in text and "odd" in text for text in notes)
    assert "odd" in [error["truth"] for error in read_csv(tmp_path / "errors.csv")]
    assert "(never seen)" in evaluation_text(found)


@pytest.mark.parametrize(("parts", "split"), [(("train", "valid", "test"), "test"), (("train", "valid"), "valid")])
def test_without_data_the_part_that_a_column_names_is_scored(parts, split, tmp_path):
    rows = [{"x": [n % 3, n % 5], "y": n // 3 % 2, "part": parts[n % len(parts)]} for n in range(24)]
    write_jsonl(tmp_path / "data.jsonl", rows)
    data = {"train": "data.jsonl", "split": "part", "inputs": ["x"], "target": "y"}
    source = {"data": data, "model": {"layers": [2]}, "train": {"epochs": 1}}
    lstm_cli.train(config_from_mapping(source, tmp_path), run=tmp_path / "run", verbosity=-1)
    found = evaluate(tmp_path / "run")
    assert (found.split, found.sequences) == (split, 24 // len(parts))
    scored = [one for one in read_jsonl(tmp_path / "run" / "metrics.jsonl") if one["split"] == split]
    assert {name: scored[-1][name] for name in found.metrics} == found.metrics
    groups = evaluate(tmp_path / "run", by="part").groups
    assert {name: part["sequences"] for name, part in groups.items()} == {split: 24 // len(parts)}


def test_a_part_of_the_training_file_is_grouped_by_any_of_its_columns(trained, loaded, tmp_path):
    folder = trained("tagger")
    data = folder / "train.jsonl"
    before, plain = data.read_text(), evaluate(loaded("tagger"))
    rows = read_jsonl(data)
    try:
        write_jsonl(data, [{**row, "site": k, "place": list(range(len(row["words"])))} for k, row in enumerate(rows)])
        sites = evaluate(loaded("tagger"), by="site", out=tmp_path / "errors.jsonl")
        places = evaluate(loaded("tagger"), by="place")
    finally:
        data.write_text(before)
    assert (sites.metrics, sites.sequences) == (plain.metrics, plain.sequences)
    assert sum(part["sequences"] for part in sites.groups.values()) == plain.sequences
    assert sum(part["positions"] for part in places.groups.values()) == plain.positions
    errors = read_jsonl(tmp_path / "errors.jsonl")
    assert errors
    for error in errors:
        row = rows[error["id"] - 1]
        assert (error["input"]["words"], error["truth"]) == (row["words"][error["step"]], row["tags"][error["step"]])


def test_a_column_that_names_training_data_only_leaves_nothing_to_score(tmp_path):
    write_jsonl(tmp_path / "data.jsonl", [{"x": [1, 2], "y": n % 2, "part": "train"} for n in range(8)])
    data = {"train": "data.jsonl", "split": "part", "inputs": ["x"], "target": "y"}
    source = {"data": data, "model": {"layers": [2]}, "train": {"epochs": 1, "monitor": "train.loss"}}
    lstm_cli.train(config_from_mapping(source, tmp_path), run=tmp_path / "run", verbosity=-1)
    with pytest.raises(ConfigError, match="has neither test nor validation data: give DATA"):
        evaluate(tmp_path / "run")


def test_ids_of_the_data_name_the_groups(loaded):
    found = evaluate(loaded("tagger"), by="id")
    assert len(found.groups) == found.sequences > 1
    assert all(part["sequences"] == 1 for part in found.groups.values())


def test_a_run_is_given_by_its_folder_too(trained):
    found = lstm_cli.evaluate(trained("names") / "run", data_of(trained("names")))
    sizes = [(one["low"], one["high"]) for one in found.lengths]  # letters, and the end of the line
    assert sizes == [(3, 3), (4, 4), (5, 5), (6, 6), (7, 7)]
    assert all("perplexity" in one["metrics"] for one in found.lengths)


def test_text_of_users_stays_on_its_line(loaded, tmp_path):
    path = write(tmp_path / "new\nline.jsonl", '{"id": "\\u001b[2J", "x": [[1, 2]], "label": "lo\\nw"}\n')
    text = evaluation_text(evaluate(loaded("classifier"), path, by="id"))
    assert "\x1b" not in text
    assert "line.jsonl: 1 sequence" in text.splitlines()[0]


def test_a_run_of_an_earlier_version_has_no_baselines():
    found = evaluate(RELEASED / "labels", RELEASED / "gestures.jsonl")
    assert found.baselines == {}
    assert found.intervals.keys() == {"accuracy", "macro_f1"}
    with pytest.raises(CheckpointError, match="give DATA"):
        evaluate(RELEASED / "labels")


def test_a_run_that_drives_a_system_has_to_be_trusted(tmp_path):
    write_world(tmp_path)
    lstm_cli.train(world_config(tmp_path), run=tmp_path / "run", verbosity=-1)
    with pytest.raises(ConfigError, match="give --trust if you trust it"):
        evaluate(tmp_path / "run")
    _, notes = notes_on(tmp_path / "run", tmp_path / "drives.jsonl", trust=True)
    assert f"; lstm evaluate {tmp_path / 'run'} --trust, without DATA, scores the part" in notes[-1]
    found = evaluate(tmp_path / "run", trust=True, out=tmp_path / "errors.jsonl")
    assert found.split == "valid"
    assert found.baselines.keys() == found.horizons.keys() - {"model"} == {"undriven"}
    (error, *_) = read_jsonl(tmp_path / "errors.jsonl")
    assert error["ahead"] >= 1
    assert "start" in error["input"]
