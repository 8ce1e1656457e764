"""What naive predictors know of a run's training data, from its folder: baselines on new data need nothing else."""

import json
from pathlib import Path

from lstm_cli.data import Schema
from lstm_cli.errors import CheckpointError
from lstm_cli.plain_files import read_own
from lstm_cli.run.names import NAIVE
from lstm_cli.scores.naives import Naives, from_json
from lstm_cli.typed_json import WrongValue

_MOST = 1 << 28  # bytes, far more than the counts of a large vocabulary take


def read_naives(run: Path, schema: Schema) -> Naives | None:
    """Return what naive predictors know; None for a run of an earlier version, which has no such file.

    Raises
    ------
    CheckpointError
        The file is damaged, or of another run.
    """
    path = run / NAIVE
    try:
        return from_json(json.loads(read_own(path, most=_MOST)), schema)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError) as error:
        found = str(error) if isinstance(error, WrongValue) else getattr(error, "strerror", None) or "not JSON"
        raise CheckpointError(f"{path}: damaged, or of another run: {found}: restore the file, or remove it") from None
