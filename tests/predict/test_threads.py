"""Runs that several threads share: every call gives what it gives alone, to the last bit."""

import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytensor
import pytest

import lstm_cli
from lstm_cli.ops import mode
from lstm_cli.run.checkpoint import load
from lstm_cli.run.names import BEST
from tests.support.runs import SERIES, TEXT, small_config, train, write_data
from tests.support.worlds import world_config, write_world

THREADS = 8


@pytest.fixture(autouse=True)
def restless():
    """Let Python change threads as often as it can."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


@pytest.fixture(autouse=True)
def one_at_a_time(monkeypatch):
    """Compile under the lock: PyTensor changes flags of all threads while it does, and puts back what it found."""
    compile_function, held = pytensor.function, []

    def function(*arguments, **options):
        held.append(mode._EXCLUSIVE._is_owned())
        return compile_function(*arguments, **options)

    monkeypatch.setattr(pytensor, "function", function)
    yield held
    assert all(held)
    assert pytensor.config.mode == "Mode"


def random_sequences(rng, count, width):
    """Sequences of different lengths."""
    lengths = rng.integers(1, 9, count)
    return [{"id": k, "x": rng.normal(size=(steps, width)).tolist()} for k, steps in enumerate(lengths)]


def in_threads(tasks):
    """Run tasks in threads that all begin at once; return what each gives, in order."""
    ready = threading.Barrier(THREADS)
    with ThreadPoolExecutor(THREADS, initializer=ready.wait) as pool:
        return list(pool.map(lambda task: task(), tasks))


def check_in_threads(tasks, expected, calls):
    """Do the tasks again and again, in threads, against what they gave alone."""
    order = np.random.default_rng(0).integers(0, len(tasks), calls)
    wrong = [k for k, found in zip(order, in_threads([tasks[k] for k in order]), strict=True) if found != expected[k]]
    assert not wrong, f"{len(wrong)} of {calls} calls gave something else"


def tasks_of(runs):
    """Everything that runs can be asked for, each with other sequences."""
    rng, tasks = np.random.default_rng(5), []
    for size in (1, 2, 5):
        rows = random_sequences(rng, size, 2)
        for name in ("classifier", "averaged", "both_ways"):
            run = runs[name]
            tasks.append(lambda run=run, rows=rows: run.predict(rows, probabilities=True))
        forecaster, writer = runs["pendulum"], runs["plays"]
        states = [{"id": row["id"], "a": [x for x, _ in row["x"]], "b": [x for _, x in row["x"]]} for row in rows]
        tasks.append(lambda run=forecaster, rows=states: run.predict(rows))
        tasks.append(lambda run=forecaster, rows=states, steps=size: run.forecast(rows, steps))
        tasks.append(lambda run=writer, seed=size: "".join(run.generate("ab", 5, seed=seed)))
        tasks.append(lambda run=writer, count=size: run.predict([{"text": list("abc" * count)}]))
    return tasks


@pytest.mark.parametrize("calls", [400, pytest.param(2000, marks=pytest.mark.slow)])
def test_calls_in_8_threads(trained, calls, one_at_a_time):
    """Of runs that have not been used before: the first calls compile."""
    names = ("classifier", "averaged", "both_ways", "pendulum", "plays")
    alone = [task() for task in tasks_of({name: lstm_cli.load(trained(name) / "run") for name in names})]
    seen = len(one_at_a_time)
    check_in_threads(tasks_of({name: lstm_cli.load(trained(name) / "run") for name in names}), alone, calls)
    assert len(one_at_a_time) > seen >= len(names)


def test_a_system_is_driven_in_8_threads(tmp_path):
    folder = write_world(tmp_path)
    train(world_config(folder), folder / "run")
    rng = np.random.default_rng(2)
    starts = [[{"id": k, "start": rng.normal(size=3).tolist()} for k in range(count)] for count in (1, 2, 7)]

    def tasks(run):
        return [lambda rows=rows, steps=steps: run.steer(rows, steps) for rows in starts for steps in (2, 4)]

    alone = [task() for task in tasks(lstm_cli.load(folder / "run", trust=True))]
    shared = tasks(lstm_cli.load(folder / "run", trust=True))
    assert in_threads(shared * 5) == alone * 5


@pytest.mark.slow
def test_runs_are_loaded_trained_and_scored_side_by_side(tmp_path):
    write_data(tmp_path)
    wide = {"model": {"layers": [64, 64]}, "train": {"batch_size": 17}}  # worth several threads, whose sums differ
    kinds = {
        "labels": {}, "text": {"data": TEXT}, "series": {"data": SERIES},
        "one thread": {**wide, "threads": 1}, "two threads": {**wide, "threads": 2},
    }  # fmt: skip
    (tmp_path / "scored.jsonl").write_text((tmp_path / "gestures.jsonl").read_text())

    def work(folder, kind):
        changes = kinds[kind]
        settings = small_config(tmp_path, **{**changes, "train": {"epochs": 2, **changes.get("train", {})}})
        run = lstm_cli.train(settings, run=tmp_path / folder, verbosity=-1)
        data = tmp_path / settings.data.train
        return run.scores, lstm_cli.load(run.folder).evaluate(data), load(run.folder / BEST).model

    alone = [work(f"alone-{kind}", kind) for kind in kinds]
    together = in_threads([lambda k=k, kind=kind: work(f"{k}-{kind}", kind) for k in range(4) for kind in kinds])
    for k, (scores, evaluated, weights) in enumerate(together):
        one = alone[k % len(kinds)]
        assert (scores, evaluated) == one[:2]
        for name, array in weights.items():
            assert array.tobytes() == one[2][name].tobytes()


def test_a_generator_cannot_hold_the_lock():
    with pytest.raises(TypeError, match="batches is a generator: it would run without the lock"):

        @mode.exclusive
        def batches():
            yield 1
