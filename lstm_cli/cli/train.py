"""``lstm-train``: from a config to the run folder of a trained model."""

from pathlib import Path

import click

from lstm_cli.cli.common import SETTINGS, Command, reported, show, verbosity_of, verbosity_options


@click.command("train", cls=Command, context_settings=SETTINGS, short_help="Train the network that a config describes.")
@click.argument("config", metavar="CONFIG.yaml")
@click.argument("overrides", metavar="[KEY=VALUE]...", nargs=-1)
@click.option(
    "-o", "--out", "folder", metavar="RUN", type=click.Path(path_type=Path),
    help="The run folder.  [default: runs/ and the name of the config file]",
)  # fmt: skip
@click.option("--resume", is_flag=True, help="Continue the run in the folder exactly where it stopped.")
@click.option("--overwrite", is_flag=True, help="Replace the run in the folder.")
@click.option(
    "--check", is_flag=True,
    help="Only print the model, lengths and padding, and run the largest batch once; write nothing.",
)  # fmt: skip
@click.option("--seed", type=click.IntRange(min=0), metavar="N", help="Same as the override seed=N.")
@verbosity_options
def train(
    config: str,
    overrides: tuple[str, ...],
    *,
    folder: Path | None,
    resume: bool,
    overwrite: bool,
    check: bool,
    seed: int | None,
    quiet: bool,
    verbose: bool,
) -> None:
    """Train the network that CONFIG.yaml describes on the data it names.

    KEY=VALUE sets one key of the config by its dotted path, with the value in YAML. Paths are relative to the folder of
    the config. CONFIG.yaml may be - for standard input.

    \b
    Example:
      lstm-train configs/quickstart.yaml
      lstm-train configs/quickstart.yaml train.epochs=5 'model.layers=[64,64]' -o runs/short
      lstm-train configs/quickstart.yaml --resume
    """  # noqa: D301
    verbosity = verbosity_of(quiet=quiet, verbose=verbose)
    if resume and overwrite:
        raise click.UsageError("--resume and --overwrite exclude each other: continue the run, or replace it.")
    with reported(verbosity):
        from lstm_cli.config import load_config

        settings = load_config(config, overrides if seed is None else (*overrides, f"seed={seed}"))
        if check:
            from lstm_cli.training.check import check as check_run

            show(check_run(settings))
            return
        from lstm_cli.api import train_run

        train_run(settings, folder, resume=resume, overwrite=overwrite, verbosity=verbosity)
