"""Stopping on request: the first signal is a request, the second SIGINT or SIGTERM ends the process at once.

The first signal decides how a process ends: once its request is met, a second one changes nothing.

Batch systems, limits and closed terminals warn before they kill. Such a warning is a request too, but never ends the
process at once: SIGXCPU comes every second, SIGHUP often twice, and SIGTERM follows most of them.

An exception raised from a signal handler inside compiled code surfaces as a `SystemError` somewhere else, and may leave
an update half done. The handler therefore sets a flag, which the training loop checks between two updates.
"""

import _thread
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from types import FrameType, TracebackType
from typing import Any, Self

from lstm_cli.errors import Interrupted

ASKED = (signal.SIGINT, signal.SIGTERM)
WARNINGS = (signal.SIGHUP, signal.SIGXCPU, signal.SIGUSR1, signal.SIGUSR2, signal.SIGALRM)
SIGNALS = (*ASKED, *WARNINGS)
RETRIES, RETRY_SECONDS = 5, 0.2  # how often an exception that had no effect is raised again, and after how long
BEFORE_NEXT_STEP = "before the next step; nothing was lost"


def end_at_once() -> None:
    """Let a signal end this process at once: for a command while it has nothing to save."""
    for number in SIGNALS:
        if _is_handled(number):
            signal.signal(number, _end)


def end_undisturbed() -> None:
    """Let no signal change how a finished command ends: Python takes a while to exit."""
    for number in SIGNALS:
        if signal.getsignal(number) is _end:
            signal.signal(number, signal.SIG_IGN)


def _is_handled(number: int) -> bool:
    """Return whether a signal is ours to handle: not if it is ignored, or a warning that the program itself handles."""
    handler = signal.getsignal(number)
    return handler in (signal.SIG_DFL, _end) or (number in ASKED and handler not in (None, signal.SIG_IGN))


_ended_by: list[int] = []  # signals that `_end` has received


def _end(number: int, frame: FrameType | None) -> None:
    _ended_by.append(number)
    if len(_ended_by) == 1:  # else the first one still waits for its output to be read
        _flush()
        with suppress(OSError):
            os.write(2, f"stopped by {signal.Signals(number).name}\n".encode())
    os._exit(128 + _ended_by[0])


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        with suppress(Exception):
            stream.flush()


class Signals:
    """Records signals while its `with` block runs.

    Outside the main thread, where Python allows no handlers, nothing is recorded. A signal that the process was started
    to ignore, as by nohup, stays ignored, and a program's own handler of a warning stays.

    Attributes
    ----------
    received : int or None
        Number of the first signal.
    """

    def __init__(self) -> None:
        self.received: int | None = None
        self._asked = False
        self._request_met = False
        self._at_once = False
        self._repeating = False
        self._progress = BEFORE_NEXT_STEP
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            for number in SIGNALS:
                if _is_handled(number):
                    self._before[number] = signal.signal(number, self._handle)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            finished = handler is _end and self.received is not None  # the command only has its message left to print
            signal.signal(number, signal.SIG_IGN if finished else handler)
        self._before.clear()
        if kind is KeyboardInterrupt and self.received is not None:  # it came at the very end of `at_once`
            raise self.interrupted(self._progress) from None

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self._request_met:
            return
        first, insists = self.received is None, self._asked and number in ASKED
        self._asked = self._asked or number in ASKED
        if first:
            self.received = number
        elif insists and not self._repeating:
            _flush()
            os._exit(128 + number)
        if self._at_once and (first or self._repeating):
            raise KeyboardInterrupt

    @contextmanager
    def at_once(self, progress: str = BEFORE_NEXT_STEP) -> Iterator[None]:
        """Raise `Interrupted` at once within this block: for work that can be abandoned anywhere, such as compiling.

        `progress` says in the message how far the work got.
        """
        self._progress = progress
        with ExitStack() as stack:
            if self._before:
                stack.enter_context(self._retried())
            self._at_once = True
            try:
                if self.received is None:
                    yield
            except BaseException:
                if self.received is None:
                    raise
            finally:
                self._at_once = False
        if self.received is not None:
            raise self.interrupted(progress)

    @contextmanager
    def _retried(self) -> Iterator[None]:
        """Make sure that the block is left after a signal.

        The handler's exception waits as long as compiled code runs, and is lost where that calls back into Python. So a
        thread, which receives the signal at once, has it raised again and, if nothing helps, ends the process.
        """
        reader, writer = os.pipe()
        os.set_blocking(writer, False)
        left = threading.Event()
        thread = threading.Thread(target=self._retry, args=(reader, left), daemon=True)
        thread.start()
        wakeup, hook = signal.set_wakeup_fd(writer, warn_on_full_buffer=False), sys.unraisablehook
        sys.unraisablehook = lambda lost: None if self.received else hook(lost)
        try:
            yield
        finally:
            left.set()
            signal.set_wakeup_fd(wakeup)
            sys.unraisablehook = hook
            os.close(writer)
            thread.join()
            os.close(reader)

    def _retry(self, reader: int, left: threading.Event) -> None:
        """Raise a signal's exception again until the block is left, and in the end leave the process."""
        while (received := os.read(reader, 1)) and received[0] not in self._before:
            pass
        for _ in range(RETRIES if received else 0):
            if left.wait(RETRY_SECONDS):
                return
            self._repeating = True
            _thread.interrupt_main(signal.Signals(received[0]))
        if received and not left.wait(RETRY_SECONDS):
            self.received = received[0]
            with suppress(OSError):
                os.write(2, f"{self.interrupted(self._progress)}\n".encode())
            os._exit(128 + received[0])

    def interrupted(self, progress: str) -> Interrupted:
        """Return the error that ends a stopped run; `progress` says how far it got. Further signals have no effect."""
        self._request_met = True
        number = signal.Signals(self.received or signal.SIGINT)
        return Interrupted(f"stopped by {number.name} {progress}", number)
