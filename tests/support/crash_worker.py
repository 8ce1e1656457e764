"""A process that imports once and then forks a child for every task, for tests that kill the child or fail its calls.

The command line names modules to import. Reads one JSON task a line and replies to each with the child's pid; {"wait":
true} gets its exit code. A child, with everything set up, stops itself, so that a tracer can be attached
before the task begins: SIGCONT begins it.
"""

import ctypes
import importlib
import itertools
import json
import math
import os
import resource
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from lstm_cli.errors import LstmError
from lstm_cli.run.checkpoint import State, load_newest, save
from lstm_cli.run.files import WholeFile
from lstm_cli.run.folder import RunFolder


def state(step: int, size: int = 15) -> State:
    """A state whose every value is its step: a mixture of two would show."""
    return State(
        model={"layer.W": np.full((3, size), step, np.float32), "layer.b": np.full(3, step, np.float32)},
        optimizer={"m": np.full(size, step, np.float32), "t": np.array(step)},
        carried={"h": np.full((1, 3), step, np.float64)},
        position={"step": step, "best": float(step)},
        identity={"made by": f"step {step}"},
    )


def do_save(task: dict) -> None:
    if "limit" in task:
        resource.setrlimit(resource.RLIMIT_FSIZE, (task["limit"], task["limit"]))
    save(state(task["step"], task.get("size", 15)), Path(task["folder"]))


def do_train(task: dict) -> None:
    """Save without end, each new best first, and note every save that was acknowledged."""
    run = RunFolder.resume(Path(task["run"]))
    found = load_newest(run.path)
    step = found.state.position["step"] if found else 0
    with Path(task["acknowledged"]).open("ab", buffering=0) as acknowledged:
        while True:
            step += 1
            for folder in [run.best, run.last] if step % 3 == 0 else [run.last]:
                save(state(step), folder)
                acknowledged.write(f"{folder.name} {step}\n".encode())


def do_open(task: dict) -> None:
    path = Path(task["run"])
    with RunFolder.resume(path) if task["resume"] else RunFolder.create(path, overwrite=task["overwrite"]) as run:
        for name in ("config.yaml", "resolved.yaml", "environment.json"):
            run.write(name, task["content"] * 100)
        run.write("vocabulary.json", task["content"] * 100)
        time.sleep(task.get("seconds", 0))


def fsync_of(task: dict) -> Callable[[int], None]:
    """What is called in place of a sync: it lasts `slow` seconds, and from number `stuck` on it does not end.

    That one says when it begins, and ends the process, with code 1, should it have been waited for.
    """
    number = itertools.count()

    def fsync(descriptor: int) -> None:
        if next(number) < task.get("stuck", math.inf):
            time.sleep(task.get("slow", 0))
            return
        os.write(2, b"a sync is stuck\n")
        time.sleep(100)
        os._exit(1)

    return fsync


def do_run(task: dict) -> None:
    """Start or resume a training run. Syncs are left out unless `sync` is set."""
    from lstm_cli.api import train_run
    from lstm_cli.config import load_config

    if not task.get("sync"):
        os.fsync = fsync_of(task)
    folder = Path(task["run"])
    train_run(load_config(task["config"]), folder, resume=folder.is_dir(), verbosity=1)


def do_stream(task: dict) -> None:
    with WholeFile(Path(task["path"])) as file:
        for row in range(task["rows"]):
            file.write(f"{row}\n".encode())


def child(task: dict) -> None:
    ctypes.CDLL(None).prctl(0x59616D61, ctypes.c_ulong(-1))  # PR_SET_PTRACER, any process: else only a parent may trace
    error = os.open(task["stderr"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(error, 2)
    os.kill(os.getpid(), signal.SIGSTOP)
    code = 1
    try:
        globals()[f"do_{task['do']}"](task)
        code = 0
    except LstmError as error:
        code = error.exit_code
        os.write(2, str(error).encode())
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        os._exit(code)


def main() -> None:
    for module in sys.argv[1:]:
        importlib.import_module(module)
    pid = 0
    for line in sys.stdin:
        task = json.loads(line)
        if "wait" in task:
            reply = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        else:
            pid = reply = os.fork()
            if not pid:
                child(task)
            os.waitpid(pid, os.WUNTRACED)
        sys.stdout.write(f"{reply}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
