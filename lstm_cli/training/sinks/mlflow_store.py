"""A store or server of MLflow, through MLflow's own client: what `tracking_mlflow` calls in the background."""

import logging
import os
import re
import warnings
from collections.abc import Iterable, Mapping
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from lstm_cli.run.names import CONFIG, REPORT, RESOLVED
from lstm_cli.training.events import Started
from lstm_cli.training.sinks.tracker import OF_TRAINING, Ending, Point

EXPERIMENT = "lstm-cli"
DATABASE, ARTIFACTS = "mlflow.db", "mlartifacts"  # beside the run folder, where no server is named
#: Set unless they are set already: no network that nobody asked for, nothing printed, an answer in moderate time.
ENVIRONMENT = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "GIT_PYTHON_REFRESH": "quiet",
}
_METRICS, _PARAMS, _TAGS = 1000, 100, 100  # the most in one call
_KEY, _VALUE, _TAG = 250, 6000, 5000  # the longest key of all, and values
_STATUS = {"finished": "FINISHED", "stopped": "KILLED", "failed": "FAILED"}
_GONE = ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE")
_GROUPS = ("best/train/", "best/valid/", "best/test/", "best/", "train/", "valid/", "test/")  # ours in the names
#: Curves that differ each time the same steps are computed: what was logged of them stays.
_VARYING = {OF_TRAINING["steps_per_second"]}


def _database(path: Path) -> str:
    """Return the address of a database in a file, whose name may hold any character."""
    from sqlalchemy.engine import URL

    return str(URL.create("sqlite", database=str(path)).render_as_string())


def _client(uri: str) -> Any:
    """Return MLflow's client, which neither prints nor logs anything of its own but errors."""
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    warnings.filterwarnings("ignore", module=r"(mlflow|sqlalchemy|alembic|google)\b")
    from mlflow.tracking import MlflowClient

    for name in ("alembic", "urllib3", *(["mlflow"] if "MLFLOW_LOGGING_LEVEL" not in os.environ else [])):
        logging.getLogger(name).setLevel(logging.ERROR)
    return MlflowClient(tracking_uri=uri)


class MlflowStore:
    """One run in a store of MLflow.

    Parameters
    ----------
    folder
        The folder that holds the run folder, for a store where ``MLFLOW_TRACKING_URI`` names none.
    """

    def __init__(self, folder: Path) -> None:
        given = os.environ.get("MLFLOW_TRACKING_URI")
        self.uri = given or _database(folder.resolve() / DATABASE)
        self._client = _client(self.uri)
        self._experiment = self._experiment_id(None if given else (folder.resolve() / ARTIFACTS).as_uri())
        self._run = ""
        self._keys: dict[str, str] = {}
        self._known: dict[str, dict[int, float]] = {}

    @property
    def shown_uri(self) -> str:
        """The address without a password."""
        parts = urlsplit(self.uri)
        return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2])) if "@" in parts.netloc else self.uri

    def open(self, start: Started, earlier: str, names: Iterable[str]) -> str:
        """Open the run of an earlier session if it is there, else a new one; return its identifier.

        Parameters
        ----------
        start
            The event that opens the session.
        earlier
            The identifier of the earlier session's run; empty if there is none.
        names
            The curves that a resumed run has.
        """
        run = self._earlier(os.environ.get("MLFLOW_RUN_ID") or earlier)
        if run is None:
            run = self._client.create_run(self._experiment, run_name=start.run, tags={"mlflow.source.name": "lstm-cli"})
        else:
            self._client.update_run(run.info.run_id, status="RUNNING")
        self._run = run.info.run_id
        for name in names:
            history = self._client.get_metric_history(self._run, self._key(name)) if run.data.metrics else []
            self._known[name] = {metric.step: metric.value for metric in history}
        self._set_params(start.settings, run.data.params)
        for file in (CONFIG, RESOLVED):
            self._client.log_artifact(self._run, str(start.folder / file))
        return self._run

    def send(self, points: list[Point]) -> None:
        """Log points, and remove from the list those that the store has."""
        from mlflow.entities import Metric

        while points:
            batch = points[:_METRICS]
            new = [point for point in batch if not self._has(point)]
            metrics = [Metric(self._key(name), value, int(at * 1000), step) for name, step, value, at in new]
            if metrics:
                self._client.log_batch(self._run, metrics=metrics)
            del points[: len(batch)]

    def finish(self, folder: Path, ending: Ending) -> None:
        """Add the final scores and the report, and close the run, also where the report cannot be sent."""
        try:
            for name, value in ending.scores.items():
                self._client.log_metric(self._run, self._key(name), value, step=int(ending.scores["best/step"]))
            if ending.reason:
                self._client.set_tag(self._run, "ending", ending.reason[:_TAG])
            if (folder / REPORT).is_file():
                self._client.log_artifact(self._run, str(folder / REPORT))
        finally:
            self._client.set_terminated(self._run, _STATUS[ending.status])

    def _experiment_id(self, artifacts: str | None) -> str:
        """Return the experiment's identifier; the experiment is made if it is not there."""
        from mlflow.exceptions import MlflowException

        if given := os.environ.get("MLFLOW_EXPERIMENT_ID"):
            return given
        name = os.environ.get("MLFLOW_EXPERIMENT_NAME") or EXPERIMENT
        found = self._client.get_experiment_by_name(name)
        if found is None:
            try:
                return str(self._client.create_experiment(name, artifact_location=artifacts))
            except MlflowException:  # another run may have made it just now
                if (found := self._client.get_experiment_by_name(name)) is None:
                    raise
        return str(found.experiment_id)

    def _earlier(self, identifier: str) -> Any:
        """Return an earlier run; None if the store has none of the identifier, or a deleted one."""
        from mlflow.exceptions import MlflowException

        if not identifier:
            return None
        try:
            run = self._client.get_run(identifier)
        except MlflowException as error:
            if error.error_code in _GONE:
                return None
            raise
        return run if run.info.lifecycle_stage == "active" else None

    def _set_params(self, settings: Mapping[str, str], known: Mapping[str, str]) -> None:
        """Log the config's keys as parameters; those that a resumed run changed, which are final there, as tags."""
        from mlflow.entities import Param, RunTag

        values = {self._key(name): value[:_VALUE] for name, value in settings.items()}
        new = iter([Param(key, value) for key, value in values.items() if key not in known])
        while batch := list(islice(new, _PARAMS)):
            self._client.log_batch(self._run, params=batch)
        changed = iter(
            [
                RunTag(f"resumed.{key}"[:_KEY], value[:_TAG])
                for key, value in values.items()
                if key in known and known[key] != value
            ]
        )
        while tags := list(islice(changed, _TAGS)):
            self._client.log_batch(self._run, tags=tags)

    def _has(self, point: Point) -> bool:
        known = self._known.get(point.name, {})
        return point.step in known and (point.name in _VARYING or known[point.step] == point.value)

    def _key(self, name: str) -> str:
        """Return a name in the characters that MLflow allows, different for different names."""
        if name not in self._keys:
            group = next((group for group in _GROUPS if name.startswith(group)), "")
            key = plain = group + re.sub(r"[^\w.\- ]", "_", name.removeprefix(group))[: _KEY - 30]
            number = 1
            while key in self._keys.values():
                number += 1
                key = f"{plain}_{number}"
            self._keys[name] = key
        return self._keys[name]
