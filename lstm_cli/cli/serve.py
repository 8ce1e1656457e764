"""``lstm serve``: a trained network as a service."""

from pathlib import Path

import click

from lstm_cli.cli.common import SETTINGS, Command, noting, reported
from lstm_cli.cli.options import COUNT, run_argument, trust_option, verbosity_of, verbosity_options


@click.command(
    "serve", cls=Command, context_settings=SETTINGS, short_help="Serve a trained network over HTTP, JSON in and out."
)
@run_argument
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen at; 0.0.0.0: any of them.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8000, show_default=True, help="Port to listen at; 0: a free one."
)
@click.option(
    "--max-batch", type=COUNT, metavar="N", default=64, show_default=True,
    help="Requests that one call of the network responds to.",
)  # fmt: skip
@click.option(
    "--max-wait", type=click.FloatRange(0, 10_000), metavar="MS", default=2, show_default=True,
    help="Milliseconds for which a request waits for others.",
)  # fmt: skip
@click.option(
    "--max-steps", type=COUNT, metavar="N", default=100_000, show_default=True,
    help="Steps of a request, given and forecast ones together; more are refused (413).",
)  # fmt: skip
@click.option(
    "--max-bytes", type=COUNT, metavar="N", default=1 << 24, show_default=True,
    help="Bytes of a request; more are refused (413).",
)  # fmt: skip
@click.option(
    "--timeout", type=click.FloatRange(0.001, 86_400), metavar="S", default=30, show_default=True,
    help="Seconds within which a request is responded to, or given up (504).",
)  # fmt: skip
@trust_option
@verbosity_options
def serve(
    run: Path,
    *,
    host: str,
    port: int,
    max_batch: int,
    max_wait: float,
    max_steps: int,
    max_bytes: int,
    timeout: float,
    trust: bool,
    quiet: bool,
    verbose: bool,
) -> None:
    """Serve the model in the run folder RUN over HTTP: POST /predict and /forecast take and give JSON.

    /docs shows how, /schema the columns, /health whether it runs. There is no authentication: put a proxy before it
    where others can reach it. SIGTERM and Ctrl-C end it when each request received by then has its response.

    \b
    Example:
      lstm serve runs/quickstart --port 8080
      curl localhost:8080/predict -d '{"sequences": [{"id": "a", "acceleration": [[0.1, 0.2, 9.8]]}]}'
    """  # noqa: D301
    with reported(verbosity_of(quiet=quiet, verbose=verbose)):
        from lstm_cli.serving.limits import Limits
        from lstm_cli.serving.server import serve as run_service

        limits = Limits(most_bytes=max_bytes, most_steps=max_steps, timeout=timeout, batch=max_batch,
                        wait=max_wait / 1000)  # fmt: skip
        run_service(run, host=host, port=port, limits=limits, trust=trust, note=noting(quiet=quiet))
