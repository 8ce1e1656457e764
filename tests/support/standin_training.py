"""Stands in for ``lstm-train`` in tests of sweeps: scores that follow from a key, without a model.

``model.dropout=X`` has the score ``X + 1 / epoch + added`` at each epoch; above 0.7 the training fails. It continues
where its ``metrics.jsonl`` ends, and stops on a signal as the real one does.
"""

import json
import os
import signal
import sys
import time
from pathlib import Path

stopped = []


def main():
    words = sys.argv[1:]
    pause, epochs, added, given = float(words[0]), int(words[1]), float(words[2]), words[3:]
    run, events = Path(given[given.index("-o") + 1]), int(given[given.index("--events-to") + 1])
    keys = dict(word.partition("=")[::2] for word in given[given.index("--") + 2 :])
    x = float(keys["model.dropout"])
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, frame: stopped.append(number))
    run.mkdir(exist_ok=True)
    metrics = run / "metrics.jsonl"
    done = len(metrics.read_text().splitlines()) if metrics.exists() else 0
    tell(events, {"step": done * 10, "total": epochs * 10})
    if "fail" in keys.get("model.cell", ""):
        sys.exit("no such data")
    for epoch in range(done + 1, epochs + 1):
        time.sleep(pause)
        if stopped:
            print(f"stopped by {stopped[0]}", file=sys.stderr)
            sys.exit(128 + stopped[0])
        tell(events, {"step": epoch * 10, "total": epochs * 10})
        if x > 0.7:
            print("the loss is not finite", file=sys.stderr)
            sys.exit(70)
        entry = {"step": epoch * 10, "epoch": epoch, "split": "valid", "seconds": 1.0, "loss": x + 1 / epoch + added}
        with metrics.open("a") as file:
            file.write(json.dumps(entry) + "\n")
        tell(events, {"scored": entry})


def tell(events, content):
    os.write(events, (json.dumps(content) + "\n").encode())


main()
