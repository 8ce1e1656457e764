"""A line on a terminal that says what a run waits for, and for how long: compiling takes many seconds."""

import threading
import time
from collections.abc import Callable

DELAY = 1.0  # seconds before the line is shown


class Clock:
    """Shows one line, written by a thread that does nothing else.

    Parameters
    ----------
    write
        Writes text on the terminal. It is called from the thread, and from `stop`.
    delay
        Seconds before the line is shown.
    """

    def __init__(self, write: Callable[[str], object], *, delay: float = DELAY) -> None:
        self._write, self._delay = write, delay
        self._lock = threading.Lock()  # a line is written whole
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None
        self._text, self._longest = "", 0
        self._began = 0.0

    def show(self, text: str) -> None:
        """Show a text from now on; the seconds count from the first one since the last `stop`."""
        self._text = text
        if self._thread is None:
            self._began = time.monotonic()
            self._ended = threading.Event()
            self._thread = threading.Thread(target=self._tick, args=(self._ended,), daemon=True)
            self._thread.start()

    def stop(self) -> float:
        """Remove the line; return the seconds that it has counted."""
        thread, self._thread = self._thread, None
        if thread is None:
            return 0.0
        self._ended.set()
        thread.join()
        self.write_above("")
        return time.monotonic() - self._began

    def write_above(self, text: str) -> None:
        """Write lines in place of the clock's, which comes again below them."""
        with self._lock:
            blank, self._longest = self._longest, 0
            if blank or text:
                self._write(f"\r{' ' * blank}\r{text}" if blank else text)

    def _tick(self, ended: threading.Event) -> None:
        """Write the line once a second, and leave the cursor at its start: what else is written begins there."""
        wait = self._delay
        while not ended.wait(wait):
            passed = time.monotonic() - self._began
            line = f"{self._text} {passed:.0f} s"
            with self._lock:
                self._longest = max(self._longest, len(line))
                self._write(f"\r{line.ljust(self._longest)}\r")
            wait = 1.0 - passed % 1.0
