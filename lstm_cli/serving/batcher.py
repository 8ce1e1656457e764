"""Requests that come together are done together, in a thread of their own, while the next ones are received."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from lstm_cli.serving.work import Question

Work = Callable[[Sequence[Question]], list[bytes | Exception]]
Waiting = tuple[Question, "asyncio.Future[bytes]"]


class Batcher:
    """Collects requests and has them done.

    While one batch is done, the next one collects: under load batches fill without waiting.

    Parameters
    ----------
    work : callable
        From requests to their responses, or errors, in order.
    most : int
        Requests done together.
    wait : float
        Seconds for which the first one waits for others.
    """

    def __init__(self, work: Work, *, most: int, wait: float) -> None:
        self._work, self._most, self._wait = work, most, wait
        self._queue: asyncio.Queue[Waiting] = asyncio.Queue()
        self._thread = ThreadPoolExecutor(1, "predictions")
        self._task: asyncio.Task[Any] | None = None
        #: How many requests each call has had: the last few.
        self.sizes: list[int] = []

    async def ask(self, question: Question) -> bytes:
        """Return the response to a request, or raise the error that is the response."""
        if self._task is None:
            self._task = asyncio.create_task(self._serve())
        response = asyncio.get_running_loop().create_future()
        self._queue.put_nowait((question, response))
        found: bytes = await response
        return found

    async def close(self) -> None:
        """End the thread; no request may be waiting."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        self._thread.shutdown()

    async def _serve(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            # Whoever waits no longer has cancelled: its time was up, or its connection was closed.
            batch = [(question, response) for question, response in await self._collected() if not response.done()]
            if not batch:
                continue
            self.sizes = [*self.sizes[-99:], len(batch)]
            try:
                found = await loop.run_in_executor(self._thread, self._work, [question for question, _ in batch])
            except Exception as error:
                found = [error] * len(batch)
            for (_, response), result in zip(batch, found, strict=True):
                if response.done():
                    continue
                if isinstance(result, Exception):
                    response.set_exception(result)
                else:
                    response.set_result(result)

    async def _collected(self) -> list[Waiting]:
        """Return the next requests: those that wait, and those that come while the first may wait."""
        batch = [await self._queue.get()]
        until = asyncio.get_running_loop().time() + self._wait
        while len(batch) < self._most:
            try:
                async with asyncio.timeout_at(until):
                    batch.append(await self._queue.get())
            except TimeoutError:
                break
        return batch
