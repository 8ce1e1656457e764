"""Compare a training step through a system with the same loop in eager PyTorch, and time the first step of a run.

    python -m tests.benchmarks.closed_loop [--rounds 7] [--seconds 0.5] [--threads 2] [--start]

Two LSTM layers of 20 drive the double pendulum of `configs/pendulum.py` for 100 steps, 32 of them at a time: forward,
squared error on both angles, backward, clipping, Adam. Each side has a process of its own, and they take turns.
`--start` times whole starts of the command instead, from launch to the first step, with caches of its own: with empty
ones, with another system, with other sizes, and with what was seen before.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from tests.support.paths import ROOT

CONFIGS = ROOT / "configs"
STEPS, BATCH, UNITS, CLIP, RATE = 100, 32, 20, 1.0, 1e-3


def problem() -> tuple[np.ndarray, np.ndarray]:
    """Return starts (B, 4) and goals (B, 2)."""
    rng = np.random.default_rng(0)
    starts = np.zeros((BATCH, 4), np.float32)
    starts[:, ::2] = rng.uniform(-0.5, 0.5, (BATCH, 2))
    return starts, rng.uniform(-0.5, 0.5, (BATCH, 2)).astype(np.float32)


def ours(threads: int) -> Callable[[], float]:
    """Return this project's training step, built as a run builds it; it returns the loss."""
    from lstm_cli.config import config_from_mapping
    from lstm_cli.data import open_data
    from lstm_cli.engine.threads import use_threads
    from lstm_cli.training.session import build_job

    rows = [{"start": s.tolist(), "goal": g.tolist()} for s, g in zip(*problem(), strict=True)]
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "swings.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        mapping = {
            "data": {"train": f"{folder}/swings.jsonl", "valid": None, "inputs": ["start"], "target": "goal"},
            "model": {"layers": [UNITS, UNITS], "output": 1, "dropout": 0.0},
            "rollout": {"dynamics": "pendulum.py:double_pendulum", "steps": STEPS, "loss_on": [0, 2]},
            "optimizer": {"name": "adam", "learning_rate": RATE, "clip_norm": CLIP},
        }
        config = config_from_mapping(mapping, CONFIGS)
        job = build_job(open_data(config))
    use_threads(threads)
    batch, trainer = job.batches.largest(), job.trainer

    def step() -> float:
        loss, _ = trainer.backpropagate(batch, None, divisor=batch.loss_divisor, seed=1, step=0)
        trainer.gradient_norm()
        trainer.update(RATE)
        return loss

    return step


def pytorch(threads: int) -> Callable[[], float]:
    """Return the same in eager PyTorch, as one writes it: LSTMCell and the dynamics in a loop over time."""
    import torch
    from torch import nn

    torch.set_num_threads(threads)
    torch.manual_seed(0)
    first, second, output = nn.LSTMCell(4, UNITS), nn.LSTMCell(UNITS, UNITS), nn.Linear(UNITS, 1)
    parameters = [p for module in (first, second, output) for p in module.parameters()]
    optimizer = torch.optim.Adam(parameters, RATE, fused=True)
    starts, goals = map(torch.from_numpy, problem())

    def pendulum(state: torch.Tensor, push: torch.Tensor) -> torch.Tensor:
        a1, w1, a2, w2 = state.unbind(1)
        sine, cosine = torch.sin(a1 - a2), torch.cos(a1 - a2)
        p = 10.0 * push[:, 0] - w2**2 * sine - 2 * 9.81 * torch.sin(a1) - 0.5 * w1
        q = w1**2 * sine - 9.81 * torch.sin(a2) - 0.5 * w2
        bent = 1 + sine**2
        w1 = w1 + 0.05 * (p - q * cosine) / bent
        w2 = w2 + 0.05 * (2 * q - p * cosine) / bent
        return torch.stack([a1 + 0.05 * w1, w1, a2 + 0.05 * w2, w2], dim=1)

    def step() -> float:
        state, one, two, angles = starts, None, None, []
        for _ in range(STEPS):
            one = first(state, one)
            two = second(one[0], two)
            state = pendulum(state, output(two[0]))
            angles.append(state[:, ::2])
        loss = ((torch.stack(angles) - goals) ** 2).mean()
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, CLIP)
        optimizer.step()
        return loss.item()

    return step


CONTENDERS = {"ours": ours, "pytorch": pytorch}


def serve(name: str, threads: int) -> None:
    """Reply to each line of the input, a number of seconds, with the times of the calls made in them."""
    step = CONTENDERS[name](threads)
    step()
    for line in sys.stdin:
        times, end = [], time.perf_counter() + float(line)
        while len(times) < 3 or time.perf_counter() < end:
            began = time.perf_counter()
            step()
            times.append(time.perf_counter() - began)
        print(json.dumps(times), flush=True)


def compare(rounds: int, seconds: float, threads: int) -> dict[str, float]:
    """Print and return the median time of both, and their ratio."""
    workers = {
        name: subprocess.Popen(
            [sys.executable, "-m", "tests.benchmarks.closed_loop", "--serve", name, "--threads", str(threads)],
            env={**os.environ, "OMP_NUM_THREADS": str(threads)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for name in CONTENDERS
    }
    times: dict[str, list[float]] = {name: [] for name in workers}
    for _ in range(rounds):
        for name, worker in workers.items():
            worker.stdin.write(f"{seconds}\n")
            worker.stdin.flush()
            times[name] += json.loads(worker.stdout.readline())
    for worker in workers.values():
        worker.stdin.close()
        worker.wait()
    mine, other = (statistics.median(times[name]) for name in ("ours", "pytorch"))
    print(f"training step through the pendulum, T {STEPS}, B {BATCH}, LSTM 2 x {UNITS}, {threads} threads:")
    print(f"ours {1e3 * mine:.2f} ms, eager PyTorch {1e3 * other:.1f} ms: {other / mine:.1f} times as fast", flush=True)
    return {"ours": mine, "pytorch": other, "ratio": other / mine}


def first_step(caches: str, *overrides: str) -> float:
    """Return the seconds from launch until a run of the config has made its first step and ended."""
    brief = ["train.epochs=1", "data.valid=null", "data.train=data/pendulum/test.jsonl", "data.test=null"]
    environment = {
        **os.environ, "LSTM_CLI_CACHE": caches, "PYTENSOR_FLAGS": f"base_compiledir={caches}/pytensor",
    }  # fmt: skip
    command = [Path(sys.executable).with_name("lstm-train"), CONFIGS / "pendulum_swing.yaml"]
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        subprocess.run([*command, *brief, *overrides, "-q", "-o", f"{folder}/run"], env=environment, check=True)
        return time.perf_counter() - began


def starts() -> None:
    """Print how long runs take to start."""
    with tempfile.TemporaryDirectory() as caches:
        other = Path(caches, "other.py")
        code = (CONFIGS / "pendulum.py").read_text(encoding="utf-8")
        other.write_text(code.replace("w1 + STEP * (p", "0.99 * w1 + STEP * (p - pt.tanh(w2)"), encoding="utf-8")
        for what, overrides in (
            ("nothing compiled", []),
            ("another system", [f"rollout.dynamics={other}:double_pendulum"]),
            ("other sizes", ["model.layers=[24,12]", "train.batch_size=16", "rollout.steps=50"]),
            ("seen before", []),
        ):
            print(f"{what:18s} {first_step(caches, *overrides):5.1f} s from launch to the end of a run of 2 steps")


def main() -> None:
    """Parse the command line and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=0.5, help="of each side's turn")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--start", action="store_true", help="time starts instead")
    parser.add_argument("--serve", choices=CONTENDERS, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.serve:
        serve(given.serve, given.threads)
    elif given.start:
        starts()
    else:
        compare(given.rounds, given.seconds, given.threads)


if __name__ == "__main__":
    main()
