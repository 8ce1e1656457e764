"""Tells when numba really compiles, which takes many seconds, and does not only load the code that it kept on disk."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from numba.core.event import Event, Listener, install_listener

PASS = "numba:run_pass"  # of the compiler over a function: there are none for code that is loaded


class _First(Listener):  # type: ignore[misc]  # numba has no types
    """Calls a function at the first event."""

    def __init__(self, call: Callable[[], Any]) -> None:
        self._call, self._called = call, False

    def on_start(self, event: Event) -> None:
        """Handle the start of what the event is about."""
        if not self._called:
            self._called = True
            self._call()

    def on_end(self, event: Event) -> None:
        """Do nothing."""


@contextmanager
def at_compilation(call: Callable[[], Any]) -> Iterator[None]:
    """Call a function once, when numba begins to compile something within the block."""
    with install_listener(PASS, _First(call)):
        yield
