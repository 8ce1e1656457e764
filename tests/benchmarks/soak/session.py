"""One run under test: trained and predicted by real processes, each checked, beside an undisturbed one."""

import math
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from lstm_cli.run.names import BEST, LAST, LOG, METRICS, SCHEMA
from tests.benchmarks.soak import checks
from tests.benchmarks.soak.checks import Broken
from tests.benchmarks.soak.commands import STOPS, Commands, Ended, Running
from tests.benchmarks.soak.damage import copy_of
from tests.benchmarks.soak.disk import Disk, can_mount
from tests.benchmarks.soak.worlds import draw_world
from tests.support.data import read_jsonl

CODES = {name: 128 + getattr(signal, name) for name in STOPS}
CHECKPOINTS = (LAST, BEST)
MEGABYTES = 1500  # that no process may need for data this small

#: Exit codes of a process that is asked to stop while Python itself starts.
EARLY = {1, 130, *(-getattr(signal, name) for name in STOPS)}

#: Variables that change no result. A value of None leaves one out.
ENVIRONMENTS: list[dict[str, str | None]] = [
    {"HOME": None},
    {"HOME": "/nonexistent"},
    {"PYTENSOR_FLAGS": "floatX=float16"},
    {"PYTENSOR_FLAGS": "mode=FAST_COMPILE,optimizer=None"},
    {"PYTENSOR_FLAGS": "cxx=/bin/false,blas__ldflags=-lnothing"},
    {"PYTENSOR_FLAGS": "exception_verbosity=high,compute_test_value=raise"},
    {"OMP_NUM_THREADS": "7", "OPENBLAS_NUM_THREADS": "3", "MKL_NUM_THREADS": "5"},
    {"OMP_WAIT_POLICY": "passive", "OMP_DYNAMIC": "true", "OMP_PROC_BIND": "true"},
    {"NUMBA_NUM_THREADS": "2", "NUMBA_CAPTURED_ERRORS": "new_style", "NUMBA_DEBUG_CACHE": "0"},
    {"LANG": "C", "LC_ALL": "C"},
    {"TZ": "Pacific/Kiritimati", "COLUMNS": "1", "TERM": "dumb", "NO_COLOR": "1"},
    {"PYTHONHASHSEED": "4", "PYTHONWARNINGS": "always"},
    {"TMPDIR": None, "PYTHONUNBUFFERED": "1"},
]


class Session:
    """A round's world, the run under test and the undisturbed one.

    Attributes
    ----------
    run
        The folder of the run under test; it can be moved.
    reached
        Step that is saved for sure.
    lost_metrics
        Whether metrics.jsonl was removed, so that its first lines may be missing.
    trained_by_last
        Whether the last process trained at all.
    used_kernels
        The files of compiled kernels that this world needs.
    log
        What was done, for the report of a failure.
    """

    def __init__(self, draw: random.Random, place: Path, cache: Path, tally: Counter[str]) -> None:
        place.mkdir()
        self.place, self.cache, self.tally, self.log = place, cache, tally, list[str]()
        self.world = draw_world(draw, place / "data")
        self.commands = Commands(place, cache)
        self.runs = place / "runs"
        self.runs.mkdir()
        (place / "link").symlink_to("runs")
        self.disk = Disk(self.runs) if can_mount() and draw.random() < 0.6 else None
        self.run, self.whole = self.runs / "run", place / "whole"
        self.reached, self.lost_metrics, self.trained_by_last = 0, False, False
        self.used_kernels: list[Path] = []
        self.usual: set[str] | None = None
        self.strays: dict[str, str] = {}
        self.note(f"world: {self.world.name}: {self.world.settings}")

    def note(self, text: str) -> None:
        self.log.append(text)

    def close(self) -> None:
        self.commands.kill_all()
        if self.disk:
            self.disk.close()

    def train_whole(self) -> None:
        """Train the undisturbed run, and predict with it."""
        unread = self.kernels()
        for path in unread:
            os.utime(path, ns=(0, path.stat().st_mtime_ns))
        began = time.monotonic()
        ended = self.checked("train", self.world.config, "-o", self.whole, "-q")
        self.usual = set(ended.lines)
        self.used_kernels = [path for path in self.kernels() if path.stat().st_atime_ns] or self.kernels()
        trained = time.monotonic()
        self.note(f"uninterrupted: {trained - began:.1f} s, {ended.megabytes} MB")
        self.expected = self.predict(self.whole)
        predicting = time.monotonic() - trained  # in two processes, which compile nothing new
        self.seconds, self.lines = min(trained - began, 2 * predicting), len(read_jsonl(self.whole / METRICS))

    def kernels(self) -> list[Path]:
        return sorted(path for path in self.cache.rglob("*") if path.is_file())

    def checked(
        self,
        *arguments: str | Path,
        during: Callable[[Running], None] = lambda running: None,
        codes: Iterable[int] = (),
        notes: str = "",
        early: bool = False,
        **options: Any,
    ) -> Ended:
        """Run a command to its end and check what it printed, its code, its memory and the files around it.

        Parameters
        ----------
        arguments, options
            As for `Commands.start`.
        during
            What is done while it runs.
        codes
            Exit codes other than 0 that it may end with.
        notes
            Pattern of warnings that it may print.
        early
            Whether it may have been stopped while Python itself started.
        """
        before = self._around()
        running = self.commands.start(*map(str, arguments), **options)
        during(running)
        ended = running.end()
        shown = {key: value for key, value in options.items() if value}
        self.note(f"`{ended.command}` {shown or ''}: {ended.code}")
        self.tally["processes"] += 1
        if not (early and ended.code in EARLY):
            cut = len(ended.err.encode()) >= options.get("file_size", math.inf)  # its message is a file as well
            closed = cut or "stderr" in options.get("closed", ())
            checks.check_end(
                ended, {0, *codes}, notes=notes, usual=self.usual if "-q" in arguments else None, closed=closed
            )
        checks.check_untouched(before, self._around(), f"`{ended.command}`")
        if ended.megabytes > MEGABYTES:
            raise Broken(f"`{ended.command}` needed {ended.megabytes} MB")
        return ended

    def _around(self) -> dict[str, tuple[int, int]]:
        """All that a command has to leave alone."""
        found = {}
        for name in ("data", "home", "tmp", "cwd"):
            found |= checks.tree(self.place / name)
        return found | {str(path): (0, 0) for path in self.runs.iterdir() if path != self.run}

    def train(
        self,
        draw: random.Random,
        *,
        codes: Iterable[int] = (),
        killed: bool = False,
        intact: Sequence[str | None] = CHECKPOINTS,
        **options: Any,
    ) -> Ended:
        """Start or continue the run by a process, in one of many ways that are the same, and check what it left."""
        codes, config = set(codes), self.world.config
        run = draw.choice([self.run, self.run, self.place / "link" / self.run.name, self.relative(self.run)])
        config = draw.choice([config, self.relative(config)])
        words = [config, "-o", run, *(["--resume"] if self.run.exists() else [])]
        words += draw.choice([[], ["-q"], ["-v"] if not codes else ["-q"]])
        if draw.random() < 0.4:
            options["environment"] = draw.choice(ENVIRONMENTS) | options.get("environment", {})
        before = self._logged()
        ended = self.checked("train", *words, codes=codes, **options)
        self.tally["resumed" if "--resume" in words else "started"] += 1
        self.trained_by_last = "first step" in self._logged()[len(before) :]
        self.check_run(killed=killed or ended.code < 0, intact=intact)
        return ended

    def check_run(self, *, killed: bool = False, intact: Sequence[str | None] = CHECKPOINTS) -> None:
        self.reached = checks.check_state(self.run, self.reached, intact)
        if not killed and (left := checks.leftovers(self.run)):
            raise Broken(f"left in the run folder: {left}")
        for name, text in self.strays.items():
            if not (self.run / name).is_file() or (self.run / name).read_text() != text:
                raise Broken(f"{name}: a file of the user's is gone")

    def _logged(self) -> str:
        path = self.run / LOG
        return path.read_text(errors="replace") if path.is_file() else ""

    def relative(self, path: Path) -> Path:
        return Path("..") / path.relative_to(self.place)

    def moment(self, draw: random.Random) -> Callable[[Running], None]:
        """Draw a moment of a run, by the clock or by the lines of metrics.jsonl, and return what waits for it."""
        seconds, lines, by_clock = draw.random() * 1.1 * self.seconds, draw.randint(0, self.lines), draw.random() < 0.4
        between = draw.random() * 0.05
        path = self.run / METRICS

        def wait(running: Running) -> None:
            running.wait_for(running.handles_signals)
            if by_clock:
                running.wait(seconds)
            else:
                running.wait_for(lambda: path.is_file() and path.read_bytes().count(b"\n") >= lines)
                running.wait(between)

        return wait

    def predict(self, run: Path, **options: Any) -> bytes:
        """Predict with a run, check the predictions and their scores, and return the file."""
        out = self.place / "said" / "predictions.jsonl"
        out.unlink(missing_ok=True)
        self.checked("predict", run, self.world.test, *self.world.options, "-o", out, **options)
        rows, content = checks.check_whole(out), out.read_bytes()
        if self.world.task is not None:
            printed = self.checked("predict", run, self.world.test, "--evaluate", **options).out
            tested = [entry for entry in read_jsonl(run / METRICS) if entry["split"] == "test"]
            logged = tested[-1] if tested else None
            checks.check_scores(printed, self.world.scores(rows), logged)
        self.tally["predicted"] += 1
        return content

    def finish(self, draw: random.Random) -> None:
        """Train to the end, and compare with the undisturbed run."""
        self.train(draw)
        found = checks.differences(self.run, self.whole)
        found += checks.metric_differences(self.run, self.whole, only_end=self.lost_metrics)
        found += [f"{name} differs" for name in SCHEMA if not checks.same_file(self.run / name, self.whole / name)]
        if found:
            raise Broken("the run differs from the uninterrupted one:\n" + "\n".join(found[:10]))
        if self.predict(self.run) != self.expected:
            raise Broken("the predictions differ from those of the uninterrupted run")
        self.tally["compared bit for bit"] += 1

    def check_second(self, ended: Ended) -> None:
        """A second process in the folder was refused."""
        self.tally["processes"] += 1
        self.note(f"second: `{ended.command}`: {ended.code}")
        if ended.code != 75:
            raise Broken(f"a second process ended with {ended.code} in place of 75:\n{ended.err}")
        checks.check_end(ended, {75})

    def has(self, name: str) -> bool:
        return (self.run / name).is_dir()

    def backup(self) -> Callable[[], None]:
        """Copy the run folder, and return what puts it back, as a user with a backup would."""
        copy, reached = copy_of(self.run, self.place / "said" / "backup"), self.reached

        def restore() -> None:
            copy_of(copy, self.run)
            self.reached = reached

        return restore
