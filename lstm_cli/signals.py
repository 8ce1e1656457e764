"""Stop when asked to: the first SIGINT or SIGTERM is a request, the second ends the process at once.

What was asked for first decides how a process ends: once that is done, a second signal changes nothing.

An exception raised from a signal handler inside compiled code surfaces as a `SystemError` somewhere else, and may leave
a step half done; so the handler takes a note, and the training loop looks at it between two steps.
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

SIGNALS = (signal.SIGINT, signal.SIGTERM)
INSISTENCE = 5, 0.2  # times that an exception which had no effect is raised again, and seconds between two
UNHARMED = "before the next step; nothing was lost"


def end_at_once() -> None:
    """Have a signal end this process at once: for a command, wherever it has nothing to save."""
    for number in SIGNALS:
        if _is_heard(number):
            signal.signal(number, _end)


def end_undisturbed() -> None:
    """Have no signal change how a command ends that has come to its end: Python takes a while to leave."""
    for number in SIGNALS:
        if signal.getsignal(number) is _end:
            signal.signal(number, signal.SIG_IGN)


def _is_heard(number: int) -> bool:
    return signal.getsignal(number) not in (None, signal.SIG_IGN)


_ended_by: list[int] = []  # signals that `_end` has heard of


def _end(number: int, frame: FrameType | None) -> None:
    _ended_by.append(number)
    if len(_ended_by) == 1:  # else the first one waits for somebody to read what it says
        _flush()
        with suppress(OSError):
            os.write(2, f"stopped by {signal.Signals(number).name}\n".encode())
    os._exit(128 + _ended_by[0])


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        with suppress(Exception):
            stream.flush()


class Signals:
    """Notes signals while its `with` block runs.

    Outside the main thread, where Python allows no handlers, nothing is noted; a signal that the process was started to
    ignore stays ignored.

    Attributes
    ----------
    received : int or None
        Number of the first signal.
    """

    def __init__(self) -> None:
        self.received: int | None = None
        self._obeyed = False
        self._at_once = False
        self._repeating = False
        self._progress = UNHARMED
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            for number in SIGNALS:
                if _is_heard(number):
                    self._before[number] = signal.signal(number, self._handle)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            over = handler is _end and self.received is not None  # the command has only to say so
            signal.signal(number, signal.SIG_IGN if over else handler)
        self._before.clear()
        if kind is KeyboardInterrupt and self.received is not None:  # it came at the very end of `at_once`
            raise self.interrupted(self._progress) from None

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self._obeyed:
            return
        if self.received is None:
            self.received = number
        elif not self._repeating:
            _flush()
            os._exit(128 + number)
        if self._at_once:
            raise KeyboardInterrupt

    @contextmanager
    def at_once(self, progress: str = UNHARMED) -> Iterator[None]:
        """Raise `Interrupted` at once within this block: for work that can be left anywhere, as compiling.

        `progress` says in the message how far it came.
        """
        self._progress = progress
        with ExitStack() as stack:
            if self._before:
                stack.enter_context(self._insistence())
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
    def _insistence(self) -> Iterator[None]:
        """See to it that the block is left after a signal.

        Its exception waits as long as compiled code runs, and is lost where that calls back into Python. So a thread,
        which hears of the signal at once, has it raised again and, if all is in vain, ends the process.
        """
        reader, writer = os.pipe()
        os.set_blocking(writer, False)
        left = threading.Event()
        thread = threading.Thread(target=self._insist, args=(reader, left), daemon=True)
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

    def _insist(self, reader: int, left: threading.Event) -> None:
        times, seconds = INSISTENCE
        while (heard := os.read(reader, 1)) and heard[0] not in self._before:
            pass
        for _ in range(times if heard else 0):
            if left.wait(seconds):
                return
            self._repeating = True
            _thread.interrupt_main(heard[0])
        if heard and not left.wait(seconds):
            self.received = heard[0]
            with suppress(OSError):
                os.write(2, f"{self.interrupted(self._progress)}\n".encode())
            os._exit(128 + heard[0])

    def interrupted(self, what: str) -> Interrupted:
        """Return the error that ends a stopped run; `what` says how far it came. No further signal has an effect."""
        self._obeyed = True
        number = signal.Signals(self.received or signal.SIGINT)
        return Interrupted(f"stopped by {number.name} {what}", number)
