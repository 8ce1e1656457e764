"""Ordinary PyTorch programs for three of the tasks, to compare whole training jobs with: packed sequences, no tricks.

    python -m tests.benchmarks.plain_torch vowels|tagging|characters FOLDER --updates N [--threads 2]

FOLDER holds the data set's files as `data/README.md` names them. Prints one JSON object with the test score and
how long the whole process took, start-up included.
"""

import argparse
import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

STARTED = time.time()


def vowels(folder: Path, updates: int) -> dict[str, float]:
    import torch
    from torch.nn.utils.rnn import pack_sequence

    def read(name: str) -> tuple[list[np.ndarray], list[int]]:
        lines = (folder / name).read_text().split("@data\n")[1].splitlines()
        dimensions = [line.split(":") for line in lines]
        series = [np.array([[float(v) for v in d.split(",")] for d in dims[:-1]], np.float32).T for dims in dimensions]
        return series, [int(dims[-1]) - 1 for dims in dimensions]

    (x, y), (x_test, y_test) = read("JapaneseVowels_TRAIN.ts"), read("JapaneseVowels_TEST.ts")
    frames = np.concatenate(x)
    x, x_test = ([torch.tensor((s - frames.mean(0)) / frames.std(0)) for s in part] for part in (x, x_test))
    y, y_test = torch.tensor(y), torch.tensor(y_test)

    class Classifier(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.lstm = torch.nn.LSTM(12, 64, bidirectional=True)
            self.dropout, self.output = torch.nn.Dropout(0.3), torch.nn.Linear(128, 9)

        def forward(self, sequences: list) -> "torch.Tensor":
            _, (h, _) = self.lstm(pack_sequence(sequences, enforce_sorted=False))
            return self.output(self.dropout(torch.cat([h[0], h[1]], 1)))

    model = Classifier()
    optimizer = torch.optim.Adam(model.parameters(), 2e-3)
    for rows in _batches(len(x), 16, updates):
        loss = torch.nn.functional.cross_entropy(model([x[r] for r in rows]), y[rows])
        _step(model, optimizer, loss)
    model.eval()
    with torch.no_grad():
        return {"accuracy": float((model(x_test).argmax(1) == y_test).float().mean())}


def _tagged(path: Path) -> list[tuple[list[str], list[str]]]:
    """The words and the tags of every sentence of a conllu file."""
    sentences = []
    for block in path.read_text().strip().split("\n\n"):
        rows = [line.split("\t") for line in block.splitlines() if line[0] != "#"]
        rows = [row for row in rows if row[0].isdigit()]
        sentences.append(([row[1] for row in rows], [row[3] for row in rows]))
    return sentences


def tagging(folder: Path, updates: int) -> dict[str, float]:
    import torch
    from torch.nn.utils.rnn import pack_sequence

    train, test = (_tagged(folder / f"en_atis-ud-{part}.conllu") for part in ("train", "test"))
    words = {word: k + 1 for k, word in enumerate(sorted({w for ws, _ in train for w in ws}))}
    tags = {tag: k for k, tag in enumerate(sorted({t for _, ts in train for t in ts}))}

    def encode(part):
        return (
            [torch.tensor([words.get(w, 0) for w in ws]) for ws, _ in part],
            [torch.tensor([tags.get(t, -100) for t in ts]) for _, ts in part],
        )

    (x, y), (x_test, y_test) = encode(train), encode(test)

    class Tagger(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embedding = torch.nn.Embedding(len(words) + 1, 64)
            self.lstm = torch.nn.LSTM(64, 100, bidirectional=True)
            self.dropout, self.output = torch.nn.Dropout(0.3), torch.nn.Linear(200, len(tags))

        def forward(self, sequences: list) -> "torch.Tensor":
            packed = pack_sequence(sequences, enforce_sorted=False)
            h, _ = self.lstm(packed._replace(data=self.dropout(self.embedding(packed.data))))
            return self.output(self.dropout(h.data))

    def truth(sequences):
        return pack_sequence(sequences, enforce_sorted=False).data

    model = Tagger()
    optimizer = torch.optim.Adam(model.parameters(), 2e-3)
    for rows in _batches(len(x), 32, updates):
        loss = torch.nn.functional.cross_entropy(model([x[r] for r in rows]), truth([y[r] for r in rows]))
        _step(model, optimizer, loss)
    model.eval()
    with torch.no_grad():
        return {"accuracy": float((model(x_test).argmax(1) == truth(y_test)).float().mean())}


def characters(folder: Path, updates: int) -> dict[str, float]:
    import torch

    text, valid = (folder / "train.txt").read_text(), (folder / "valid.txt").read_text()
    code = {c: k for k, c in enumerate(sorted(set(text)))}

    def encode(t, rows):
        return torch.tensor([code[c] for c in t[: len(t) // rows * rows]]).view(rows, -1).T.contiguous()

    train, test = encode(text, 32), encode(valid, 16)

    class Language(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embedding, self.lstm = torch.nn.Embedding(len(code), 64), torch.nn.LSTM(64, 256)
            self.output = torch.nn.Linear(256, len(code))

        def forward(self, ids: "torch.Tensor", state: tuple | None) -> tuple["torch.Tensor", tuple]:
            h, state = self.lstm(self.embedding(ids), state)
            return self.output(h), tuple(s.detach() for s in state)

    def windows(ids: "torch.Tensor", length: int) -> Iterator[tuple["torch.Tensor", "torch.Tensor"]]:
        for start in range(0, len(ids) - 1, length):
            stop = min(start + length, len(ids) - 1)
            yield ids[start:stop], ids[start + 1 : stop + 1]

    model, state, done = Language(), None, 0
    optimizer = torch.optim.Adam(model.parameters(), 3e-3)

    def loss_of(logits, target):
        return torch.nn.functional.cross_entropy(logits.flatten(0, 1), target.flatten())

    while done < updates:
        state = None
        for x, y in windows(train, 128):
            logits, state = model(x, state)
            _step(model, optimizer, loss_of(logits, y))
            done += 1
            if done == updates:
                break
    return {"nats": _summed_loss(model, windows(test, 128), loss_of) / (test.numel() - test.shape[1])}


def _summed_loss(model: "torch.nn.Module", windows: Iterator, loss_of: Callable) -> float:  # noqa: F821
    import torch

    model.eval()
    total, state = 0.0, None
    with torch.no_grad():
        for x, y in windows:
            logits, state = model(x, state)
            total += float(loss_of(logits, y)) * y.numel()
    return total


def _step(model: "torch.nn.Module", optimizer: "torch.optim.Optimizer", loss: "torch.Tensor") -> None:  # noqa: F821
    import torch

    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 5.0)
    optimizer.step()


def _batches(count: int, size: int, updates: int) -> Iterator[np.ndarray]:
    random, done = np.random.default_rng(0), 0
    while True:
        order = random.permutation(count)
        for start in range(0, count, size):
            yield order[start : start + size]
            done += 1
            if done == updates:
                return


TASKS: dict[str, Callable[[Path, int], dict[str, float]]] = {
    "vowels": vowels,
    "tagging": tagging,
    "characters": characters,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("task", choices=TASKS)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--updates", type=int, required=True)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    import torch

    torch.set_num_threads(given.threads)
    torch.manual_seed(given.seed)
    scores = TASKS[given.task](given.folder, given.updates)
    print(json.dumps({"task": given.task, **scores, "seconds": round(time.time() - STARTED, 2)}))


if __name__ == "__main__":
    main()
