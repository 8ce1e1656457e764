"""``lstm export``: the best weights of a run in the format of another program.

>>> lstm_cli.export_run("runs/quickstart", "quickstart.onnx")
"""

from collections.abc import Callable
from pathlib import Path
from typing import Literal

from lstm_cli.config.load import read_resolved
from lstm_cli.engine.saved import SavedRun, read_run
from lstm_cli.errors import ConfigError, shown_path
from lstm_cli.export import arrays
from lstm_cli.run.files import replace_file
from lstm_cli.run.names import RESOLVED
from lstm_cli.run.ownership import owner

Program = Literal["torch"]


def export_run(run: str | Path, out: str | Path, *, to: Program | None = None) -> list[str]:
    """Write the best weights of a run to a file whose suffix says the format.

    Parameters
    ----------
    run : path
        The run folder. Neither its config file nor its data is needed, and nothing in it is run or changed.
    out : path
        ``.onnx``: the whole model, with scaling and units; ``.npz`` or ``.safetensors``: the weights, with config and
        schema.
    to : "torch", optional
        With ``.safetensors``: under the names and in the layout of PyTorch's modules.

    Returns
    -------
    description : list of str
        A line for each input and output of an ONNX model; for arrays how many there are.

    Raises
    ------
    CheckpointError
        The folder contains no run, or its checkpoint is damaged.
    ConfigError
        The format, or the other program, does not have what the model needs.
    DiskError
        The file cannot be written.
    """
    path = Path(out)
    write = _writer(path, to)
    _check_place(path)
    content, description = write(read_run(Path(run)))
    replace_file(path, content)
    return description


Written = tuple[bytes, list[str]]


def _writer(path: Path, to: Program | None) -> Callable[[SavedRun], Written]:
    """Return what makes a file of the suffix of a path."""
    writers = {".onnx": _onnx, ".npz": _npz, ".safetensors": _torch if to == "torch" else _safetensors}
    suffix = path.suffix.lower()
    if suffix not in writers:
        *others, last = writers
        raise ConfigError(f"-o {shown_path(path)}: expected a file that ends with {', '.join(others)} or {last}")
    if to is not None and suffix != ".safetensors":
        raise ConfigError(f"--to {to}: writes .safetensors, got -o {shown_path(path)}: give it that suffix")
    return writers[suffix]


def _check_place(path: Path) -> None:
    """Refuse to write onto a folder, or into a run."""
    if path.is_dir():
        raise ConfigError(f"-o {shown_path(path)}: is a folder: give the name of a file in it")
    if (run := owner(path)) is not None:
        what = f"belongs to the run {shown_path(run)}: give another name, or another folder"
        raise ConfigError(f"-o {shown_path(path)}: {what}")


def _onnx(run: SavedRun) -> Written:
    from lstm_cli.export.onnx.model import onnx_model  # the only one that needs the package

    return onnx_model(run)


def _npz(run: SavedRun) -> Written:
    return arrays.npz(run, read_resolved(run.folder / RESOLVED)), _counted(len(run.state.model))


def _safetensors(run: SavedRun) -> Written:
    return arrays.safetensors(run.state.model, run), _counted(len(run.state.model))


def _torch(run: SavedRun) -> Written:
    from lstm_cli.export.planned import planned_layers
    from lstm_cli.export.torch import state_dict

    found = state_dict(planned_layers(run), run.state.model)
    return arrays.safetensors(found, run, format="pt"), _counted(len(found))


def _counted(count: int) -> list[str]:
    return [f"{count} arrays, and the config and schema"]
