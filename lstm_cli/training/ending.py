"""How a run ended, in words: what stopped it, and the commands to type next."""

import shlex
from pathlib import Path

from lstm_cli.config.config import Config
from lstm_cli.data import Schema
from lstm_cli.errors import FULL, DiskError, Diverged, Interrupted, LstmError, lacks_memory, on_one_line

SYMBOLS = 300  # of a generated text


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
    run, target = shlex.quote(str(folder)), schema.target
    steers = schema.layout.closed_loop is not None
    forecasts = target.kind == "number" and bool(target.ahead)
    trust, new = " --trust" if steers else "", f"new{_suffix(config)}"
    if target.is_next and schema.layout.format == "text":
        use = (f"lstm predict {run} --generate {SYMBOLS} --prompt TEXT", "continue a text")
    elif steers:
        use = (f"lstm predict {run} {new} --trust -o trajectories.jsonl", "drive the system from new starts")
    elif forecasts:
        steps = target.horizon if target.horizon > 1 else 24
        use = (f"lstm predict {run} {new} --steps {steps} -o forecast.csv", "forecast the steps after a series")
    else:
        use = (f"lstm predict {run} {new} -o predictions.csv", "predict new sequences")
    commands = [use, (f"lstm evaluate {run}{trust}", "scores in detail, and where the model is wrong")]
    if forecasts and not steers:
        commands.append((f"lstm backtest {run} {new}", "errors by horizon against naive forecasts"))
    commands.append((f"lstm compare {run} OTHER", "beside another run: what differs, and the scores"))
    return tuple(commands)


def resume_command(folder: Path) -> tuple[str, str]:
    """Return the command that continues a run, with its purpose."""
    return f"lstm train {shlex.quote(str(folder))} --resume", "continue where it stopped"


def _suffix(config: Config) -> str:
    """Return the suffix of the training data, as new data has it; .jsonl where there is none."""
    train = config.data.train
    suffixes = Path(train if isinstance(train, str) else train[0]).suffixes
    packed = suffixes[-1:] in ([".gz"], [".zst"], [".zip"])
    return "".join(suffixes[-2:] if packed else suffixes[-1:]) or ".jsonl"
