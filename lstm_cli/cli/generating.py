"""The options of ``lstm-predict --generate``."""

import math
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import click

from lstm_cli.cli.options import COUNT

Decorated = TypeVar("Decorated", bound=Callable[..., Any])

#: Those beside ``--generate`` itself.
NAMES = ("prompt", "temperature", "top_k", "top_p", "samples", "stop", "seed")


def generation_options(command: Decorated) -> Decorated:
    """Add ``--generate`` and the options that only it has."""
    options = (
        click.option(
            "--generate", type=COUNT, metavar="N", help="Sample N symbols from a language model; without DATA."
        ),
        click.option("--prompt", metavar="TEXT", help="With --generate: the beginning of the text."),
        click.option(
            "--temperature", type=click.FloatRange(min=0), metavar="T",
            callback=lambda context, parameter, given: _finite(given),
            help="With --generate: below 1 more predictable symbols, above 1 more surprising ones, 0 always the most "
            "likely.  [default: 1]",
        ),
        click.option("--top-k", type=COUNT, metavar="K", help="With --generate: draw from the K likeliest symbols."),
        click.option(
            "--top-p", type=click.FloatRange(min=0, min_open=True, max=1), metavar="P",
            help="With --generate: draw from the fewest of the likeliest symbols whose probabilities reach P together.",
        ),
        click.option(
            "--samples", type=COUNT, metavar="M",
            help="With --generate: write M texts, into a .jsonl file as a line each, else under headings.",
        ),
        click.option(
            "--stop", metavar="TEXT", multiple=True,
            help="With --generate: end a text before this one; may be given several times.",
        ),
        click.option(
            "--seed", type=click.IntRange(min=0), metavar="N",
            help="With --generate: seed of the draws; by default another one each time, which is printed.",
        ),
    )  # fmt: skip
    for option in reversed(options):
        command = option(command)
    return command


def check_unused(drawing: Mapping[str, Any]) -> None:
    """Refuse options that are only for ``--generate``."""
    given = [f"--{name.replace('_', '-')}" for name in NAMES if drawing[name] not in (None, ())]
    if given:
        are, them = ("is", "it") if len(given) == 1 else ("are", "them")
        raise click.UsageError(f"{', '.join(given)} {are} for --generate N: give it too, or leave {them} out.")


def chosen(drawing: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options that are given."""
    return {name: value for name, value in drawing.items() if value not in (None, ())}


def _finite(given: float | None) -> float | None:
    """Refuse nan, which no range excludes, and infinity."""
    if given is not None and not math.isfinite(given):
        raise click.BadParameter(f"got {given}, expected a number of 0 or more, such as 0.8")
    return given
