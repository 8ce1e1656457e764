"""Work that training does not wait for: functions that run one after another in a thread."""

from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from threading import Thread
from typing import Any


class Background:
    """Runs functions in turn in a thread of its own, which ends with the process even while one of them runs."""

    def __init__(self) -> None:
        self._waiting: SimpleQueue[tuple[Future[Any], Callable[[], Any]] | None] = SimpleQueue()
        Thread(target=self._work, name="tracking", daemon=True).start()

    def run(self, function: Callable[[], Any]) -> "Future[Any]":
        """Have a function run after those before it; return the future of its result."""
        future: Future[Any] = Future()
        self._waiting.put((future, function))
        return future

    def close(self) -> None:
        """End the thread after the last function; nothing waits for that."""
        self._waiting.put(None)

    def _work(self) -> None:
        while (job := self._waiting.get()) is not None:
            future, function = job
            try:
                future.set_result(function())
            except BaseException as error:  # whoever waits for the result gets it
                future.set_exception(error)
