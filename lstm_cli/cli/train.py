"""``lstm-train``: from a config to the run folder of a trained model."""

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from lstm_cli.cli.common import SETTINGS, Command, reported, show
from lstm_cli.cli.completion import keys
from lstm_cli.cli.options import verbosity_of, verbosity_options
from lstm_cli.cli.ranks import check_alone
from lstm_cli.ranks.joining import joined

if TYPE_CHECKING:
    from lstm_cli.training.sinks import Sink

_AUTO = "--resume=auto"


class _Train(Command):
    """The command, whose ``--resume`` takes a value only after ``=``: what follows it may be the config."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the options and arguments."""
        end = args.index("--") if "--" in args else len(args)
        for word in args[:end]:
            if word.startswith("--resume=") and word != _AUTO:
                given = word.partition("=")[2]
                raise click.BadOptionUsage("--resume", f"--resume: got {given!r}, expected nothing or auto.", ctx)
        return super().parse_args(ctx, ["--resume-auto" if word == _AUTO else word for word in args[:end]] + args[end:])


@click.command(
    "train", cls=_Train, ranked=True, context_settings=SETTINGS, short_help="Train the network that a config describes."
)
@click.argument("config", metavar="CONFIG.yaml", type=click.Path(allow_dash=True))
@click.argument("overrides", metavar="[KEY=VALUE]...", nargs=-1, shell_complete=keys)
@click.option(
    "-o", "--out", "folder", metavar="RUN", type=click.Path(path_type=Path),
    help="The run folder.  [default: runs/ and the name of the config file]",
)  # fmt: skip
@click.option(
    "--resume", is_flag=True,
    help="Continue the run in the folder exactly where it stopped; --resume=auto also starts one where there is none.",
)  # fmt: skip
@click.option("--resume-auto", is_flag=True, hidden=True, help="What --resume=auto stands for.")
@click.option("--overwrite", is_flag=True, help="Replace the run in the folder.")
@click.option(
    "--check", is_flag=True,
    help="Only print the data as understood, naive scores, the model and the largest batch's time; write nothing.",
)  # fmt: skip
@click.option(
    "--from", "source", metavar="RUN", type=click.Path(),
    help="Start from the weights and vocabularies of another run; same as the override train.init_from=RUN.",
)  # fmt: skip
@click.option("--seed", type=click.IntRange(min=0), metavar="N", help="Same as the override seed=N.")
@click.option(
    "--seeds", type=click.IntRange(min=2, max=1000), metavar="N",
    help="Train N runs with the seed and those that follow it, as many at a time as there are cores: an ensemble.",
)  # fmt: skip
@click.option(
    "--folds", type=click.IntRange(min=2, max=1000), metavar="K",
    help="Cross-validation: train K runs, as many at a time as there are cores; each holds out another Kth of the "
    "training sequences as data.valid.",
)  # fmt: skip
@click.option("--events-to", type=click.IntRange(min=3), hidden=True, help="A file descriptor for progress.")
@verbosity_options
def train(
    config: str,
    overrides: tuple[str, ...],
    *,
    folder: Path | None,
    resume: bool,
    resume_auto: bool,
    overwrite: bool,
    check: bool,
    source: str | None,
    seed: int | None,
    seeds: int | None,
    folds: int | None,
    events_to: int | None,
    quiet: bool,
    verbose: bool,
) -> None:
    """Train the network that CONFIG.yaml describes on the data it names.

    KEY=VALUE sets one key of the config by its dotted path, with the value in YAML. Paths are relative to the folder of
    the config. CONFIG.yaml may be - for standard input, and with --resume the folder of the run itself.

    \b
    Example:
      lstm-train configs/quickstart.yaml
      lstm-train configs/quickstart.yaml train.epochs=5 'model.layers=[64,64]' -o runs/short
      lstm-train runs/quickstart --resume train.epochs=80
      lstm-train configs/quickstart.yaml --resume=auto
      lstm-train configs/quickstart.yaml --seeds 5 -o runs/five
      lstm-train configs/quickstart.yaml --folds 5 -o runs/folds
      lstm-train configs/quickstart.yaml --from runs/quickstart -o runs/again
    """  # noqa: D301
    verbosity = verbosity_of(quiet=quiet, verbose=verbose)
    if (resume or resume_auto) and overwrite:
        raise click.UsageError("--resume and --overwrite exclude each other: continue the run, or replace it.")
    several = [option for option, given in (("--seeds", seeds), ("--folds", folds)) if given is not None]
    if several and (check or len(several) > 1):
        fix = "check the config of one run" if check else "train several seeds, or several folds"
        raise click.UsageError(f"{several[0]} and {'--check' if check else several[1]} exclude each other: {fix}.")
    if folds is not None and any(text.startswith("data.fold=") for text in overrides):
        raise click.UsageError("--folds sets data.fold: leave one of them out.")
    for option, value in (("--seeds", seeds), ("--folds", folds), ("--check", check)):
        check_alone(option, given=value)
    given = overrides if seed is None else (*overrides, f"seed={seed}")
    if source is not None:
        given = (*given, f"train.init_from={json.dumps(os.path.abspath(source))}")  # noqa: PTH100
    how: bool | Literal["auto"] = "auto" if resume_auto else resume
    with reported(verbosity):
        if seeds is not None or folds is not None:
            _train_several(config, given, seeds, folds, folder, resume=how, overwrite=overwrite, quiet=quiet)
            return
        if Path(config).is_dir() and not check:
            from lstm_cli.api import train as train_path

            train_path(config, given, run=folder, resume=how, overwrite=overwrite, verbosity=verbosity)
            return
        from lstm_cli.config import load_config

        with joined().agreed():
            settings = load_config(config, given)  # before anything slow is imported
        if check:
            from lstm_cli.training.check import check as check_run

            show(str(check_run(settings)))
            return
        from lstm_cli.api import train_run

        sinks = [] if events_to is None else [_piped(events_to)]
        train_run(settings, folder, sinks=sinks, resume=how, overwrite=overwrite, verbosity=verbosity)


def _train_several(
    config: str,
    overrides: Sequence[str],
    seeds: int | None,
    folds: int | None,
    folder: Path | None,
    *,
    resume: bool | Literal["auto"],
    overwrite: bool,
    quiet: bool,
) -> None:
    """Train an ensemble, or the folds of a cross-validation."""
    from lstm_cli.config import load_config
    from lstm_cli.training.members import plan as plans
    from lstm_cli.training.members.shown import Shown, scores_text
    from lstm_cli.training.members.train import train_members

    if seeds is None:
        members = plans.folds(folds or 0)
        settings = load_config(config, [*overrides, *members.each[0].keys])  # whether there may be folds, said once
    else:
        settings = load_config(config, overrides)
        members = plans.seeds(settings, seeds)
    plan = plans.Plan.of(settings, config, overrides, members, folder=folder, resume=resume, overwrite=overwrite)
    shown = Shown(sys.stderr, len(members.each), quiet=quiet)
    try:
        trained = train_members(plan, shown)
    finally:
        shown.close()
    if not quiet:
        click.echo(scores_text(trained), err=True)


def _piped(descriptor: int) -> "Sink":
    from lstm_cli.training.sinks.piped import Piped

    return Piped(descriptor)
