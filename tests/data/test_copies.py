"""A memory-mapped copy of the data is the data: same arrays, batches and notes; when it is made, and made again."""

import json
import subprocess
import sys
import time

import numpy as np
import pytest

from lstm_cli.config import config_from_mapping
from lstm_cli.data import open_data
from lstm_cli.data.schema.preprocessing import Scaling
from lstm_cli.data.schema.storage import contents
from tests.support.data import write, write_jsonl
from tests.support.kinds import KINDS, labelled_waves
from tests.support.paths import ROOT


@pytest.fixture(autouse=True)
def caches(tmp_path, monkeypatch):
    """The folder of the copies."""
    monkeypatch.setenv("LSTM_CLI_DATA", str(tmp_path / "copies"))
    return tmp_path / "copies"


def opened(folder, given, cache, **data):
    return open_data(config_from_mapping(given | {"data": {**given["data"], **data, "cache": cache}}, folder))


def is_mapped(array):
    while isinstance(array, np.ndarray):
        array = array.base
    return type(array).__name__ == "Buffer" or isinstance(array, memoryview)


def assert_equal(copy, held):
    """Two data are the same, to the last bit and word; the copy has one note more."""
    assert contents(copy.schema) == contents(held.schema)
    assert copy.notes[:-1] == held.notes
    assert copy.config.model == held.config.model
    assert copy.batches.keys() == held.batches.keys()
    for name, own in copy.batches.items():
        other = held.batches[name]
        assert own.dataset.digest() == other.dataset.digest()
        assert list(own.dataset.ids) == list(other.dataset.ids)
        assert list(own.dataset.where) == list(other.dataset.where)
        for batch, same in zip(own.epoch(1), other.epoch(1), strict=True):
            for key, values in vars(same).items():
                assert_same(getattr(batch, key), values)
            assert_same_truth(own.dataset, batch, other.dataset, same)
        for sequence, same in zip(own.dataset, other.dataset, strict=True):
            for key in type(same).__slots__:
                assert_same(getattr(sequence, key), getattr(same, key))


def assert_same(found, values):
    if isinstance(values, Scaling):
        found, values = vars(found), vars(values)
    np.testing.assert_equal(found, values)


def assert_same_truth(dataset, batch, other, same):
    if dataset.schema.target.kind != "number" or dataset.schema.parts:
        return
    np.testing.assert_array_equal(dataset.truth(batch), other.truth(same))
    if dataset.schema.predicted_numbers:
        steps = np.array([-1] if dataset.known_before[0] else [0])
        first = np.zeros(1, np.int64)
        np.testing.assert_array_equal(dataset.values_at(first, steps), other.values_at(first, steps))


def with_gaps(folder, rng):
    rows = "".join(f"{k // 5},{'' if k % 7 == 3 else k},{k % 3},{k % 2},{k % 4}\n" for k in range(60))
    write(folder / "train.csv", "id,x,w,y,g\n" + rows)
    data = {"train": "train.csv", "inputs": ["x"], "target": "y", "valid": {"share": 0.3, "by": "time"}}
    filled = {"missing": {"fill": "mean", "indicator": True}}
    return {"data": {**data, **filled}, "loss": {"weight": "w", "class_weight": "balanced"}}


def several(folder, rng):
    rows = [
        {"x": rng.normal(size=k % 4 + 2).tolist(), "y": float(k % 7) / 2, "s": ["a", "b"][k % 2]} for k in range(20)
    ]
    write_jsonl(folder / "train.jsonl", rows)
    data = {"train": "train.jsonl", "inputs": ["x"], "target": ["y", "s"], "valid": 0.2}
    return {"data": data, "loss": {"quantiles": [0.1, 0.5, 0.9]}}


def dated(folder, rng):
    rows = "".join(f"{'ab'[k // 20]},2026-01-{1 + k % 20:02},{k % 7 + rng.normal():.3f}\n" for k in range(40))
    write(folder / "train.csv", "id,day,x\n" + rows)
    data = {"train": "train.csv", "inputs": ["x"], "target": {"column": "x", "horizon": 2}, "time": "day"}
    return {"data": {**data, "calendar": ["weekday"], "scale": "series", "valid": {"share": 3, "by": "time"}}}


def in_windows(folder, rng):
    given = dated(folder, rng)
    return {"data": {**given["data"], "scale": "window", "window": 5}}


def cut(folder, rng):
    rows = [{"x": rng.normal(size=k % 9 + 2).tolist(), "y": "ab"[k % 2]} for k in range(20)]
    write_jsonl(folder / "train.jsonl", [*rows, {"x": [1, "?", 2], "y": "a"}])
    data = {"train": "train.jsonl", "inputs": ["x"], "target": "y", "max_length": 4, "on_long": "split"}
    return {"data": {**data, "on_error": "skip", "missing": {"values": []}}}


def said(folder, rng):
    for name in "ab":
        rows = "".join(f"{k},{k % 5},{['train', 'valid'][k > 14]}\n" for k in range(20))
        write(folder / f"{name}.csv", "x,y,part\n" + rows)
    return {"data": {"train": "*.csv", "inputs": ["x"], "target": "y", "split": "part", "id": "file"}}


OWN = (with_gaps, several, dated, in_windows, cut, said)


@pytest.mark.parametrize("make", [*KINDS.values(), *OWN], ids=lambda make: make.__name__)
def test_a_copy_is_the_data(tmp_path, make):
    given = make(tmp_path, np.random.default_rng(5))
    held = opened(tmp_path, given, "never")
    assert_equal(opened(tmp_path, given, "always"), held)
    again = opened(tmp_path, given, "always")
    assert_equal(again, held)
    assert is_mapped(again.train.target)


@pytest.fixture
def waves(tmp_path):
    """A config of small data, and the manifest's path once it is copied."""
    return KINDS["classifier"](tmp_path, np.random.default_rng(5))


def manifest(caches):
    (found,) = caches.glob("*/manifest.json")
    return found


def test_a_copy_is_made_once(tmp_path, waves, caches):
    opened(tmp_path, waves, "always")
    before = manifest(caches).stat()
    opened(tmp_path, waves, "always")
    (tmp_path / "train.jsonl").touch()  # its content is the same
    opened(tmp_path, waves, "always")
    assert (manifest(caches).stat().st_ino, manifest(caches).stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert sorted(path.name for path in manifest(caches).parent.iterdir()) == [
        "manifest.json", "test.arrow", "train.arrow", "valid.arrow",
    ]  # fmt: skip


def test_a_changed_source_is_copied_again(tmp_path, waves, caches):
    opened(tmp_path, waves, "always")
    path = tmp_path / "train.jsonl"
    path.write_text(path.read_text().replace("20.", "21."))
    assert_equal(opened(tmp_path, waves, "always"), opened(tmp_path, waves, "never"))


@pytest.mark.parametrize("name", ["train.arrow", "manifest.json"])
@pytest.mark.parametrize("damage", ["a byte", "the end", "all"])
def test_a_damaged_copy_is_made_again(tmp_path, waves, caches, name, damage):
    opened(tmp_path, waves, "always")
    path = manifest(caches).with_name(name)
    content = path.read_bytes()
    changed = {"a byte": content[:900] + bytes([content[900] ^ 1]) + content[901:], "the end": content[:-9]}
    path.unlink()
    if damage in changed:
        path.write_bytes(changed[damage])
    assert_equal(opened(tmp_path, waves, "always"), opened(tmp_path, waves, "never"))


def test_other_keys_have_another_copy_and_those_of_the_network_the_same(tmp_path, waves, caches):
    for other in ({}, {"seed": 2}, {"model": {"layers": [3]}}, {"train": {"epochs": 2}}):
        opened(tmp_path, waves | other, "always")
    assert len(list(caches.glob("*/manifest.json"))) == 2


def test_what_a_killed_process_left_is_removed(tmp_path, waves, caches, monkeypatch):
    opened(tmp_path, waves, "always")
    folder = manifest(caches).parent
    folder.rename(folder.with_name(f"{folder.name}.making-abc"))
    (folder.with_name(f"{folder.name}.making-abc") / "train.arrow").write_bytes(b"half")
    assert_equal(opened(tmp_path, waves, "always"), opened(tmp_path, waves, "never"))
    assert [path.name for path in caches.iterdir() if path.is_dir()] == [folder.name]


def test_automatic_copies_are_made_of_data_that_does_not_fit(tmp_path, waves, caches, monkeypatch):
    opened(tmp_path, waves, "auto")
    assert not caches.exists()
    monkeypatch.setattr("lstm_cli.data.memory.available", lambda: (tmp_path / "train.jsonl").stat().st_size)
    assert "data: read from a memory-mapped copy of" in opened(tmp_path, waves, "auto").notes[-1]


def test_a_folder_that_cannot_be_written_is_an_error_that_says_what_to_do(tmp_path, waves, monkeypatch):
    place = write(tmp_path / "file", "")
    monkeypatch.setenv("LSTM_CLI_DATA", str(place))
    with pytest.raises(Exception, match=r"a copy of the data cannot be kept there .* set LSTM_CLI_DATA to a folder"):
        opened(tmp_path, waves, "always")


def test_a_manifest_names_its_sources(tmp_path, waves, caches):
    opened(tmp_path, waves, "always")
    found = json.loads(manifest(caches).read_text())
    assert [state["path"] for state in found["sources"]] == [str(tmp_path / f"{n}.jsonl") for n in ("train", "test")]


OPEN = """
import sys
from pathlib import Path
from lstm_cli.config import load_config
from lstm_cli.data import open_data
print(open_data(load_config(Path(sys.argv[1]))).train.digest())
"""


def opening(path):
    return subprocess.Popen([sys.executable, "-c", OPEN, str(path)], cwd=ROOT, stdout=subprocess.PIPE, text=True)


@pytest.mark.slow
def test_processes_that_are_killed_or_open_together(tmp_path, waves, caches):
    write_jsonl(tmp_path / "train.jsonl", labelled_waves(3000, np.random.default_rng(2)))
    held = opened(tmp_path, waves, "never").train.digest()
    path = tmp_path / "c.json"
    path.write_text(json.dumps(waves | {"data": {**waves["data"], "cache": "always"}}))
    for wanted in ("*.making-*/1.records", "*.making-*/train.arrow"):  # killed while it parses, and while it writes
        with opening(path) as process:
            while not list(caches.glob(wanted)) and process.poll() is None:
                time.sleep(0.001)
            process.kill()
        assert not list(caches.glob("*/manifest.json"))
    both = [opening(path), opening(path)]
    assert [process.communicate()[0].strip() for process in both] == [held, held]
    assert len([folder for folder in caches.iterdir() if folder.is_dir()]) == 1
