"""Tasks of every kind, and their scores as scikit-learn and numpy compute them from what `lstm-predict` writes."""

import numpy as np
import pytest
from sklearn import metrics

import lstm_cli
from lstm_cli.predict import predict_run
from tests.support.columnar import arrow, parquet
from tests.support.data import read_jsonl, write, write_jsonl

LONG = 600  # steps of a sequence that is longer than what is run at once
WORDS = ["to", "be", "or", "not", "that"]


def walks(count, rng, *, longest=40):
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


def seasonal_series(rng, steps=LONG):
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
        missing = np.isnan(predicted).all(axis=1)  # at the first steps, which differences remove
        assert np.isnan(given[missing]).all()
        pairs.append((given.reshape(len(given), -1)[~missing], predicted[~missing]))
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
        per_step = isinstance(row["probabilities"], list)
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
        write_series, of_numbers, lambda values: [[*[np.nan] * lag, *values[lag + 1 :]]],
        suffix=".csv", probabilities=False, inputs=["height"], target="next",
        transform={"height": transform} if transform else {},
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


def content_of(task, rng):
    if task.write is write_series:
        return seasonal_series(rng)
    if task.suffix == ".conllu":
        return [rng.choice(WORDS, size).tolist() for size in [*rng.integers(1, 9, 20), LONG]]
    if task.suffix in (".txt", ".text"):
        if task.data.get("lines"):
            return "\n".join("".join(rng.choice(list("abc"), k)) for k in [*rng.integers(1, 9, 20), LONG]) + "\n"
        return " ".join(rng.choice(WORDS, LONG).tolist())
    return walks(20, rng)


def train_task(task, folder, model=None, **data):
    """Train briefly; return the run, the file it was scored on, and what is in it."""
    rng = np.random.default_rng(7)
    given = content_of(task, rng), content_of(task, rng)
    train, test = (task.write(folder / f"{k}{task.suffix}", rows) for k, rows in enumerate(given))
    config = {
        "threads": 1,
        "data": {"train": train, "valid": test, "test": test, **task.data, **data},
        "model": {"layers": [6, 4], "embedding": 3, "dropout": 0.1, **task.model, **(model or {})},
        "optimizer": {"name": "adam", "learning_rate": 0.02},
        "train": {"epochs": 1, "batch_size": 4},
    }
    return lstm_cli.train(config, run=folder / "run", verbosity=-1), test, given[1]


def predict_file(result, test, task):
    out = test.parent / "predictions.jsonl"
    predict_run(result.folder, test, out=out, probabilities=task.probabilities)
    return read_jsonl(out)


def check_scores(task, result, test, given):
    """Compare all scores of a file with those of its predictions."""
    rows = predict_file(result, test, task)
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
