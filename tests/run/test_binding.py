"""A checkpoint belongs to one config: with another one in resolved.yaml its weights are not used."""

import json
import shutil
import subprocess
import sys
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from copy import deepcopy
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner
from pydantic import ValidationError

import lstm_cli
from lstm_cli.cli.group import main
from lstm_cli.config import Config, config_from_mapping
from lstm_cli.config.fields import ResumeRule
from lstm_cli.config.grammar import _walk, resume_rules
from lstm_cli.errors import CheckpointError, CheckpointWarning, ConfigError
from lstm_cli.run.checkpoint import State, load, save
from lstm_cli.run.config_changes import flattened
from lstm_cli.run.identity import check_resolved, identity
from lstm_cli.run.names import BEST, LAST, RESOLVED
from tests.support.runs import SMALL, small, small_config, train, write_data

# Together they have every key of the grammar.
SECTIONS: list[dict[str, Any]] = [
    {},
    *({"optimizer": name} for name in ("adagrad", "adam", "adamw", "lamb", "lars", "nadam", "rmsprop", "sgd")),
    *({"train": {"schedule": name}} for name in ("constant", "exponential", "linear", "plateau")),
    {"data": {"valid": {"share": 0.2, "by": "sequence"}, "test": {"share": 0.1}}},
    {"data": {"target": "next", "window": 8}, "rollout": {"steps": 3, "teacher_forcing": 0.5}},
    {"data": {"scale": "none"}, "model": {"output": 2}, "rollout": {"dynamics": "cart.py:step", "steps": 3}},
]


def _strings(schema: Any) -> Iterator[str]:
    """Yield all words that keys of the grammar may have as values."""
    for key, value in schema.items() if isinstance(schema, dict) else enumerate(schema):
        if key == "enum":
            yield from value
        elif key == "const":
            yield value
        elif isinstance(value, dict | list):
            yield from _strings(value)


OTHER_VALUES = [
    True, False, 2, 3, 0.25, 0.75, None, "x", "x.py:step", "5 epochs", ["x"], ["hour"], [1.0, 2.0], [1], {"x": "log"},
    "2/3", {"size": 3}, {"steps": 3}, {"x": 3}, *dict.fromkeys(_strings(Config.model_json_schema()))
]  # fmt: skip


def edits(
    values: dict[str, Any], section: Any, path: tuple[Any, ...] = (), *, known: Collection[str]
) -> Iterator[tuple[str, dict[str, Any] | None]]:
    """Yield each key that is not known, and the values of a config with another value there; None if none was found."""
    for key, value in section.items() if isinstance(section, dict) else enumerate(section):
        name, place = ".".join(map(str, (*path, key))), (*path, key)
        if value and (isinstance(value, dict) or (isinstance(value, list) and isinstance(value[0], dict))):
            yield from edits(values, value, place, known=known)
        elif name not in known:
            yield name, next(_edited(values, place), None)


def _edited(values: dict[str, Any], path: tuple[Any, ...]) -> Iterator[dict[str, Any]]:
    """Yield the values of configs with another value at a path."""
    name, before = ".".join(map(str, path)), dict(flattened(values))
    for alone, other in product((False, True), OTHER_VALUES):
        changed = deepcopy(values)
        if alone:  # without the section's other keys, which a section of another name may not have
            inside(changed, path[:-1]).clear()
        inside(changed, path[:-1])[path[-1]] = other
        with suppress(ValidationError):
            found = Config.model_validate(changed).model_dump(mode="json")
            after = dict(flattened(found))
            if any(before.get(key) != after.get(key) for key in {*before, *after} if f"{key}.".startswith(f"{name}.")):
                yield found


def inside(values: Any, path: tuple[Any, ...]) -> Any:
    for key in path:
        values = values[key]
    return values


def allowed(key: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    """Whether the key's field says that a resumed run may change it so."""
    rule: ResumeRule | None = resume_rules(before).get(key)
    old, new = (dict(flattened(values)).get(key) for values in (before, after))
    return rule is not None and rule.allows(old, new)


@pytest.fixture(scope="module")
def tried() -> dict[str, set[bool]]:
    """Try every edit; return whether each was taken, by key."""
    found: dict[str, set[bool]] = {}
    for changes in SECTIONS:
        before = Config.model_validate(small(**changes)).model_dump(mode="json")
        saved = json.loads(json.dumps(identity(before, {})))
        for key, after in edits(before, before, known=found.keys()):
            assert after is not None, f"no other value for {key}: add one"
            expected = allowed(key, before, after)
            try:
                taken = check_resolved([saved], b"", Config.model_validate(after), Path(RESOLVED)) == []
            except CheckpointError as error:
                assert f"{key}" in str(error) and "restore" in str(error) and "\n" not in str(error)
                taken = False
            assert taken == expected, key
            found.setdefault(key, set()).add(taken)
    return found


def test_no_key_is_left_out(tried: Mapping[str, set[bool]]) -> None:
    keys = {".".join(key) for key in _walk(Config, ())}
    leaves = {key for key in keys if not any(other.startswith(f"{key}.") for other in keys)}
    leaves = {key for key in leaves if not key.startswith("sweep.")}  # of searches: trainings ignore them
    assert {key for key in leaves if not any(name == key or name.startswith(f"{key}.") for name in tried)} == set()


def test_what_the_outputs_depend_on_is_bound(tried: Mapping[str, set[bool]]) -> None:
    bound = {"precision", "data.scale", "data.unit", "data.lines", "rollout.steps"}
    names = {
        key for key in tried if key.startswith(("model.", "loss.", "data.inputs.", "data.target.")) or key in bound
    }
    assert len(names) > 40
    assert {key for key in names if True in tried[key]} == set()


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = write_data(tmp_path_factory.mktemp("binding"))
    train(small_config(folder), folder / "run")
    (folder / "c.yaml").write_text(json.dumps(SMALL))
    return folder


@pytest.fixture
def run(trained: Path, tmp_path: Path) -> Path:
    return shutil.copytree(trained / "run", tmp_path / "run")


def edit(run: Path, old: str, new: str) -> None:
    text = (run / RESOLVED).read_text()
    assert text.count(old) == 1
    (run / RESOLVED).write_text(text.replace(old, new))


POOLED = "model.pool: last -> mean"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("pool: last", "pool: mean", POOLED),
        ("precision: float32", "precision: float64", "precision: float32 -> float64"),
        ("scale: standard", "scale: minmax", "data.scale: standard -> minmax"),
        ("  distance: squared", "  distance: absolute", "loss.distance: squared -> absolute"),
    ],
)
def test_an_edited_config_is_refused_by_every_command(
    trained: Path, run: Path, old: str, new: str, message: str
) -> None:
    edit(run, old, new)
    expected = f"{run / RESOLVED}: not what the checkpoint was trained with ({message}): restore "
    alike = config_from_mapping(yaml.safe_load((run / RESOLVED).read_text()), trained)
    for used in (
        lambda: lstm_cli.load(run),
        lambda: train(small_config(trained), run, resume=True),
        lambda: train(alike, run, resume=True),
    ):
        with pytest.raises(CheckpointError) as caught:
            used()
        assert str(caught.value).startswith(expected)


@pytest.mark.parametrize(
    ("old", "new"),
    [("threads: 1", "threads: 2"), ("train: gestures.jsonl", "train: moved/*.jsonl"), ("epochs: 3", "epochs: 9")],
)
def test_what_a_resumed_run_may_change_may_be_edited(run: Path, old: str, new: str) -> None:
    edit(run, old, new)
    assert len(lstm_cli.load(run).predict([{"x": [[1.0, 2.0]]}])) == 1


def test_the_commands_say_so(trained: Path, run: Path) -> None:
    edit(run, "pool: last", "pool: mean")
    data, config = str(trained / "gestures.jsonl"), str(trained / "c.yaml")
    for command in (["predict", str(run), data], ["train", config, "-o", str(run), "--resume"]):
        done = CliRunner().invoke(main, command)
        assert (done.exit_code, done.stdout) == (65, "")
        assert f"not what the checkpoint was trained with ({POOLED}): restore" in done.stderr
        assert len(done.stderr.splitlines()) == 1


def test_a_resumed_run_without_its_config_takes_no_other_one(trained: Path, run: Path) -> None:
    (run / RESOLVED).unlink()
    with pytest.raises(CheckpointError, match=r"trained with another config \(model.pool: last -> mean\): restore"):
        train(small_config(trained, model={"pool": "mean"}), run, resume=True)


def test_a_best_state_of_another_run_is_not_scored(trained: Path, tmp_path: Path) -> None:
    """Of the same shape: nothing but its config tells that it is another one's."""
    run, other, data = tmp_path / "run", tmp_path / "other", {"test": 0.2}
    train(small_config(trained, data=data), run)
    train(small_config(trained, data=data, model={"pool": "mean"}), other)
    shutil.rmtree(run / BEST)
    shutil.copytree(other / BEST, run / BEST)
    for used in (lambda: lstm_cli.load(run), lambda: train(small_config(trained, data=data), run, resume=True)):
        with pytest.raises(CheckpointError, match=r"trained with .*\(model.pool: mean -> last\): restore"):
            used()


def rewrite(run: Path, *names: str, **changes: Any) -> None:
    """Write states again with another identity; a part that is None is left out."""
    for name in names:
        found = load(run / name)
        kept = {key: value for key, value in {**found.identity, **changes}.items() if value is not None}
        save(State(**{**vars(found), "identity": kept}), run / name)


def test_states_of_earlier_versions_are_compared_by_the_digest(trained: Path, run: Path) -> None:
    rewrite(run, BEST, LAST, config=None, sizes=None)
    assert lstm_cli.load(run).config.model.pool == "last"
    train(small_config(trained, threads=2), run, resume=True)
    assert "edited" not in (run / "train.log").read_text()


def test_a_best_state_of_an_earlier_version_is_compared_with_what_the_last_one_says(run: Path) -> None:
    rewrite(run, BEST, config=None, sizes=None, digests=dict(load(run / BEST).identity["digests"], **{RESOLVED: "0"}))
    assert lstm_cli.load(run).config.model.pool == "last"
    edit(run, "pool: last", "pool: mean")
    with pytest.raises(CheckpointError, match=POOLED):
        lstm_cli.load(run)


def test_a_config_that_cannot_be_compared_is_used_with_a_warning(trained: Path, run: Path) -> None:
    """As after an earlier version was killed between a change of the config and the first state."""
    rewrite(run, BEST, LAST, config=None)
    edit(run, "threads: 1", "threads: 2")
    what = "which do not tell whether this file was edited since: make sure that it is as lstm-train wrote it"
    with pytest.warns(CheckpointWarning, match=what):
        assert lstm_cli.load(run).config.threads == 2
    done = subprocess.run(
        [sys.executable, "-c", "from lstm_cli.cli.start import predict; predict()", str(run), "gestures.jsonl"],
        cwd=trained, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0
    assert done.stderr.startswith(f"warning: {run / RESOLVED}: an earlier version wrote")
    train(small_config(trained), run, resume=True)
    assert what in (run / "train.log").read_text()


def test_keys_are_added_and_taken_away_by_versions(run: Path) -> None:
    config = load(run / BEST).identity["config"]
    fewer = {**config, "model": {key: value for key, value in config["model"].items() if key != "residual"}}
    rewrite(run, BEST, config=fewer)
    assert lstm_cli.load(run).config.model.residual is False
    rewrite(run, BEST, config={**config, "model": {**config["model"], "depth": 3}})
    with pytest.raises(CheckpointError, match=r"does not know \(model.depth\): install a newer lstm-cli"):
        lstm_cli.load(run)


@pytest.mark.parametrize("config", [7, [], {"data": 3}, {"model": {"layers": [{"size": -1}]}}])
def test_a_forged_config_is_damage(run: Path, config: object) -> None:
    rewrite(run, BEST, LAST, config=config)
    with pytest.raises(CheckpointError, match=r"damaged|does not write"):
        lstm_cli.load(run)


def test_a_run_killed_after_a_change_of_its_config_is_used_as_it_is(trained: Path, run: Path) -> None:
    """Between the new resolved.yaml and the first new state, both states still belong to it, and to the next change."""
    for number in (5, 7):
        changes = {"threads": number, "optimizer": {"learning_rate": number / 10}, "train": {"schedule": "constant"}}
        text = small_config(trained, **changes).to_yaml()
        (run / RESOLVED).write_text(text)
        assert lstm_cli.load(run).config.threads == number
    with pytest.raises(ConfigError):
        train(small_config(trained, model={"pool": "mean"}), run, resume=True)
    train(small_config(trained, threads=1, train={"epochs": 4}), run, resume=True)
