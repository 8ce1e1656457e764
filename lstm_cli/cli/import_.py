"""``lstm import``: weights from elsewhere as a run."""

from pathlib import Path

import click

from lstm_cli.cli.common import SETTINGS, Command, noting, reported
from lstm_cli.cli.options import PATH, verbosity_of, verbosity_options


@click.command(
    "import", cls=Command, context_settings=SETTINGS, short_help="Make a run of exported weights, or of theano-lstm's."
)
@click.argument("file", metavar="FILE", type=PATH)
@click.argument("config", metavar="[CONFIG]", type=PATH, required=False)
@click.argument("overrides", metavar="[KEY=VALUE]...", nargs=-1)
@click.option(
    "-o", "--out", metavar="RUN", type=PATH, help="Run folder to write, by default runs/ and the name of FILE."
)
@verbosity_options
def import_(
    file: Path, config: Path | None, overrides: tuple[str, ...], *, out: Path | None, quiet: bool, verbose: bool
) -> None:
    """Make a run of the weights in the .npz file FILE, for lstm-predict and lstm-train --from.

    A file that lstm export wrote has all that is needed. Weights of the theano-lstm library (arrays named
    0.in_gate.W, or in the order of the model's params) need a CONFIG as for lstm-train, with the data, and with
    model.layers as in that model.

    \b
    Example:
      lstm import quickstart.npz -o runs/imported
      lstm import old.npz mine.yaml data.scale=none -o runs/old
    """  # noqa: D301
    with reported(verbosity_of(quiet=quiet, verbose=verbose)):
        from lstm_cli.export.importing import import_weights

        note = noting(quiet=quiet)
        for line in import_weights(file, config, overrides, run=out):
            note(line)
