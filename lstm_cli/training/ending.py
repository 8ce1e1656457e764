"""How a run ended, in words: what stopped it, and the commands to type next."""

import shlex
from pathlib import Path, PurePath

from lstm_cli.config.config import Config
from lstm_cli.config.formats import COMPRESSED, SUFFIXES, uncompressed
from lstm_cli.data import Schema
from lstm_cli.data.sources import files_of
from lstm_cli.errors import FULL, DiskError, Diverged, Interrupted, LstmError, lacks_memory, on_one_line, shown_path

SYMBOLS = 300  # of a generated text
UNEXPLAINED = "the report lacks what explains the model"  # a note, until the report is made again


def stopped_by(error: BaseException) -> str:
    """Return what stopped a run, as a phrase on one line."""
    text = on_one_line(error)
    if isinstance(error, Interrupted):
        return text
    if isinstance(error, Diverged):
        return f"diverged: {text}"
    if isinstance(error, DiskError):
        full = getattr(error.__cause__, "errno", None) in FULL
        return f"stopped by a {'full' if full else 'failing'} disk: {text}"
    if isinstance(error, LstmError):
        return f"stopped: {text}"
    if lacks_memory(error):
        return f"stopped as there was too little memory ({text})" if text else "stopped as there was too little memory"
    kind = type(error).__name__
    return f"stopped by {kind}: {text}" if text else f"stopped by {kind}"


def next_commands(folder: Path, config: Config, schema: Schema) -> tuple[tuple[str, str], ...]:
    """Return the commands to type after a training, each with its purpose."""
    run, target, new = shlex.quote(str(folder)), schema.target, f"new{_suffix(config)}"
    series = _series(config) or new
    steers = schema.layout.closed_loop is not None
    trust = " --trust" if steers else ""
    commands = [_use(f"lstm-predict {run}", new, series, config, schema)]
    commands.append((f"lstm evaluate {run}{trust}", "scores in detail, and where the model is wrong"))
    if target.kind == "number" and target.ahead and not steers:
        commands.append((f"lstm backtest {run} {series}", "errors by horizon against naive forecasts"))
    commands.append((f"lstm compare {run} OTHER", "beside another run: what differs, and the scores"))
    return tuple(commands)


def resume_command(folder: Path) -> tuple[str, str]:
    """Return the command that continues a run, with its purpose."""
    return f"lstm-train {shlex.quote(str(folder))} --resume", "continue where it stopped"


def longer_command(folder: Path, config: Config, epochs: int) -> tuple[str, ...]:
    """Return the words of the command that trains a run for twice as many epochs; none if its config is in no file."""
    run, twice, source = shlex.quote(str(folder)), f"train.epochs={2 * epochs}", config.source
    if config.rollout is None or config.rollout.dynamics is None:
        return ("lstm-train", run, "--resume", twice)
    if source.path is None:
        return ()
    # A run's own copy of code is not run: its config is named, with what the command line changed.
    changed = [shlex.quote(text) for text in source.overrides if text.partition("=")[0].strip() != "train.epochs"]
    return ("lstm-train", shlex.quote(str(source.path)), *changed, twice, "-o", run, "--resume")


def _use(predict: str, new: str, series: str, config: Config, schema: Schema) -> tuple[str, str]:
    """Return the command that uses the model as its target suggests, with its purpose."""
    target, form = schema.target, schema.layout.format
    if schema.layout.closed_loop is not None:
        return f"{predict} {new} --trust -o trajectories.jsonl", "drive the system from new starts"
    fed_back = target.is_next and target.ahead == 1 and not _reads_backward(config)
    if fed_back and form == "text":
        return f"{predict} --generate {SYMBOLS} --temperature 0.8", "write text like that of the training"
    if target.horizon > 1 or (fed_back and target.kind == "number"):
        known = any(column.known for column in schema.layout.known)
        ahead = (
            f"--future later{_suffix(config)}" if known else f"--steps {target.horizon if target.horizon > 1 else 24}"
        )
        return f"{predict} {series} {ahead} -o forecasts.csv", "forecast the steps after a series"
    suffix = "jsonl" if target.kind == "set" else "conllu" if form == "conllu" else "csv"
    return f"{predict} {new} -o predictions.{suffix}", "predict new sequences"


def _series(config: Config) -> str | None:
    """Return the file, as typed, whose series end last: that of the latest split; None if there are several."""
    given = [name for name in (config.data.train, config.data.valid, config.data.test) if isinstance(name, str | list)]
    try:
        files = files_of(config, "data", given[-1])
    except LstmError:
        return None
    return shlex.quote(shown_path(files[0])) if len(files) == 1 else None


def _reads_backward(config: Config) -> bool:
    """Return whether a layer reads in both directions, so that its output cannot be fed back."""
    return any(config.model.bidirectional if layer.bidirectional is None else layer.bidirectional
               for layer in config.model.layers)  # fmt: skip


def _suffix(config: Config) -> str:
    """Return the suffix of the training data, as new data has it; for a folder, that of its format."""
    given, form = config.data.train, config.data.format
    path = PurePath(given if isinstance(given, str) else given[0])
    packed = path.suffix if path.suffix.lower() in COMPRESSED else ""
    suffix = uncompressed(path).suffix
    if suffix[1:].isalnum():
        return suffix + packed
    return SUFFIXES[form][0] if form != "auto" else ".jsonl"
