"""A score is the score of the predictions: what training, `evaluate` and a file of predictions say is one number.

The scores that are expected are computed here, by scikit-learn and numpy, from what `lstm-predict` writes.
"""

import json

import numpy as np
import pytest
from sklearn import metrics

import lstm_cli
from lstm_cli.predict import predict_run
from lstm_cli.sequences import whole
from tests.sequences.columnar import arrow, parquet
from tests.sequences.helpers import write, write_jsonl

LONG = 600  # steps of a sequence that is longer than what is run at once
WORDS = ["to", "be", "or", "not", "that"]


def waves(count, rng, *, longest=40):
    """Sequences of two numbers, the last of them long, with targets of every kind."""
    rows = []
    for k, steps in enumerate([*rng.integers(1, longest, count - 1).tolist(), LONG]):
        x = np.cumsum(rng.normal(size=(steps, 2)), axis=0) * 0.3
        rows.append(
            {
                "id": f"s{k}",
                "x": x.round(3).tolist(),
                "sign": ["up" if a > b else "down" for a, b in x],
                "side": ["left", "right"][int(x[-1, 0] > 0)],
                "sum": (10 + 3 * x.sum(axis=1)).round(3).tolist(),
                "end": [float(x[-1, 0] * 5), 1000 + float(x[:, 1].mean())],
                "on": [[name for name, on in zip("abc", (a > 0, b > 0, a > b), strict=True) if on] for a, b in x],
                "seen": sorted({name for name, on in zip("ab", (x[0] > 0), strict=True) if on}),
            }
        )
    return rows


def series(rng, steps=LONG):
    """A positive series with a trend and a season, as csv."""
    t = np.arange(steps)
    return np.exp(3 + t / 2000 + np.sin(t * np.pi / 6) / 3 + rng.normal(size=steps) / 20).round(3)


# Scores from predictions. `truth` and `rows` have an entry for each sequence.


def of_labels(truth, rows):
    """Loss, accuracy and macro F1 of one label per sequence or step."""
    pairs = [pair for given, row in zip(truth, rows, strict=True) for pair in steps_of(given, row)]
    true, predicted, shares = (list(column) for column in zip(*pairs, strict=True))
    return {
        "loss": np.mean([-np.log(share[label]) for label, share in zip(true, shares, strict=True)]),
        "accuracy": metrics.accuracy_score(true, predicted),
        "macro_f1": metrics.f1_score(true, predicted, average="macro", zero_division=0),
    }


def steps_of(given, row):
    if isinstance(given, list):
        return zip(given, row["prediction"], row["probabilities"], strict=True)
    return [(given, row["prediction"], row["probabilities"])]


def of_symbols(truth, rows):
    """Loss, perplexity and bits of what comes next; after the last prediction nothing may be known to come."""
    nats = []
    for given, row in zip(truth, rows, strict=True):
        assert len(row["probabilities"]) in (len(given), len(given) + 1)
        nats += [-np.log(share[symbol]) for symbol, share in zip(given, row["probabilities"], strict=False)]
    return {"loss": np.mean(nats), "perplexity": np.exp(np.mean(nats)), "bits": np.mean(nats) / np.log(2)}


def of_numbers(truth, rows):
    """RMSE, MAE and R² in original units; predictions without a truth, of what comes after the end, are left out."""
    pairs = []
    for given, row in zip(truth, rows, strict=True):
        given, predicted = (np.asarray(values, float) for values in (given, row["prediction"]))
        given, predicted = (v.reshape(1, -1) if v.shape == (2,) and "end" in row else v for v in (given, predicted))
        predicted = predicted.reshape(len(predicted), -1)[: len(given)]
        pairs.append((given.reshape(len(given), -1), predicted))
    true, predicted = (np.concatenate(column) for column in zip(*pairs, strict=True))
    return {
        "rmse": np.sqrt(np.mean((true - predicted) ** 2)),
        "mae": np.mean(np.abs(true - predicted)),
        "r2": metrics.r2_score(true, predicted),
    }


def of_sets(truth, rows):
    """Negative log-likelihood, micro F1 and frame accuracy of sets of labels."""
    true, share = [], []
    for given, row in zip(truth, rows, strict=True):
        per_step = given and isinstance(given[0], list)
        sets, shares = (given, row["probabilities"]) if per_step else ([given], [row["probabilities"]])
        for labels, probabilities in zip(sets, shares, strict=False):
            true.append([name in map(str, labels) for name in probabilities])
            share.append(list(probabilities.values()))
    true, share = np.array(true), np.array(share)
    found = share > 0.5
    nll = -np.where(true, np.log(share), np.log1p(-share)).sum(axis=1).mean()
    hits, errors = (true & found).sum(), (true != found).sum()
    micro = metrics.f1_score(true, found, average="micro")
    return {"loss": nll, "nll": nll, "micro_f1": micro, "frame_accuracy": hits / (hits + errors)}


class Task:
    """Files to train on and to score, a config, and how scores are computed from predictions."""

    def __init__(self, write, score, truth, *, suffix=".jsonl", model=None, probabilities=True, **data):
        self.write, self.score, self.truth, self.suffix = write, score, truth, suffix
        self.model, self.probabilities, self.data = model or {}, probabilities, data


def sequences(column):
    return lambda rows: [row[column] for row in rows]


def labelled(column, **data):
    target = data.pop("target", column)
    return Task(write_jsonl, of_labels, sequences(column), inputs=["x"], target=target, **data)


def numbers(column, per, **data):
    target = {"column": column, "kind": "number", "per": per}
    return Task(write_jsonl, of_numbers, sequences(column), probabilities=False, inputs=["x"], target=target, **data)


def write_series(path, values):
    return write(path, "height\n" + "".join(f"{value}\n" for value in values))


def forecast(transform, lag):
    """One number a step; the first prediction is made at step `lag`, of the step after it."""
    return Task(
        write_series, of_numbers, lambda values: [values[lag + 1 :]], suffix=".csv", probabilities=False,
        inputs=["height"], target="next", transform={"height": transform} if transform else {},
    )  # fmt: skip


def write_conllu(path, rows):
    lines = ("\n".join(f"{k + 1}\t{w}\t_\t{w.upper()[0]}" + "\t_" * 6 for k, w in enumerate(row)) for row in rows)
    return write(path, "\n\n".join(lines) + "\n\n")


def write_ts(path, rows):
    lines = (":".join(",".join(f"{v}" for v in column) for column in zip(*r["x"], strict=True)) for r in rows)
    cases = "".join(f"{line}:{row['side']}\n" for line, row in zip(lines, rows, strict=True))
    return write(path, f"@dimensions 2\n@classLabel true left right\n@data\n{cases}")


TASKS = {
    "a label": labelled("side"),
    "a label, mean over steps": labelled("side", model={"pool": "mean"}),
    "a label, ts": Task(write_ts, of_labels, sequences("side"), suffix=".ts", target="label"),
    "labels": labelled("sign"),
    "numbers at the end": numbers("end", "sequence"),
    "a number per step": numbers("sum", "step"),
    "the next numbers": Task(
        write_jsonl, of_numbers, lambda rows: [row["x"][1:] for row in rows], probabilities=False,
        inputs=["x"], target="next",
    ),
    "a series": forecast([], 0),
    "a series, log": forecast(["log"], 0),
    "a series, difference": forecast(["log", "difference"], 1),
    "a series, both differences": forecast(["difference", "seasonal_difference(12)"], 13),
    "characters": Task(write, of_symbols, lambda text: [text[1:]], suffix=".txt", target="next"),
    "words": Task(write, of_symbols, lambda text: [text.split()[1:]], suffix=".text", target="next", unit="word"),
    "lines": Task(
        write, of_symbols, lambda text: [[*line, "\n"] for line in text.splitlines()], suffix=".txt", target="next",
        lines=True,
    ),
    "tags": Task(
        write_conllu, of_labels, lambda rows: [[w.upper()[0] for w in row] for row in rows], suffix=".conllu",
        inputs=["form"], target="upos",
    ),
    "sets": Task(write_jsonl, of_sets, sequences("on"), inputs=["x"], target={"column": "on", "kind": "set"}),
    "a set": Task(
        write_jsonl, of_sets, sequences("seen"), inputs=["x"],
        target={"column": "seen", "kind": "set", "per": "sequence"},
    ),
    "the next sets": Task(
        write_jsonl, of_sets, lambda rows: [row["on"][1:] for row in rows], inputs=["on"], target="next"
    ),
}  # fmt: skip
WINDOWS = {
    "no window": {},
    "windows": {"window": 7},
    "windows with the state carried": {"window": 7, "carry_state": True},
}
PER_SEQUENCE = ["a label", "a label, mean over steps", "a label, ts", "numbers at the end", "a set"]  # have no windows
CASES = [(name, window) for name in TASKS for window in WINDOWS if window == "no window" or name not in PER_SEQUENCE]
BACKWARD = {"a label", "a label, mean over steps", "numbers at the end", "labels", "a number per step", "tags", "sets"}


def content(task, rng):
    if task.write is write_series:
        return series(rng)
    if task.suffix == ".conllu":
        return [rng.choice(WORDS, size).tolist() for size in [*rng.integers(1, 9, 20), LONG]]
    if task.suffix in (".txt", ".text"):
        if task.data.get("lines"):
            return "\n".join("".join(rng.choice(list("abc"), k)) for k in [*rng.integers(1, 9, 20), LONG]) + "\n"
        return " ".join(rng.choice(WORDS, LONG).tolist())
    return waves(20, rng)


def trained(task, folder, model=None, **data):
    """Train briefly; return the run, the file it was scored on, and what is in it."""
    rng = np.random.default_rng(7)
    given = content(task, rng), content(task, rng)
    train, test = (task.write(folder / f"{k}{task.suffix}", rows) for k, rows in enumerate(given))
    config = {
        "threads": 1,
        "data": {"train": train, "valid": test, "test": test, **task.data, **data},
        "model": {"layers": [6, 4], "embedding": 3, "dropout": 0.1, **task.model, **(model or {})},
        "optimizer": {"name": "adam", "learning_rate": 0.02},
        "train": {"epochs": 1, "batch_size": 4},
    }
    return lstm_cli.train(config, run=folder / "run", verbosity=-1), test, given[1]


def predicted(result, test, task):
    out = test.parent / "predictions.jsonl"
    predict_run(result.folder, test, out=out, probabilities=task.probabilities)
    return [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]


def check(task, result, test, given):
    """All scores there are, for the file and its predictions."""
    rows = predicted(result, test, task)
    if task.data.get("target") == {"column": "end", "kind": "number", "per": "sequence"}:
        rows = [row | {"end": True} for row in rows]
    expected = task.score(task.truth(given), rows)
    run = lstm_cli.load(result.folder)
    found = run.evaluate(test)
    assert {name: found[name] for name in expected} == pytest.approx(expected, rel=2e-5)
    assert result.scores["test"] == found
    assert result.scores["valid"] == found
    for size in (1, 8, 512):
        train = run.config.train.model_copy(update={"batch_size": size, "bucket": size == 8})
        run.config = run.config.model_copy(update={"train": train})
        assert run.evaluate(test) == found


@pytest.mark.parametrize(("name", "window"), CASES)
def test_a_score_is_that_of_the_predictions(tmp_path, name, window):
    task = TASKS[name]
    check(task, *trained(task, tmp_path, **WINDOWS[window]))


@pytest.mark.parametrize(("name", "window"), [(n, w) for n, w in CASES if n in BACKWARD and "carried" not in w])
def test_a_score_in_both_directions_is_that_of_the_predictions(tmp_path, name, window):
    task = TASKS[name]
    check(task, *trained(task, tmp_path, {"bidirectional": True}, **WINDOWS[window]))


def padded(rows):
    steps = max(len(row["x"]) for row in rows)
    x, y = np.zeros((len(rows), steps, 2)), np.zeros((len(rows), steps))
    for k, row in enumerate(rows):
        x[k, : len(row["x"])], y[k, : len(row["x"])] = row["x"], row["sum"]
    return {"x": x, "sum": y, "lengths": np.array([len(row["x"]) for row in rows])}


def stacked(rows):
    lengths = [len(row["x"]) for row in rows]
    return {
        "x": np.concatenate([row["x"] for row in rows]),
        "sum": np.concatenate([row["sum"] for row in rows]),
        "offsets": np.cumsum([0, *lengths]),
    }


def write_npz(arrays):
    def to(path, rows):
        np.savez(path, **arrays(rows))
        return path

    return to


def write_csv(path, rows):
    lines = (f"{r['id']},{x[0]},{x[1]},{y}\n" for r in rows for x, y in zip(r["x"], r["sum"], strict=True))
    return write(path, "id,a,b,sum\n" + "".join(lines))


def columnar(make):
    return lambda path, rows: write(path, make({name: [row[name] for row in rows] for name in ("id", "x", "sum")}))


FORMATS = {
    ".csv": (write_csv, ["a", "b"]),
    ".parquet": (columnar(parquet), ["x"]),
    ".arrow": (columnar(arrow), ["x"]),
    ".npz": (write_npz(padded), ["x"]),
    " stacked.npz": (write_npz(stacked), ["x"]),
}


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("form", FORMATS)
def test_a_score_is_that_of_the_predictions_in_every_format(tmp_path, form, window):
    writer, inputs = FORMATS[form]
    task = Task(
        writer, of_numbers, sequences("sum"), suffix=form, probabilities=False, inputs=inputs,
        target={"column": "sum", "kind": "number", "per": "step"},
    )  # fmt: skip
    check(task, *trained(task, tmp_path, **WINDOWS[window]))


@pytest.mark.parametrize("max_length", [{"on_long": "cut"}, {"on_long": "split"}])
@pytest.mark.parametrize("name", ["a label", "a number per step"])
def test_what_is_too_long_to_train_on_is_scored_whole(tmp_path, name, max_length):
    task = TASKS[name]
    check(task, *trained(task, tmp_path, max_length=20, **max_length))


@pytest.mark.parametrize("name", ["a label", "labels"])
def test_a_loss_averaged_over_sequences_counts_each_once(tmp_path, name):
    """However many pieces a sequence is run in."""
    task = TASKS[name]
    result, test, given = trained(task, tmp_path)
    rows, truth = predicted(result, test, task), task.truth(given)
    losses = [of_labels([one], [row])["loss"] for one, row in zip(truth, rows, strict=True)]
    if name == "labels":
        losses = [loss * len(one) for loss, one in zip(losses, truth, strict=True)]
    run = lstm_cli.load(result.folder)
    run.config = run.config.model_copy(update={"loss": run.config.loss.model_copy(update={"normalize": "sequence"})})
    assert run.evaluate(test)["loss"] == pytest.approx(np.mean(losses), rel=1e-5)


def test_weights_say_which_steps_count(tmp_path):
    """Steps of weight 0 are run through and do not count; for the loss the others count as much as they weigh."""
    rng = np.random.default_rng(3)

    def weighed(rows):
        return [row | {"w": rng.choice([0.0, 1.0, 2.5], len(row["x"])).tolist()} for row in rows]

    task = labelled("sign")
    for name in ("train", "test"):
        write_jsonl(tmp_path / f"{name}.jsonl", weighed(waves(12, rng)))
    given = [json.loads(line) for line in (tmp_path / "test.jsonl").read_text().splitlines()]
    config = {
        "threads": 1,
        "data": {"train": tmp_path / "train.jsonl", "valid": None, "test": tmp_path / "test.jsonl", "inputs": ["x"],
                 "target": "sign", "window": 5},
        "model": {"layers": [5]},
        "loss": {"weight": "w"},
        "train": {"epochs": 1},
    }  # fmt: skip
    result = lstm_cli.train(config, run=tmp_path / "run", verbosity=-1)
    rows = predicted(result, tmp_path / "test.jsonl", task)
    counted = [
        (true, label, share[true], weight)
        for row, found in zip(given, rows, strict=True)
        for true, label, share, weight in zip(
            row["sign"], found["prediction"], found["probabilities"], row["w"], strict=True
        )
        if weight
    ]
    true, labels, shares, weights = (np.array(column) for column in zip(*counted, strict=True))
    scores = result.scores["test"]
    assert scores["accuracy"] == pytest.approx(metrics.accuracy_score(true, labels))
    assert scores["loss"] == pytest.approx(-(np.log(shares) * weights).sum() / weights.sum(), rel=1e-5)


@pytest.mark.parametrize("share", [0.2, 260])
def test_the_end_of_a_series_is_scored_as_it_is_predicted(tmp_path, share):
    """Held out of one series: the window before it is run through, and its steps are scored."""
    values, window, held = series(np.random.default_rng(1), 1300), 30, 260
    config = {
        "threads": 1,
        "data": {"train": write_series(tmp_path / "a.csv", values), "valid": None, "test": share,
                 "inputs": ["height"], "target": "next", "window": window, "carry_state": True},
        "model": {"layers": [6]},
        "train": {"epochs": 1, "batch_size": 3},
    }  # fmt: skip
    result = lstm_cli.train(config, run=tmp_path / "run", verbosity=-1)
    end = write_series(tmp_path / "end.csv", values[-held - window :])
    (row,) = predicted(result, end, TASKS["a series"])
    expected = of_numbers([values[-held:]], [{"prediction": row["prediction"][window - 1 : -1]}])
    assert {name: result.scores["test"][name] for name in expected} == pytest.approx(expected, rel=1e-6)


def test_training_and_prediction_run_the_same_batches(tmp_path, monkeypatch):
    """To the last bit: what is scored are the very outputs, whatever fits into a batch or is held at a time."""
    task = TASKS["labels"]
    for name, value in (("SEQUENCES_HELD", 7), ("BATCH_STEPS", 100), ("PIECE_STEPS", 16)):
        monkeypatch.setattr(whole, name, value)
    check(task, *trained(task, tmp_path, window=9))
