"""``lstm export``: a run for other programs."""

from pathlib import Path
from typing import Any

import click

from lstm_cli.cli.common import SETTINGS, Command, noting, reported, written
from lstm_cli.cli.options import PATH, run_argument, verbosity_of, verbosity_options


@click.command(
    "export", cls=Command, context_settings=SETTINGS, short_help="Write a network for other programs: ONNX, arrays."
)
@run_argument
@click.option(
    "-o", "--out", metavar="FILE", type=PATH, required=True,
    help="File to write, whose suffix says the format: .onnx, .npz or .safetensors.",
)  # fmt: skip
@click.option(
    "--to", type=click.Choice(["torch"]),
    help="With .safetensors: names and layout of PyTorch's nn.LSTM, nn.GRU and nn.RNN.",
)  # fmt: skip
@verbosity_options
def export(run: Path, *, out: Path, to: Any, quiet: bool, verbose: bool) -> None:
    """Write the best weights of the run in the folder RUN in the format of another program.

    An .onnx file is the whole model: it takes raw values and returns predictions in original units, so that any ONNX
    runtime predicts as lstm-predict does. It needs the package onnx (pip install 'lstm-cli[onnx]'). A .npz or
    .safetensors file has the weights, the config and the schema; lstm import makes a run of a .npz file again.

    \b
    Example:
      lstm export runs/quickstart -o quickstart.onnx
      lstm export runs/quickstart -o quickstart.npz
      lstm export runs/quickstart -o quickstart.safetensors --to torch
    """  # noqa: D301
    with reported(verbosity_of(quiet=quiet, verbose=verbose)):
        from lstm_cli.export.export import export_run

        note = noting(quiet=quiet)
        for line in export_run(run, out, to=to):
            note(line)
        written(out, quiet=quiet)
