"""Reports of every task, made by hand: what `lstm_cli.report.page` renders."""

import math
from dataclasses import replace

from lstm_cli.insight.explanation import (
    Diagnostics,
    ErrorsAhead,
    Explanation,
    LagNorms,
    Sample,
    Saturation,
    SureError,
    Trajectory,
    Window,
)
from lstm_cli.report.contents import Contents, Layer, NaiveScore, NextCommand

SCRIPT = "<script>alert(1)</script>"
FOLDER = "/home/someone/work/2024-03-22/recordings-of-bearings/project"
LONG = "a label of more characters than fit in a cell, " * 4

PLAIN = Contents(
    run="bearings",
    folder="runs/bearings",
    state="finished",
    status="finished: 43 epochs, 430 steps",
    monitor="valid.loss",
    epochs=43,
    total_steps=430,
    started="2026-11-27T14:32:10+00:00",
    command=(f"{FOLDER}/bin/lstm-train", "configs/bearings.yaml", "train.epochs=43", "--steps=24"),
    versions={"lstm-cli": "0.1.0", "python": "3.12.3", "numpy": "2.3.0"},
    machine={"cpu": "AMD EPYC 9554", "cores": "2"},
    config_set="data:\n  train: bearings.csv\n  target: state\ntrain:\n  epochs: 43\n",
    settings={
        "data.train": "bearings.csv",
        "data.target": "state",
        "train.epochs": "43",
        "train.batch_size": "auto",
        "model.layers.0.recurrent_dropout": "0.0",
        "data.inputs.vibration.min_count": "1",
    },
    model=(Layer("layers.0", "LSTM of 32 units, 2 inputs", 4480), Layer("output", "32 to 4, one per sequence", 132)),
    facts={
        "train": "320 sequences, 12,800 steps; length 40; from 2024-01-22 18:00 to 2024-03-22 18:00",
        "target": "category, 4 labels per sequence",
    },
    notes=("test: 3 tokens that training never saw",),
    next=(
        NextCommand("lstm predict runs/bearings new.csv -o predictions.csv", "predict new sequences"),
        NextCommand(
            f"lstm-predict {FOLDER}/runs/bearings --steps 24 --generate 300 --temperature 0.8 --seed 1 -o text.txt",
            "write on",
        ),
        NextCommand("lstm evaluate runs/bearings", "scores in detail, and where the model is wrong"),
    ),
)
DIAGNOSTICS = Diagnostics(
    LagNorms(tuple(range(1, 41)), tuple(0.8**lag for lag in range(1, 41))),
    tuple(
        Saturation(f"layers.{layer}", gate, low, high)
        for layer in (0, 1)
        for gate, low, high in (("input", 0.2, 0.31), ("forget", 0.02, 0.74), ("output", 0.11, 0.4))
    ),
)


def entries(metrics, *, epochs=43, best=33, split_test=True, steps=10):
    """Evaluations whose validation loss is lowest at an epoch, with metrics that are functions of the epoch."""
    found = []
    for epoch in range(1, epochs + 1):
        loss = 0.1 + 1.5 * math.exp(-epoch / 8) + 0.004 * max(0, epoch - best) ** 2
        found.append(
            {"step": steps * epoch, "epoch": epoch, "split": "valid", "seconds": 0.3 * epoch, "loss": loss}
            | {name: value(epoch) for name, value in metrics.items()}
            | {
                "train_loss": 1.6 * math.exp(-epoch / 7),
                "learning_rate": 0.01 * (1 - epoch / 50),
                "gradient_norm": 2 * math.exp(-epoch / 20) + 0.2 * math.sin(epoch),
                "steps_per_second": 33 + math.cos(epoch),
            }
        )
    if split_test:
        last = {name: value(best) for name, value in metrics.items()}
        found.append(
            {"step": steps * epochs, "epoch": epochs, "split": "test", "seconds": 0.31 * epochs, "loss": 0.13} | last
        )
    return found


def classification(labels=("normal", "imbalance", "loose", "bearing")):
    """Labels per sequence."""
    count = len(labels)
    counts = [[20 if i == j else (i + 2 * j) % 3 for j in range(count)] for i in range(count)]
    classes = {label: {"precision": 0.95, "recall": 0.9, "f1": 0.925, "support": 22} for label in labels}
    evaluation = {
        "split": "test",
        "sequences": 90,
        "positions": 90,
        "metrics": {"loss": 0.13, "accuracy": 0.95, "macro_f1": 0.94},
        "intervals": {"loss": [0.1, 0.16], "accuracy": [0.9, 0.99], "macro_f1": [0.89, 0.98]},
        "baselines": {"majority": {"accuracy": 0.45, "macro_f1": 0.155}},
        "titles": {"majority": f'always "{labels[0]}"'},
        "skill": {"majority": {"accuracy": 0.909, "macro_f1": 0.93}},
        "classes": classes,
        "confusion": {"labels": list(labels), "counts": counts},
        "confused": [{"truth": labels[1], "predicted": labels[0], "count": 2}],
        "calibration": {
            "ece": 0.031,
            "bins": [
                {
                    "low": k / 10,
                    "high": k / 10 + 0.1,
                    "count": 9,
                    "confidence": k / 10 + 0.05,
                    "accuracy": min(1, k / 9),
                }
                for k in range(3, 10)
            ],
        },
        "lengths": [
            {"low": low, "high": low + 9, "sequences": 30, "positions": 30, "metrics": {"accuracy": 0.9 + low / 1000}}
            for low in (10, 20, 30)
        ],
    }
    errors = tuple(SureError(f"m{k}", labels[1], labels[0], confidence=0.99 - k / 50) for k in range(8))
    naive = [NaiveScore("majority", f'always "{labels[0]}"', split, {"accuracy": 0.45}) for split in ("valid", "test")]
    contents = replace(
        PLAIN,
        baselines=tuple(naive),
        explanation=Explanation("test", evaluation, surest_errors=errors, diagnostics=DIAGNOSTICS),
    )
    metrics = {
        "accuracy": lambda epoch: 0.95 - 0.7 * math.exp(-epoch / 9),
        "macro_f1": lambda epoch: 0.94 - 0.7 * math.exp(-epoch / 9),
    }
    return contents, entries(metrics)


def tagging():
    """A label at each step, with words beside the errors."""
    contents, found = classification(("NOUN", "VERB", "ADJ", "PROPN", "PUNCT", "DET", "ADP", "AUX", "PRON", "X"))
    words = ("runs", "well", "that", "still", "set")
    errors = tuple(SureError(f"s{k}", "NOUN", "VERB", k, word, 0.999 - k / 100) for k, word in enumerate(words))
    explanation = replace(contents.explanation, surest_errors=errors)
    return replace(contents, run="tags", explanation=explanation), found


def forecast(times=True):
    """A series, 24 steps ahead."""
    wave = [200 + 80 * math.sin(k / 24 * 2 * math.pi) + 9 * math.sin(k * 1.7) for k in range(400)]
    windows = []
    for origin in (100, 180, 260):
        steps = tuple(range(origin - 47, origin + 25))
        ahead = [max(step - origin, 0) for step in steps]
        predicted = tuple(wave[step] + 5 * math.sin(step) if k else None for step, k in zip(steps, ahead, strict=True))
        windows.append(
            Window(
                "",
                "load",
                steps,
                tuple(wave[step] for step in steps),
                predicted,
                origin,
                tuple(f"2012-01-{1 + step // 24:02d} {step % 24:02d}:00" for step in steps) if times else (),
                tuple(value and value - 4 * k**0.5 for value, k in zip(predicted, ahead, strict=True)),
                tuple(value and value + 4 * k**0.5 for value, k in zip(predicted, ahead, strict=True)),
            )
        )
    ahead = range(1, 25)
    horizon = {
        "model": ErrorsAhead(tuple(4 + k**0.5 for k in ahead), tuple(3 + k**0.5 for k in ahead)),
        "last": ErrorsAhead(
            tuple(60 * math.sin(k / 24 * 3.1) + 5 for k in ahead), tuple(50 * math.sin(k / 24 * 3.1) + 4 for k in ahead)
        ),
        "seasonal_24": ErrorsAhead((9.5,) * 24, (8.1,) * 24),
    }
    naive = (("last", "the last value", 48.4), ("seasonal_24", "the value 24 steps ago", 18.8))
    evaluation = {
        "split": "test",
        "sequences": 1,
        "positions": 336,
        "metrics": {"loss": 0.02, "rmse": 7.5, "mae": 6.2, "r2": 0.97},
        "intervals": {"rmse": [7.0, 8.3], "mae": [5.9, 6.6]},
        "baselines": {name: {"rmse": value, "mae": 0.8 * value} for name, _, value in naive},
        "titles": {name: text for name, text, _ in naive},
        "skill": {name: {"rmse": 1 - 7.5 / value, "mae": 1 - 6.2 / value / 0.8} for name, _, value in naive},
    }
    baselines = [
        NaiveScore(name, text, split, {"rmse": value}) for name, text, value in naive for split in ("valid", "test")
    ]
    errors = tuple(
        SureError("", "696.5", f"{482.31 - k}", 752 + k, "when 2024-10-03 08:00, load 611.2", error=f"{-214.19 - k}",
                  ahead=24 - k)
        for k in range(12)
    )  # fmt: skip
    contents = replace(
        PLAIN,
        run="hourly",
        baselines=tuple(baselines),
        explanation=Explanation(
            "test",
            evaluation,
            surest_errors=errors,
            forecasts=tuple(windows),
            horizon=horizon,
            diagnostics=DIAGNOSTICS,
        ),
    )
    metrics = {
        name: lambda epoch, last=last: last + 60 * math.exp(-epoch / 6) for name, last in (("rmse", 7.5), ("mae", 6.2))
    }
    return contents, entries(metrics | {"r2": lambda epoch: 0.97 - math.exp(-epoch / 4)})


def several_columns(columns=("load", "wind.speed", "price")):
    """Numbers of several columns."""
    names = [f"{metric}.{column}" for column in columns for metric in ("rmse", "mae", "r2")]
    values = {"loss": 0.2, "r2": 0.8} | {name: 1 + k / 3 for k, name in enumerate(names)}
    naive = {name: 2 * value for name, value in values.items() if name != "loss"}
    evaluation = {
        "split": "valid",
        "sequences": 20,
        "positions": 400,
        "metrics": values,
        "baselines": {"mean": naive},
        "titles": {"mean": "the mean"},
        "skill": {"mean": dict.fromkeys(naive, 0.5)},
    }
    contents = replace(PLAIN, run="columns", explanation=Explanation("valid", evaluation))
    metrics = {name: lambda epoch, value=value: value + 1 / epoch for name, value in values.items() if name != "loss"}
    return contents, entries(metrics, split_test=False)


def sets():
    """Sets of labels at each step."""
    evaluation = {
        "split": "test",
        "sequences": 10,
        "positions": 600,
        "metrics": {"loss": 5.1, "nll": 5.1, "micro_f1": 0.61, "frame_accuracy": 0.44},
        "baselines": {"frequencies": {"nll": 9.0, "micro_f1": 0.0, "frame_accuracy": 0.0}},
        "titles": {"frequencies": "label frequencies"},
        "skill": {"frequencies": {"nll": 0.43, "micro_f1": 0.61, "frame_accuracy": 0.44}},
        "calibration": {
            "ece": 0.2,
            "bins": [{"low": 0.0, "high": 0.1, "count": 600, "confidence": 0.08, "accuracy": 0.28}],
        },
        "classes": {
            str(note): {"precision": 0.7, "recall": 0.6, "f1": 0.65, "support": note} for note in range(40, 90)
        },
    }
    contents = replace(PLAIN, run="chorales", explanation=Explanation("test", evaluation, diagnostics=DIAGNOSTICS))
    return contents, entries({"nll": lambda epoch: 5 + 9 / epoch, "micro_f1": lambda epoch: 0.61 - 0.5 / epoch})


def language_model():
    """A text, with samples."""
    samples = tuple(
        Sample(temperature, f"the night was {SCRIPT} and\nthe sea, the sea " * 8, "Sing, ")
        for temperature in (0.5, 0.8, 1.0)
    )
    evaluation = {
        "split": "valid",
        "sequences": 1,
        "positions": 20000,
        "metrics": {"loss": 1.4, "perplexity": 4.05, "bits": 2.02},
        "baselines": {"frequencies": {"perplexity": 21.0, "bits": 4.4}},
        "titles": {"frequencies": "symbol frequencies"},
        "skill": {"frequencies": {"perplexity": 0.54, "bits": 0.54}},
        "lengths": [
            {"low": low, "high": low, "sequences": 9, "positions": 90, "metrics": {"perplexity": 3 + low / 50}}
            for low in (4, 8, 12)
        ],
    }
    naive = (NaiveScore("frequencies", "symbol frequencies", "valid", {"perplexity": 21.0, "bits": 4.4}),)
    explanation = Explanation("valid", evaluation, samples=samples, diagnostics=DIAGNOSTICS)
    contents = replace(PLAIN, run="poems", baselines=naive, explanation=explanation)
    return contents, entries(
        {"perplexity": lambda epoch: 4 + 40 / epoch, "bits": lambda epoch: 2 + 3 / epoch}, best=60, split_test=False
    )


def closed_loop():
    """A closed loop: the error by step, and a few trajectories."""
    found = [
        Trajectory(
            f"Sequence {name}, state[{k}]",
            tuple(math.sin(step / 9 + k) for step in range(100)),
            tuple(math.sin(step / 9 + k) + 0.01 * step / (k + 1) for step in range(100)),
        )
        for name in ("a", "b")
        for k in (0, 1)
    ]
    evaluation = {
        "split": "test",
        "sequences": 16,
        "positions": 1600,
        "metrics": {"loss": 0.03, "rmse": 0.2},
        "baselines": {"undriven": {"rmse": 0.36}},
        "titles": {"undriven": "the undriven system"},
        "skill": {"undriven": {"rmse": 0.44}},
    }
    naive = (NaiveScore("undriven", "the undriven system", "test", {"rmse": 0.36}),)
    errors = tuple(
        SureError(f"swing-{k}", "0.537", "-0.47484", 0, "start -0.4562 0.8327 -0.5485 1.0576, goal 0.537 0",
                  error="-1.0118", column="goal_0", ahead=1 + k)
        for k in range(3)
    )  # fmt: skip
    explanation = Explanation(
        "test",
        evaluation,
        surest_errors=errors,
        trajectories=tuple(found),
        loop_errors=(*(0.003 * step for step in range(99)), None),
        diagnostics=DIAGNOSTICS,
    )
    return replace(PLAIN, run="pendulum", baselines=naive, explanation=explanation), entries(
        {"rmse": lambda epoch: 0.2 + 1 / epoch}
    )


def hostile():
    """Names and labels with markup, of any length."""
    contents, found = classification(
        (SCRIPT, LONG, "Donaudampfschifffahrtsgesellschaftskapitän", "\u202eright to left")
    )
    errors = (SureError(SCRIPT, LONG, SCRIPT, 3, f"{SCRIPT}{{{{ 7 * 7 }}}}", 0.9),)
    explanation = replace(contents.explanation, surest_errors=errors)
    hostile = {SCRIPT: LONG, "x" * 300: "y" * 300}
    fields = {
        "run": f"{SCRIPT} {'w' * 200}",
        "status": SCRIPT,
        "command": (SCRIPT, "z" * 300),
        "config_set": f"{SCRIPT}\n{'k' * 300}: 1",
        "notes": (SCRIPT, "n" * 300),
        "model": (Layer(SCRIPT, LONG, 1),),
        "next": (NextCommand(f"lstm predict '{SCRIPT}'", SCRIPT),),
        "explanation": explanation,
    }
    return replace(contents, **fields, **dict.fromkeys(("versions", "machine", "settings", "facts"), hostile)), found


def all_tasks():
    """Every page by its name."""
    made = (classification, tagging, forecast, several_columns, sets, language_model, closed_loop, hostile)
    return {make.__name__: make() for make in made}
