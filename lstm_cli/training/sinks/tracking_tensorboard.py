"""TensorBoard: a run's curves as event files in its folder, for ``tensorboard --logdir runs``.

The folder holds one file, that of the latest session, with all sessions of the run: what a resumed run computes again
is in it once. Readers that have the folder open drop what they had read.
"""

import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from tensorboard.compat.proto.event_pb2 import Event, SessionLog
from tensorboard.compat.proto.summary_pb2 import Summary, SummaryMetadata
from tensorboard.compat.proto.tensor_pb2 import TensorProto
from tensorboard.compat.proto.tensor_shape_pb2 import TensorShapeProto
from tensorboard.plugins.hparams import api_pb2, metadata, plugin_data_pb2, summary_v2
from tensorboard.summary.writer.event_file_writer import EventFileWriter

from lstm_cli.errors import ConfigError, shown_path
from lstm_cli.run.names import REPORT, TENSORBOARD, TENSORBOARD_FILES
from lstm_cli.training.events import Started
from lstm_cli.training.sinks.tracker import Ending, Point

_SUFFIX = ".lstm-cli"
_STATUS = {
    "finished": api_pb2.STATUS_SUCCESS,
    "stopped": api_pb2.STATUS_SUCCESS,  # TensorBoard knows no other end that is no failure
    "failed": api_pb2.STATUS_FAILURE,
}


class TensorBoard:
    """Writes a run's curves and its config into the folder ``tensorboard`` of its run folder.

    Parameters
    ----------
    run
        The run folder.
    """

    title = "TensorBoard"

    def __init__(self, run: Path) -> None:
        self._run, self._folder = run, run / TENSORBOARD
        if self._folder.is_symlink() or (self._folder.exists() and not self._folder.is_dir()):
            raise ConfigError(f"{shown_path(self._folder)}: not the folder that this tool makes there: remove it")
        self._writer: Any = None

    def begin(self, start: Started, points: Sequence[Point]) -> None:
        """Write a new file with the config and the points of earlier sessions, and remove the files before it."""
        earlier = sorted(self._folder.glob(f"{TENSORBOARD_FILES}*{_SUFFIX}")) if self._folder.is_dir() else []
        self._writer = EventFileWriter(str(self._folder), filename_suffix=_SUFFIX)
        self._writer.add_event(Event(wall_time=time.time(), step=0, session_log=SessionLog(status=SessionLog.START)))
        self._add_text("config", f"```yaml\n{start.config_set or 'all defaults'}\n```")
        trial = summary_v2.hparams_pb({key: _number_or(value) for key, value in start.settings.items()}, start.run)
        self._add(trial, 0, time.time())
        self.log(points)
        for path in earlier:
            with suppress(OSError):
                path.unlink()

    def log(self, points: Sequence[Point]) -> str:
        """Write points, for readers to see at once."""
        for point in points:
            self._add_scalar(point)
        self._writer.flush()
        return ""

    def end(self, ending: Ending) -> str:
        """Write the final scores and where the report is."""
        now = time.time()
        step = int(ending.scores.get("best/step", 0))
        for name, value in ending.scores.items():
            self._add_scalar(Point(name, step, value, now))
        rows = "".join(f"\n| {name} | {value:.6g} |" for name, value in ending.scores.items())
        report = (self._run / REPORT).absolute()
        table = f"\n\n| score | value |\n|---|---|{rows}" if rows else ""
        self._add_text("report", f"{ending.status}{ending.reason and f': {ending.reason}'}; report: `{report}`{table}")
        self._add(_session_end(ending.status), step, now)
        self._writer.flush()
        return ""

    def close(self) -> None:
        """Close the file."""
        if self._writer is not None:
            self._writer.close()

    def _add_scalar(self, point: Point) -> None:
        summary = Summary(value=[Summary.Value(tag=point.name, simple_value=point.value)])
        self._add(summary, point.step, point.time)

    def _add_text(self, tag: str, text: str) -> None:
        shape = TensorShapeProto(dim=[TensorShapeProto.Dim(size=1)])
        tensor = TensorProto(dtype="DT_STRING", string_val=[text.encode(errors="replace")], tensor_shape=shape)
        plugin = SummaryMetadata(plugin_data=SummaryMetadata.PluginData(plugin_name="text"))
        self._add(Summary(value=[Summary.Value(tag=tag, metadata=plugin, tensor=tensor)]), 0, time.time())

    def _add(self, summary: Any, step: int, at: float) -> None:
        self._writer.add_event(Event(wall_time=at, step=step, summary=summary))


def _session_end(status: str) -> Any:
    """Return the record with which a trial of the plugin for hyperparameters ends."""
    content = plugin_data_pb2.HParamsPluginData(
        session_end_info=plugin_data_pb2.SessionEndInfo(status=_STATUS[status], end_time_secs=time.time())
    )
    about = metadata.create_summary_metadata(content)
    return Summary(
        value=[Summary.Value(tag=metadata.SESSION_END_INFO_TAG, metadata=about, tensor=metadata.NULL_TENSOR)]
    )


def _number_or(text: str) -> Any:
    """Return a value of the config as the number that it is, for TensorBoard to sort by, or as text."""
    try:
        return float(text)
    except ValueError:
        return text
