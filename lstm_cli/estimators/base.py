"""What the estimators share: a config of their parameters, training in a folder for the time of it, the trained run."""

import os
import tempfile
from abc import abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils.validation import _check_sample_weight, check_is_fitted

from lstm_cli.api import train
from lstm_cli.config import Config
from lstm_cli.errors import ConfigError, shown_path
from lstm_cli.estimators.sequences import Inputs, Sequences, sequences_of
from lstm_cli.predict import Run, load
from lstm_cli.run.names import BEST, CHECKPOINT_FILES, RESOLVED, SCHEMA

#: Keys of the section `data` that an estimator sets itself.
_OWN = ("train", "format", "inputs", "target", "id")
#: The files that prediction needs of a run.
_FILES = (RESOLVED, *SCHEMA, *(f"{BEST}/{name}" for name in CHECKPOINT_FILES))
_SECTIONS = {
    "model": ("cell", "layers", "bidirectional", "dropout", "pool"),
    "train": ("epochs", "batch_size", "patience"),
}


class SequenceEstimator(BaseEstimator):  # type: ignore[misc]
    """A recurrent network as an estimator of scikit-learn; the parameters are documented at those that inherit it."""

    _kind: Literal["category", "number"]
    _inputs: Inputs
    _run: Run | None = None
    run_files_: dict[str, bytes]
    scores_: dict[str, Mapping[str, float]]

    def __init__(
        self,
        *,
        cell: str | None = None,
        layers: Any = None,
        bidirectional: bool | None = None,
        dropout: float | None = None,
        pool: str | None = None,
        optimizer: str | None = None,
        learning_rate: float | None = None,
        epochs: int | None = None,
        batch_size: int | None = None,
        valid: Any = None,
        patience: int | None = None,
        config: Mapping[str, Any] | None = None,
        run: str | Path | None = None,
        threads: int | None = None,
        random_state: Any = None,
        verbose: int = 0,
    ) -> None:
        self.cell = cell
        self.layers = layers
        self.bidirectional = bidirectional
        self.dropout = dropout
        self.pool = pool
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.epochs = epochs
        self.batch_size = batch_size
        self.valid = valid
        self.patience = patience
        self.config = config
        self.run = run
        self.threads = threads
        self.random_state = random_state
        self.verbose = verbose

    @property
    def run_(self) -> Run:
        """The trained run, as `lstm_cli.load` returns it."""
        check_is_fitted(self)
        if self._run is None:
            with tempfile.TemporaryDirectory(prefix="lstm-cli-") as folder:
                self.save_run(folder)
                self._run = load(folder)
        return self._run

    def save_run(self, folder: str | Path) -> None:
        """Write what `lstm_cli.load` and ``lstm-predict`` need of the run into a new or empty folder."""
        check_is_fitted(self)
        folder = Path(folder)
        if os.path.lexists(folder) and not (folder.is_dir() and not any(folder.iterdir())):
            raise ConfigError(f"{shown_path(folder)}: is there already: choose another folder")
        for name, content in self.run_files_.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "run_files_")

    def __getstate__(self) -> dict[str, Any]:
        """Return what is pickled: the files of the run in place of its network."""
        return {name: value for name, value in super().__getstate__().items() if name != "_run"}

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        return tags

    @abstractmethod
    def _loss(self) -> dict[str, Any]:
        """Return the section `loss` of the config, without weights."""

    def _fit(self, sequences: Sequences, y: NDArray[Any], sample_weight: Any) -> Self:
        """Train on sequences with a class or numbers (N,) or (N, D) each."""
        weight = None if sample_weight is None else _check_sample_weight(sample_weight, sequences)
        with tempfile.TemporaryDirectory(prefix="lstm-cli-") as scratch:
            data = Path(scratch) / "sequences.npz"
            arrays = _joined(sequences) | {"y": y} | ({} if weight is None else {"weight": weight})
            np.savez(data, allow_pickle=False, **arrays)
            folder = Path(scratch) / "run" if self.run is None else Path(self.run)
            config = self._config(data, weighted=weight is not None)
            self.scores_ = dict(train(config, run=folder, verbosity=self.verbose - 1).scores)
            self.run_files_ = {name: (folder / name).read_bytes() for name in _FILES if (folder / name).exists()}
        self._run = None
        self._run = self.run_
        return self

    def _config(self, data: Path, *, weighted: bool) -> dict[str, Any]:
        """Return the config of a training; what no parameter sets has the trainer's default."""
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        width = self._inputs.width
        own: dict[str, Any] = {
            "seed": seed,
            "data": {
                "train": str(data),
                "format": "npz",
                "inputs": {"x": {"kind": "tokens" if width is None else "number"}},
                "target": {"column": "y", "kind": self._kind, "per": "sequence"},
                **_given(valid=self.valid),
            },
            "loss": self._loss() | ({"weight": "weight"} if weighted else {}),
            **_given(threads=self.threads),
            **{section: _given(**{key: getattr(self, key) for key in keys}) for section, keys in _SECTIONS.items()},
        }
        if self.optimizer is not None or self.learning_rate is not None:
            name = self.optimizer or Config.model_fields["optimizer"].default.name
            own["optimizer"] = _given(name=name, learning_rate=self.learning_rate)
        further = self.config or {}
        if taken := [key for key in _OWN if key in (further.get("data") or {})]:
            raise ValueError(f"config: data.{taken[0]} is set by the estimator: leave it out")
        return _merged(own, further)

    def _sequences(self, X: Any) -> list[dict[str, Any]]:
        """Return X as `Run.predict` takes it."""
        check_is_fitted(self)
        return [{"x": array} for array in sequences_of(self, X, fitting=False)]


def _given(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _merged(values: Mapping[str, Any], further: Mapping[str, Any]) -> dict[str, Any]:
    """Return nested mappings as one, in which the further values win."""
    found = dict(values)
    for name, value in further.items():
        both = isinstance(value, Mapping) and isinstance(found.get(name), Mapping)
        found[name] = _merged(found[name], value) if both else value
    return found


def _joined(sequences: Sequences) -> dict[str, NDArray[Any]]:
    """Return sequences as the arrays of an npz file: end to end, or one step of each, which no offsets tell apart."""
    if all(len(array) == 1 for array in sequences):
        return {"x": np.stack(sequences)}
    return {"x": np.concatenate(sequences), "offsets": np.cumsum([0, *map(len, sequences)])}
