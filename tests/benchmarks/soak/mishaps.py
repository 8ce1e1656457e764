"""What happens to a run: each mishap takes a session and draws, does it, and checks what is promised about it."""

import fcntl
import random
from collections.abc import Callable
from pathlib import Path

from tests.benchmarks.soak.checks import Broken
from tests.benchmarks.soak.commands import STOPS, Running
from tests.benchmarks.soak.disk_mishaps import DISKS, full_disk
from tests.benchmarks.soak.file_mishaps import FILES
from tests.benchmarks.soak.session import CODES, Session

Mishap = Callable[[Session, random.Random], None]


def stopped(session: Session, draw: random.Random) -> None:
    """Asked to stop at a random moment, sometimes twice."""
    names = [draw.choice(STOPS)] + ([draw.choice(STOPS)] if draw.random() < 0.2 else [])
    wait, between = session.moment(draw), draw.random() * 0.2
    session.note(f"{' and '.join(names)} at a moment")

    def during(running: Running) -> None:
        wait(running)
        for name in names:
            running.send(name)
            running.wait(between)

    session.train(draw, codes={CODES[name] for name in names}, during=during, killed=len(names) > 1)
    session.tally["signals"] += len(names)


def stopped_early(session: Session, draw: random.Random) -> None:
    """Asked to stop while Python itself starts, when nothing can be promised but that nothing is lost."""
    name, seconds = draw.choice(STOPS), draw.random() * 0.15
    session.note(f"{name} after {seconds:.3f} s")

    def during(running: Running) -> None:
        running.wait(seconds)
        running.send(name)

    session.train(draw, codes={CODES[name]}, during=during, killed=True, early=True)
    session.tally["signals"] += 1


def killed(session: Session, draw: random.Random) -> None:
    """SIGKILL at a random moment."""
    wait = session.moment(draw)
    session.note("SIGKILL at a moment")

    def during(running: Running) -> None:
        wait(running)
        running.send("SIGKILL")

    session.train(draw, codes={-9}, during=during, killed=True)
    session.tally["kills"] += 1


def paused(session: Session, draw: random.Random) -> None:
    """SIGSTOP and SIGCONT; in between a second process wants the folder."""
    wait = session.moment(draw)
    option = draw.choice(["--resume", "--overwrite", None])
    session.note("SIGSTOP at a moment, a second process, SIGCONT")

    def during(running: Running) -> None:
        lock = session.run / ".lstm-run.lock"
        if not running.wait_for(lambda: lock.is_file() and f'"pid": {running.pid},' in lock.read_text()):
            return
        wait(running)
        running.send("SIGSTOP")
        if running.wait_for(running.is_stopped) and is_locked(lock):  # and not done but for its end
            words = [session.world.config, "-o", session.run, *([option] if option else [])]
            second = session.commands.run("train", *words)
            session.check_second(second)
        running.send("SIGCONT")

    session.train(draw, during=during)
    session.tally["paused"] += 1


def is_locked(lock: Path) -> bool:
    """Whether a process holds the lock of a run folder."""
    with lock.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def undisturbed(session: Session, draw: random.Random) -> None:
    """Nothing happens."""
    session.train(draw)


def closed_streams(session: Session, draw: random.Random) -> None:
    """Standard streams are closed: the work is done all the same."""
    closed = [name for name in ("stdin", "stdout", "stderr") if draw.random() < 0.6] or ["stderr"]
    session.train(draw, closed=closed)
    session.tally["closed streams"] += len(closed)


def predicted(session: Session, draw: random.Random) -> None:
    """Predictions with a run that is not finished, whose scores are those of the predictions."""
    if session.has("best"):
        session.predict(session.run)


def prediction_stopped(session: Session, draw: random.Random) -> None:
    """A prediction is stopped or killed: its file is whole, or as it was."""
    if not session.has("best"):
        return
    whole, name = session.predict(session.run), draw.choice([*STOPS, "SIGKILL"])
    folder, seconds = session.place / "said" / "tiny", draw.random() * 2
    folder.mkdir(exist_ok=True)
    out, before = folder / "out.jsonl", draw.choice([b"", b"old\n"])
    out.unlink(missing_ok=True)
    if before:
        out.write_bytes(before)

    def during(running: Running) -> None:
        running.wait_for(running.handles_signals)
        running.wait(seconds)
        running.send(name)

    codes = {CODES.get(name, -9)}
    words = [session.run, session.world.test, *session.world.options, "-o", out]
    ended = session.checked("predict", *words, codes=codes, during=during)
    found = out.read_bytes() if out.exists() else b""
    if found not in (before, whole) or (ended.code == 0 and found != whole):
        raise Broken(f"after exit code {ended.code}, {out} has {len(found)} of {len(whole)} bytes")
    others = [path for path in folder.iterdir() if path != out]
    if others and name != "SIGKILL":
        raise Broken(f"left beside the predictions: {[path.name for path in others]}")
    for path in others:
        path.unlink()
    session.tally["kills" if name == "SIGKILL" else "signals"] += 1


PROCESSES: list[Mishap] = [
    stopped, stopped, stopped, stopped_early, killed, killed, killed, paused, undisturbed, closed_streams, predicted,
    prediction_stopped,
]  # fmt: skip
FIRST: list[Mishap] = [stopped, stopped, killed, killed, full_disk, undisturbed]  # for a run that is not there yet
MISHAPS: list[Mishap] = [*PROCESSES, *DISKS, *FILES]
