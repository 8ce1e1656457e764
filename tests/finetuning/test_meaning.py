"""Weights of another run keep their meaning: on data that the run knows, the new network's outputs are the run's."""

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from lstm_cli.config import config_from_mapping
from lstm_cli.data.schema.following import Base
from lstm_cli.engine.memory import open_checked_data
from lstm_cli.engine.saved import SavedRun
from lstm_cli.engine.transfer import Transfer, transferred
from lstm_cli.predict.outputs import Network
from lstm_cli.training.job import Job
from lstm_cli.training.session import build_job

WORDS = ["a", "be", "cat", "dogs"]
MORE = ["every", "Fox", *WORDS]
Row = dict[str, Any]


def steps(number: int) -> range:
    return range(4 + number % 3)


def tags(number: int, words: list[str], labels: str = "NVDX") -> Row:
    found = [words[(number * 5 + 3 * step * step) % len(words)] for step in steps(number)]
    return {"w": found, "tag": [labels[words.index(word) % len(labels)] for word in found]}


def notes(number: int, names: list[int]) -> Row:
    return {"notes": [sorted({names[(number + step) % len(names)], names[step % 2]}) for step in steps(number)]}


def series(number: int, factor: float) -> Row:
    columns = {"load": (1.0, 0.0), "temp": (0.5, 1.0), "wind": (0.3, 2.0)}
    return {
        name: [factor * math.sin(rate * step + start + number) for step in range(9)]
        for name, (rate, start) in columns.items()
    }


def new_tags(number: int, words: list[str]) -> Row:
    return tags(number, words, "YXDVN" if len(words) > 4 else "NVDX")


def mixed(number: int, words: list[str]) -> Row:
    row = new_tags(number, words)
    size = [len(word) + number / 4 for word in row["w"]]
    return {**row, "size": size, "mood": [word[0] for word in row["w"]]}


@dataclass(frozen=True)
class Case:
    """A run on `rows(n, old)`, and another one on both these and `rows(n, new)` that starts from it.

    `data` and `loss` are of both; `changed` replaces keys of `data`. `kept` names which outputs of the new network are
    the outputs of the run.
    """

    rows: Callable[..., Row]
    old: Any
    new: Any
    data: Mapping[str, Any]
    model: Mapping[str, Any] = field(default_factory=dict)
    changed: Mapping[str, Any] = field(default_factory=dict)
    loss: Mapping[str, Any] = field(default_factory=dict)
    kept: Callable[[int, int], Any] = lambda old, new: slice(0, old)


KNOWN = {"inputs": {"load": {}, "temp": {"known": True}, "wind": {"known": True}}}
REORDERED = {"wind": {"known": True}, "load": {}, "temp": {"known": True}}
AHEAD = {**KNOWN, "target": {"column": "load", "kind": "number", "ahead": 1, "horizon": 2}}
CASES = {
    "a random field": Case(tags, WORDS, MORE, {"inputs": ["w"], "target": "tag"}, {"crf": True, "layers": [4, 4]}),
    "tied embeddings": Case(tags, WORDS, MORE, {"inputs": ["w"], "target": "next"}, {"tie_embeddings": True}),
    "sets": Case(notes, [60, 62, 64], [62, 64, 67], {"inputs": {"notes": {"kind": "set"}}, "target": "next"}),
    "known inputs in another order, and quantiles": Case(
        series, 1.0, 2.0, AHEAD, changed={"inputs": REORDERED}, loss={"quantiles": [0.1, 0.5, 0.9]}
    ),
    "a Gaussian": Case(series, 1.0, 2.0, AHEAD, loss={"distribution": "gaussian"}),
    "a longer horizon": Case(
        series,
        1.0,
        2.0,
        {"inputs": ["load", "temp"], "target": {"column": "load", "kind": "number", "horizon": 2}},
        changed={"target": {"column": "load", "kind": "number", "horizon": 3}},
    ),
    "next numbers in another order": Case(
        series,
        1.0,
        2.0,
        {"inputs": ["load", "temp", "wind"], "target": "next"},
        changed={"inputs": ["wind", "load", "temp"]},
        kept=lambda old, new: [1, 2, 0],
    ),
    "several target columns in another order": Case(
        mixed,
        WORDS,
        MORE,
        {"inputs": ["w"], "target": ["tag", "size"]},
        {"bidirectional": True},
        changed={"target": ["size", "mood", "tag"]},
        kept=lambda old, new: [*range(new - 5, new - 5 + old - 1), 0],
    ),
}


def jobs(case: Case, folder: Path) -> tuple[Job, Job, Transfer]:
    """Return the job of the run, without training, that of the one that starts from it, and its weights."""
    old = [{"id": f"o{n}", **case.rows(n, case.old)} for n in range(9)]
    new = [{"id": f"n{n}", **case.rows(n, case.new)} for n in range(9)]
    for name, rows in {"old": old, "both": [*new, *old], "valid": old[:4]}.items():
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    model = {"layers": [4], "embedding": 4, **case.model}
    given = {"seed": 1, "model": model, "loss": dict(case.loss), "threads": 1, "precision": "float64"}
    data = {**case.data, "valid": "valid.jsonl", "train": "old.jsonl"}
    config = config_from_mapping({**given, "data": data}, folder)
    source = build_job(open_checked_data(config))
    parameters = source.trainer.model.parameters
    draw = np.random.default_rng(1)
    parameters.set_values({name: draw.normal(size=array.shape) for name, array in parameters.values().items()})
    config = config_from_mapping({**given, "seed": 2, "data": {**data, **case.changed, "train": "both.jsonl"}}, folder)
    job = build_job(open_checked_data(config, base=Base(source.data.schema, "standard", "run")))
    state = SimpleNamespace(model=parameters.values())
    saved = cast(SavedRun, SimpleNamespace(config=source.config, schema=source.data.schema, state=state))
    return source, job, transferred(job.trainer.model, config, job.data.schema, saved)


@pytest.mark.parametrize("name", CASES)
def test_outputs_of_what_the_run_knows_are_those_of_the_run(name, tmp_path):
    case = CASES[name]
    source, job, found = jobs(case, tmp_path)
    assert not found.fresh
    job.trainer.model.parameters.set_values(found.weights)
    both = [Network(one.trainer.model, one.data.schema).outputs(one.data.valid) for one in (source, job)]
    for old, new in zip(*both, strict=True):
        steps, kept = len(new.values), case.kept(old.values.shape[1], new.values.shape[1])
        np.testing.assert_allclose(new.values[:, kept], old.values[:steps], rtol=1e-9, atol=1e-12)


def test_a_new_label_of_a_random_field_begins_as_the_mean_of_the_known_ones(tmp_path):
    source, _, found = jobs(replace(CASES["a random field"], rows=new_tags), tmp_path)
    before, after = source.trainer.model.parameters.values(), found.weights
    (old,), (new,) = before["crf.start"].shape, after["crf.start"].shape
    assert (old, new) == (4, 5)
    table, grown = before["crf.transitions"], after["crf.transitions"]
    np.testing.assert_array_equal(grown[:old, :old], table)
    np.testing.assert_allclose(grown[old, :old], table.mean(axis=0))
    np.testing.assert_allclose(grown[:old, old], table.mean(axis=1))
    np.testing.assert_allclose(grown[old, old], table.mean())
    np.testing.assert_allclose(after["crf.end"][old], before["crf.end"].mean())


def test_only_the_column_that_has_a_new_label_is_averaged_for_it(tmp_path):
    source, _, found = jobs(CASES["several target columns in another order"], tmp_path)
    before, after = source.trainer.model.parameters.values()["output.b"], found.weights["output.b"]
    labels = len(source.data.schema.parts[0].target.labels or ())
    np.testing.assert_allclose(after[-1], before[:labels].mean())
