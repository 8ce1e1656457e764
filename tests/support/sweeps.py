"""Sweeps of stand-ins for trainings, in this process."""

import sys
from pathlib import Path

from lstm_cli.config import config_from_mapping
from lstm_cli.run.sweep import trial_number
from lstm_cli.sweeps import run

STANDIN = Path(__file__).with_name("standin_training.py")
SPACE = {"model.dropout": {"low": 0.0, "high": 0.6}}


def standin(pause=0.0, epochs=4, worse_from=None):
    """What replaces `train_command`; the trials from a number on are worse than all others, and do not end."""

    def command(given, keys, folder, events, *options):
        worse = worse_from is not None and trial_number(folder.name) >= worse_from
        own = (0.01, 10**6, 10.0) if worse else (pause, epochs, 0.0)
        words = [*map(str, own), "-o", str(folder), "--events-to", str(events), "--", given, *keys]
        return [sys.executable, "-S", "-E", str(STANDIN), *words]

    return command


def config_of(folder, space=None, **sweep):
    data = {"train": "a.jsonl", "inputs": ["x"], "target": "y", "valid": 0.2}
    section = {"space": SPACE if space is None else space, "trials": 4, **sweep}
    return config_from_mapping({"data": data, "sweep": section}, folder)


def swept(folder, listener=lambda event, sweep: None, *, workers=2, space=None, **sweep):
    """Run a sweep into the folder ``s``."""
    return run.sweep(config_of(folder, space, **sweep), "c.yaml", [], listener, folder=folder / "s", workers=workers)
