"""Stop when asked to: the first SIGINT or SIGTERM is a request, the second ends the process at once.

An exception raised from a signal handler inside compiled code surfaces as a `SystemError` somewhere else, and may leave
a step half done; so the handler takes a note, and the training loop looks at it between two steps.
"""

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType, TracebackType
from typing import Any, Self

from lstm_cli.errors import Interrupted

SIGNALS = (signal.SIGINT, signal.SIGTERM)


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
        self._at_once = False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            for number in SIGNALS:
                handler = signal.getsignal(number)
                if handler is not None and handler != signal.SIG_IGN:
                    self._before[number] = signal.signal(number, self._handle)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before.clear()

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self.received is not None:
            for stream in (sys.stdout, sys.stderr):
                with suppress(Exception):
                    stream.flush()
            os._exit(128 + number)
        self.received = number
        if self._at_once:
            raise KeyboardInterrupt

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """Raise `Interrupted` at once within this block: for work that can be left anywhere, as compiling."""
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
            raise self.interrupted("before the next step; nothing was lost")

    def interrupted(self, what: str) -> Interrupted:
        """Return the error that ends a stopped run; `what` says how far it came."""
        number = signal.Signals(self.received or signal.SIGINT)
        return Interrupted(f"stopped by {number.name} {what}", number)
