import json
import subprocess
import sys
from importlib import util

import numpy as np
import pandas as pd
import pytest

from tests.support.data import read_jsonl
from tests.support.paths import ROOT

DATA = ROOT / "data"
GENERATORS = {
    "gestures": ("train.jsonl", "test.jsonl"),
    "embedded_reber": ("train.txt", "test.txt"),
    "adding_problem": ("train.npz", "test.npz"),
    "pendulum": ("train.jsonl", "test.jsonl"),
    "oscillator": ("train.csv", "test.csv"),
    "hourly": ("train.csv", "test.csv", "future.csv"),
}


def script(name):
    """A script as a module."""
    spec = util.spec_from_file_location(name, DATA / f"{name}.py")
    module = util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def made(name, folder, monkeypatch, *options):
    """Run a script's main and return its folder."""
    monkeypatch.setattr(sys, "argv", [f"{name}.py", *map(str, options), "--output", str(folder)])
    script(name).main()
    return folder


COMMITTED = ("gestures", "embedded_reber", "pendulum", "oscillator", "hourly")


@pytest.mark.parametrize("name", COMMITTED)
def test_what_is_committed_is_what_the_script_writes(name, tmp_path, monkeypatch):
    made(name, tmp_path, monkeypatch)
    for file in GENERATORS[name]:
        assert (tmp_path / file).read_bytes() == (DATA / name / file).read_bytes()


@pytest.mark.parametrize("name", GENERATORS)
def test_the_seed_decides(name, tmp_path, monkeypatch):
    sizes = ("--train", 20, "--test", 5)
    folders = [
        made(name, tmp_path / str(run), monkeypatch, *sizes, "--seed", seed) for run, seed in enumerate((7, 7, 8))
    ]
    same, again, other = (tuple((folder / file).read_bytes() for file in GENERATORS[name]) for folder in folders)
    assert same == again != other


@pytest.mark.parametrize("name", [*GENERATORS, "public"])
def test_help_says_what_a_script_does(name):
    shown = subprocess.run([sys.executable, DATA / f"{name}.py", "--help"], capture_output=True, text=True, check=True)
    assert script(name).__doc__.splitlines()[0] in shown.stdout


def test_gestures_vary_in_length_and_balance():
    rows = read_jsonl(DATA / "gestures" / "train.jsonl")
    lengths = [len(row["acceleration"]) for row in rows]
    kinds = [row["gesture"] for row in rows]
    assert len(rows) == 400
    assert min(lengths) == 10 < max(lengths) <= 60
    assert all(kinds.count(gesture.__name__) > 60 for gesture in script("gestures").GESTURES)


def test_committed_data_is_small():
    assert sum(file.stat().st_size for name in COMMITTED for file in (DATA / name).iterdir()) < 850_000


def test_reber_strings_are_legal():
    is_legal = script("embedded_reber").is_legal
    strings = (DATA / "embedded_reber" / "train.txt").read_text().split()
    assert all(map(is_legal, strings))
    for broken in ("BTBTXSEPE", "BTBTXSET", "BTBTXSETEE", "BTBTXXETE", "TTBTXSETE", "BTBPVVEXTE", ""):
        assert not is_legal(broken)


def test_adding_problem_adds_the_two_marked_numbers():
    rows = script("adding_problem").sequences(200, 10, np.random.default_rng(0))
    numbers, marks = rows["x"][..., 0], rows["x"][..., 1]
    assert (marks.sum(axis=1) == 2).all()
    assert rows["y"] == pytest.approx((numbers * marks).sum(axis=1))
    assert (marks.sum(axis=0) > 20).all()  # the marks may be anywhere


def test_the_hourly_load_follows_the_clock_the_week_and_the_temperature():
    """What pandas reads of the files: two years of hours but one night, few empty cells, colder days with more load."""
    train, test, future = (
        pd.read_csv(DATA / "hourly" / f"{name}.csv", parse_dates=["time"], index_col="time")
        for name in ("train", "test", "future")
    )
    whole = pd.concat([train, test, future])
    missing = pd.date_range(whole.index[0], whole.index[-1], freq="h").difference(whole.index)
    assert (len(whole), len(missing), set(missing.hour)) == (731 * 24 - 7, 7, set(range(7)))
    assert future.load.isna().all() and len(future) == 24 and not future.temperature.isna().any()
    assert 0 < train.load.isna().sum() < 20 and not test.load.isna().any()
    assert 0 < test.temperature.isna().sum() < train.temperature.isna().sum() < 40
    assert train.load.groupby(train.index.hour).mean().agg(["idxmin", "idxmax"]).tolist() == [2, 18]
    by_day = train.load.groupby(train.index.day_of_week).mean()
    assert by_day[:5].min() > by_day[5:].max() + 50
    noon = train[(train.index.hour == 12) & (train.index.day_of_week < 5)]
    cold, mild = noon[noon.temperature < 0], noon[noon.temperature.between(14, 20)]
    hot = noon[noon.temperature > 26]
    assert cold.load.mean() > hot.load.mean() > mild.load.mean()


def later(pendulum, state, seconds, torque=0.0):
    for _ in range(round(seconds / pendulum.STEP)):
        state = pendulum.moved(state, torque)
    return state


def test_the_pendulum_swings_as_mechanics_says():
    """Without friction energy stays; a posture that the torque holds does not move; the config's system agrees."""
    pendulum = script("pendulum")
    state = np.array([0.4, 0.0, -0.3, 0.0])
    pendulum.FRICTION = 0.0

    def energy(state):
        a1, w1, a2, w2 = state
        motion = w1**2 + w2**2 / 2 + w1 * w2 * np.cos(a1 - a2)
        return motion - pendulum.GRAVITY * (2 * np.cos(a1) + np.cos(a2))

    assert energy(later(pendulum, state, 3.0)) == pytest.approx(energy(state), abs=1e-6)
    pendulum.FRICTION = 0.5
    held = np.array([0.3, 0.0, 0.0, 0.0])
    torque = 2 * pendulum.GRAVITY * np.sin(0.3)
    np.testing.assert_allclose(later(pendulum, held, 1.0, torque), held, atol=1e-9)


def test_the_system_of_the_config_is_the_pendulum():
    import pytensor
    import pytensor.tensor as pt

    path = DATA.parent / "configs" / "pendulum.py"
    spec = util.spec_from_file_location("pendulum_system", path)
    system = util.module_from_spec(spec)
    spec.loader.exec_module(system)
    system.STEP = 1e-4  # so small that how it is integrated does not matter
    state, output = pt.dmatrix(), pt.dmatrix()
    step = pytensor.function([state, output], system.double_pendulum(state, output), mode="FAST_COMPILE")
    pendulum = script("pendulum")
    start = np.random.default_rng(0).normal(0, 0.5, (5, 4))
    moved, push = start, np.full((5, 1), 0.2)
    for _ in range(500):
        moved = step(moved, push)
    np.testing.assert_allclose(moved, later(pendulum, start, 0.05, torque=2.0), atol=2e-4)


def converted(name, source, tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["public.py", name, str(source), "--output", str(tmp_path / "public")])
    script("public").main()
    return {file.name: file.read_text() for file in (tmp_path / "public" / name).iterdir()}


def test_shakespeare_is_cut_after_nine_tenths(tmp_path, monkeypatch):
    (tmp_path / "input.txt").write_text("0123456789" * 3)
    files = converted("tiny_shakespeare", tmp_path / "input.txt", tmp_path, monkeypatch)
    assert files == {"train.txt": "012345678901234567890123456", "valid.txt": "789"}


def test_names_are_split_without_loss(tmp_path, monkeypatch):
    (tmp_path / "names.txt").write_text("".join(f"name{index}\n" for index in range(2500)))
    files = converted("names", tmp_path / "names.txt", tmp_path, monkeypatch)
    lines = {name: text.splitlines() for name, text in files.items()}
    assert {name: len(found) for name, found in lines.items()} == {
        "train.txt": 500,
        "valid.txt": 1000,
        "test.txt": 1000,
    }
    assert len(set().union(*lines.values())) == 2500


def test_chorales_become_one_line_each(tmp_path, monkeypatch):
    (tmp_path / "q.json").write_text(json.dumps({"train": [[[60, 64], []]], "valid": [], "test": []}))
    files = converted("jsb_chorales", tmp_path / "q.json", tmp_path, monkeypatch)
    assert files["train.jsonl"] == '{"id":"train-0","notes":[[60,64],[]]}\n'


def test_pendulum_positions_become_angles(tmp_path, monkeypatch):
    hanging, aside = "0 0 0 10 0 20", "0 0 10 0 10 10"  # both arms down; the first to the right
    for run in range(19):
        (tmp_path / f"{run}.csv").write_text("\n".join([hanging] * 4 + [aside] * 4) + "\n")
    files = converted("double_pendulum", tmp_path, tmp_path, monkeypatch)
    assert files["valid.csv"].splitlines()[:3] == [
        "run,seconds,sin1,cos1,sin2,cos2",
        "17,0.00,0.00000,1.00000,0.00000,1.00000",
        "17,0.01,1.00000,0.00000,0.00000,1.00000",
    ]


def test_missing_download_is_named(tmp_path, monkeypatch, capsys):
    with pytest.raises(SystemExit):
        converted("names", tmp_path / "names.txt", tmp_path, monkeypatch)
    assert "names.txt: not found; data/README.md says where to get it" in capsys.readouterr().err
