"""The service as a process: it listens, responds, and drains when it is asked to end."""

import os
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from lstm_cli.errors import ConfigError, LstmError
from lstm_cli.predict.ensemble import load
from lstm_cli.predict.run import Run
from lstm_cli.serving.limits import Limits

if TYPE_CHECKING:
    from lstm_cli.serving.app import Service

_ASKED = (signal.SIGINT, signal.SIGTERM)
#: Connections that wait to be accepted.
_BACKLOG = 2048


def serve(
    folder: Path,
    *,
    host: str,
    port: int,
    limits: Limits,
    trust: bool = False,
    note: Callable[[str], None] = lambda text: None,
) -> None:
    """Serve a run until SIGINT or SIGTERM; requests that were received by then get their response.

    Parameters
    ----------
    folder : Path
        The run.
    host, port : str, int
        Where to listen; port 0 is a free one.
    limits : Limits
    trust : bool
        Allow running the code in the folder, of a system that the model drives.
    note : callable
        Called with where the service listens, and with what goes wrong in it.
    """
    try:
        from lstm_cli.serving.app import Service
    except ImportError as error:
        what = f"lstm serve needs starlette and uvicorn ({error})"
        raise ConfigError(f"{what}: pip install 'lstm-cli[serve]'") from None
    with _listening(host, port) as listener:
        run = load(folder, trust=trust)
        _warm_up(run)
        service = Service(run, limits, note)
        listener.listen(_BACKLOG)  # from now on clients are accepted
        shown = f"[{host}]" if ":" in host else host
        note(f"serving {run.name} at http://{shown}:{listener.getsockname()[1]} (/docs says how; Ctrl-C ends it)")
        _run(service, listener, limits)


@contextmanager
def _listening(host: str, port: int) -> Iterator[socket.socket]:
    """Give a socket that is bound, or raise the `ConfigError` that says why it cannot be."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise ConfigError(f"--host {host}: {error.strerror}: give an address of this machine") from None
    with listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(address)
        except OSError as error:
            fix = "give another --port or --host"
            raise ConfigError(f"{host}:{port}: cannot listen there ({error.strerror}): {fix}") from None
        yield listener


def _warm_up(run: Run) -> None:
    """Compile the network's functions before the first request."""
    from lstm_cli.serving.description import example

    with suppress(LstmError):  # an example that it does not take: then the first request compiles
        run.predict([example(run.schema)])


def _run(service: "Service", listener: socket.socket, limits: Limits) -> None:
    import uvicorn

    from lstm_cli.serving.protocol import protocol

    class Server(uvicorn.Server):
        """Ends with exit code 0 when every request has its response; a second signal ends it at once."""

        @contextmanager
        def capture_signals(self) -> Iterator[None]:
            before = {number: signal.signal(number, self.handle_exit) for number in _ASKED}
            try:
                yield
            finally:
                for number, handler in before.items():
                    signal.signal(number, handler)

        def handle_exit(self, sig: int, frame: FrameType | None) -> None:
            if self.should_exit:
                os._exit(128 + sig)
            self.should_exit = True

        async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
            await super().shutdown(sockets)
            await service.batcher.close()

    config = uvicorn.Config(
        service.application, log_config=None, access_log=False, lifespan="off", server_header=False,
        backlog=_BACKLOG, timeout_graceful_shutdown=int(limits.timeout) + 5, proxy_headers=False,
        loop="asyncio", http=protocol(limits.timeout), ws="none",
    )  # fmt: skip
    Server(config).run([listener])
