"""Events as lines of text, the same on the console and in the log."""

import math
from collections.abc import Mapping

from lstm_cli.engine.metrics import scores_of
from lstm_cli.errors import counted, duration, on_lines, on_one_line
from lstm_cli.scores.titles import title
from lstm_cli.training.events import Evaluated, Finished, Note, Started, StepDone, Stopped


def number(value: float) -> str:
    """Return a number with four digits, without an exponent if its magnitude is moderate; NaN is no score: none."""
    if math.isnan(value):
        return "none"
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:.4f}" if 0.01 <= abs(value) < 10 else f"{value:.4g}"


def scores(values: Mapping[str, float]) -> str:
    """Return metrics as text: accuracy 0.9800, macro F1 0.9790."""
    return ", ".join(f"{title(name)} {number(value)}" for name, value in values.items())


def started(event: Started) -> str:
    """Return the line that opens a session."""
    parameters = sum(part.parameters for part in event.model)
    size = f"{counted(parameters, 'parameter')}, " if parameters else ""
    where = f"continuing after step {event.first_step:,}" if event.first_step else "starting"
    length = f"{counted(event.epochs, 'epoch')}, {counted(event.total_steps, 'step')}"
    data = "".join(f"; {part}" for part in (event.network, sizes(event)) if part)
    return f"{on_one_line(event.run)}: {where}: {size}{length}{data}"


#: What a run does before its first update.
COMPILING = "compiling (once per machine)"


def sizes(event: Started) -> str:
    """Return the sizes of the splits: 320 train / 80 valid."""
    words = " / ".join(f"{count:,} {split}" for split, count in event.sizes.items())
    return f"{words} steps" if event.counted == "step" and words else words


def progress(event: StepDone, start: Started, loss: float, rate: float) -> str:
    """Return the progress line, with the mean loss and the steps per second."""
    left = duration((start.total_steps - event.step) / rate) if rate > 0 else "unknown time"
    return (
        f"epoch {event.epoch + 1}/{start.epochs}, step {event.step:,}/{start.total_steps:,}: "
        f"loss {number(loss)}, {rate:.3g} steps/s, {left} left"
    )


def details(event: StepDone) -> str:
    """Return further values of an update, for verbose lines."""
    return f", learning rate {event.learning_rate:.3g}, gradient norm {number(event.gradient_norm)}"


def in_streams(streams: int | None) -> str:
    """Return the suffix of a split that was scored in streams, not exactly."""
    return "" if streams is None else f" in {counted(streams, 'stream')}"


def is_best(event: Evaluated) -> bool:
    """Return whether an evaluation is the best so far, with a score at all."""
    values = scores_of({"loss": event.loss, **event.metrics}).values()
    return event.improved and not all(map(math.isnan, values))


def evaluated(event: Evaluated) -> str:
    """Return the scores of an evaluation."""
    best = ", the best so far" if is_best(event) else ""
    state = "best state, " if event.split == "test" else ""
    values = scores({"loss": event.loss, **event.metrics})
    place = f"{state}epoch {event.epoch:,}, step {event.step:,}"
    return f"{place}: {event.split}{in_streams(event.streams)}: {values}{best}"


def note(event: Note) -> str:
    """Return a note, marked if it is a warning."""
    text = on_lines(event.text, indented=True)
    return f"warning: {text}" if event.warning else text


def finished(event: Finished) -> str:
    """Return why and when training ended."""
    reason = "stopped early, as the score no longer improved (train.patience)" if event.early else "finished"
    return f"{reason}: {counted(event.epoch, 'epoch')}, {counted(event.step, 'step')}"


def stopped(event: Stopped) -> str:
    """Return by what a run was stopped before its end."""
    return on_lines(event.reason)
