"""What happens to a run: each mishap takes a session and draws, does it, and checks what is promised about it."""

import random
from collections.abc import Callable

from tests.benchmarks.soak.commands import STOPS, Running
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
        if running.wait_for(running.is_stopped):
            words = [session.world.config, "-o", session.run, *([option] if option else [])]
            second = session.commands.run("train", *words)
            session.check_second(second)
            running.send("SIGCONT")

    session.train(draw, during=during)
    session.tally["paused"] += 1


def file_size(session: Session, draw: random.Random) -> None:
    """No file may grow beyond a limit."""
    session.train(draw, codes={74}, file_size=int(10 ** draw.uniform(1, 5)))
    session.tally["full disks"] += 1


def left_alone(session: Session, draw: random.Random) -> None:
    """Nothing happens."""
    session.train(draw)


MISHAPS: list[Mishap] = [stopped, stopped, stopped_early, killed, killed, paused, file_size, left_alone]
