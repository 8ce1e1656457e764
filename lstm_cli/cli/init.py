"""``lstm init``: from a data file to a commented config."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lstm_cli.cli.common import SETTINGS, Command, reported, show

if TYPE_CHECKING:
    from lstm_cli.insight.draft.targets import Candidate


@click.command("init", cls=Command, context_settings=SETTINGS, short_help="Write a config for a data file.")
@click.argument("data", metavar="[DATA]...", nargs=-1)
@click.option(
    "-o", "--out", metavar="FILE", type=click.Path(path_type=Path),
    help="The config; with --example the folder.  [default: the name of the data, with .yaml, in the current folder]",
)  # fmt: skip
@click.option(
    "--task", metavar="TASK",
    help="classify (a label for each sequence), tag (a label for each step), regress (a number), forecast (later "
    "numbers) or language-model (the next token or set).  [default: what the data suggests]",
)  # fmt: skip
@click.option(
    "--target", metavar="COLUMN",
    help="The column to predict, or next for the next step.  [default: the one that fits; asked where several do]",
)  # fmt: skip
@click.option("--example", metavar="NAME", help="Write this config of the package, and its data.")
@click.option("--list", "names", is_flag=True, help="Print which configs the package has.")
@click.option("--overwrite", is_flag=True, help="Replace the config if there is one.")
@click.option("-v", "--verbose", is_flag=True, help="Print the traceback of an error.")
def init(
    data: tuple[str, ...],
    *,
    out: Path | None,
    task: str | None,
    target: str | None,
    example: str | None,
    names: bool,
    overwrite: bool,
    verbose: bool,
) -> None:
    """Write a commented config that trains as it is, from what DATA shows.

    DATA is a file, several, a folder or a pattern in quotes, in any format that training reads. Files beside a training
    file that are named like it, such as x-test.csv beside x-train.csv, become validation and test data.

    \b
    Example:
      lstm init recordings.csv
      lstm init load.csv --target load -o load.yaml
      lstm init news-train.conllu --task tag
      lstm init --example quickstart
    """  # noqa: D301
    if bool(data) + (example is not None) + names != 1:
        raise click.UsageError("Give data to describe, or --example NAME, or --list.")
    if not data and (task or target or overwrite):
        raise click.UsageError("--task, --target and --overwrite are for a config of your data: give DATA.")
    with reported(int(verbose)):
        if not data:
            _example(example, out)
            return
        from lstm_cli.insight.draft.write import write_draft

        draft, path = write_draft(
            data, out, task=task, target=target, overwrite=overwrite, choose=_asked if _is_terminal() else None
        )
        show(f"{draft.seen}\n{path}: task {draft.task}; next:\n  lstm check {path}\n  lstm-train {path}")


def _example(name: str | None, folder: Path | None) -> None:
    """Write an example into a folder; without a name, print which there are."""
    from lstm_cli.insight.examples import listing, next_commands, write_example

    if name is None:
        show(listing())
        return
    path = write_example(name, folder or ".")
    show(f"{path}: next:\n" + "\n".join(f"  {command}" for command in next_commands(path)))


def _is_terminal() -> bool:
    return all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stderr))


def _asked(candidates: "Sequence[Candidate]") -> "Candidate | None":
    """Ask which of several targets is meant; None where no answer comes."""
    click.echo("Several targets fit:", err=True)
    for number, candidate in enumerate(candidates, start=1):
        click.echo(f"  {number}  {candidate.shown}: {candidate.what}", err=True)

    def named(answer: str) -> "Candidate":
        return _named(answer.strip(), candidates)

    try:
        chosen: Candidate = click.prompt("Which one (a number or a name)", value_proc=named, err=True)
    except click.Abort:
        click.echo(err=True)
        return None
    return chosen


def _named(answer: str, candidates: "Sequence[Candidate]") -> "Candidate":
    """Return the candidate that an answer numbers or names; capitals do not matter where the names differ otherwise."""
    from lstm_cli.errors import brief, did_you_mean, nearest

    names = [candidate.shown for candidate in candidates]
    found = [place for place, name in enumerate(names) if name == answer]
    found = found or [place for place in range(len(names)) if str(place + 1) == answer]
    found = found or [place for place, name in enumerate(names) if name.strip().casefold() == answer.casefold()]
    if len(found) == 1:
        return candidates[found[0]]
    hint = did_you_mean(nearest(answer, names))
    raise click.UsageError(f"{brief(answer)} is none of them: give a number from 1 to {len(names)}, or a name{hint}")
