"""The work of `lstm-predict --hidden`: from a run and a file of sequences to the file of their hidden vectors.

A jsonl file has a line for each sequence: ``{"id": …, "hidden": [[…], …], "vector": […], "state": […]}``, with null for
the values of steps that the network does not run. An npz file has the sequences end to end, which data files may too:

    id (N,)          the ids, as text
    offsets (N + 1,) sequence n has the rows offsets[n] to offsets[n + 1] of `hidden`
    hidden (R, H)    a row for each step of the input, NaN where the network does not run
    vector (N, H)    a vector for each sequence
    state (N, S)     the state after the last step, as `--state-out` writes it

Legend: N sequences, R steps of all of them, H units of the last layer, S state values per sequence.
"""

import json
import zipfile
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np

from lstm_cli.data import memory
from lstm_cli.engine.threads import cores
from lstm_cli.errors import ConfigError, shown_path
from lstm_cli.predict.archive import Appended, add_array, add_texts, read_again, unnamed
from lstm_cli.predict.ensemble import load_on
from lstm_cli.predict.files import check_format
from lstm_cli.predict.hidden import Hidden, check_hidden, hidden_vectors, named_arrays
from lstm_cli.predict.inputs import Inputs
from lstm_cli.predict.output_paths import check_outputs
from lstm_cli.predict.writers import write_lines
from lstm_cli.ranks import World
from lstm_cli.run.files import WholeFile, disk_errors

_ARRAYS = ("hidden", "vector", "state")


def hidden_run(
    folder: Path | Sequence[Path],
    data: Path,
    *,
    out: Path | None = None,
    form: str | None = None,
    trust: bool = False,
    note: Callable[[str], None] = lambda text: None,
    world: World | None = None,
) -> None:
    """Write the hidden vectors of the sequences of a file.

    Parameters
    ----------
    folder : Path, or a sequence of them
        The run.
    data : Path
        A file in the format of the training data, or ``-`` for standard input.
    out : Path, optional
        A jsonl or npz file, written completely or not at all; None: standard output, as jsonl.
    form : str, optional
        Format of `data`; None: that which the run's config names, else by the suffix.
    trust : bool
        Allow running the code in the folder.
    note : callable
        Called with notes for the user, as by `predict_run`.
    world : World, optional
        The ranks that share the work, as in `predict_run`.
    """
    world = World() if world is None else world
    world.share_cores(cores())
    with world.agreed():
        check_format(form)
        check_outputs({"-o": out}, {"DATA": data})
        if out is not None and out.suffix not in (".npz", ".jsonl", ".json"):
            raise ConfigError(f"-o {shown_path(out)}: with --hidden expected a name that ends in .npz or .jsonl")
        run = load_on(world, folder, trust=trust)
        check_hidden(run.network, "--hidden")
    inputs, name = Inputs(run, data, form=form), "standard input" if str(data) == "-" else shown_path(data)
    with memory.memory_errors(name), world.led(), inputs.encoded(run.schema) as encoded:
        found = hidden_vectors(run.network, encoded)
        if world.rank:
            for _ in found:  # none: rank 0 has them
                pass
        elif out is not None and out.suffix == ".npz":
            widths = (run.network.model.layers[-1].outputs, run.network.model.state_size)
            _write_arrays(found, out, widths, np.dtype(run.network.model.dtype))
        else:
            write_lines(map(_line, found), out)
    for text in inputs.notes(name):
        note(text)


def _line(found: Hidden) -> str:
    steps = [
        row if finite else [None] * len(row) for row, finite in zip(found.steps.tolist(), _ran(found), strict=True)
    ]
    arrays = {"hidden": steps, "vector": found.vector.tolist(), "state": found.state.tolist()}
    return json.dumps({"id": found.sequence.id, **arrays}, ensure_ascii=False) + "\n"


def _ran(found: Hidden) -> list[bool]:
    ran: list[bool] = np.isfinite(found.steps).all(axis=1).tolist()
    return ran


def _write_arrays(found: Iterable[Hidden], out: Path, widths: tuple[int, int], dtype: np.dtype[Any]) -> None:
    """Write an npz file; of the vectors none are held."""
    ids, offsets = list[str](), [0]
    units, values = widths
    with WholeFile(out) as file, ExitStack() as stack:
        files = {name: stack.enter_context(unnamed(out)) for name in _ARRAYS}
        for each in found:
            arrays = named_arrays(each)
            ids.append(str(arrays["id"]))
            offsets.append(offsets[-1] + len(each.steps))
            with disk_errors(out):
                for name, column in files.items():
                    column.write(np.ascontiguousarray(arrays[name]).data)
        shapes = {"hidden": (offsets[-1], units), "vector": (len(ids), units), "state": (len(ids), values)}
        with zipfile.ZipFile(Appended(file), "w") as archive:
            add_texts(archive, "id", ids)
            add_array(archive, "offsets", np.dtype(np.int64), (len(offsets),), [np.array(offsets, np.int64).tobytes()])
            for name, column in files.items():
                add_array(archive, name, dtype, shapes[name], read_again(column))
