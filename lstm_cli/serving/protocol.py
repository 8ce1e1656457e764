"""HTTP as the service speaks it: a connection that sends no request is closed."""

import asyncio

from uvicorn.protocols.http.h11_impl import H11Protocol


def protocol(wait: float) -> type[H11Protocol]:
    """Return the protocol of connections that have `wait` seconds to send the head of a request.

    Without such a limit, clients that stop in the middle of it could hold all connections that a process can have. What
    follows the head has the limit of the request, and a connection kept after a response that of uvicorn.
    """

    class Protocol(H11Protocol):
        _limit: asyncio.TimerHandle | None = None

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            self._expect()

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            self._expect()

        def connection_lost(self, exc: Exception | None) -> None:
            self._expect_nothing()
            super().connection_lost(exc)

        def _expect(self) -> None:
            """Start the time of the next head, unless it runs, or end it where the request is there."""
            if self.cycle is not None and not self.cycle.response_complete:
                self._expect_nothing()
            elif self._limit is None:
                self._limit = self.loop.call_later(wait, self.transport.close)

        def _expect_nothing(self) -> None:
            if self._limit is not None:
                self._limit.cancel()
                self._limit = None

    return Protocol
