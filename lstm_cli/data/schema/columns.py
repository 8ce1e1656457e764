"""What the inference of inputs and that of the target share: columns of the data and their settings."""

from collections.abc import Sequence

from lstm_cli.config.config import Config
from lstm_cli.data.formats.raw import RawSequence
from lstm_cli.data.schema.preprocessing import Chain, Transform
from lstm_cli.data.schema.summary import Summary
from lstm_cli.errors import did_you_mean, listed, nearest


def require(config: Config, key: str, name: str, sequences: Sequence[RawSequence]) -> None:
    """Refuse a column that no sequence has."""
    if not sequences or any(name in sequence.columns for sequence in sequences):
        return
    names: list[str] = sorted(set().union(*(sequence.names for sequence in sequences)))
    hint = did_you_mean(nearest(name, names))
    raise config.error(key, f"the data has no column {name}, only {listed(names)}{hint}")


def chain_of(config: Config, name: str) -> Chain:
    """Return the transforms that the config names for a column of numbers."""
    return Chain(tuple(Transform(step.name, step.lag) for step in config.data.transform.get(name, ())))


def is_textual(sequences: Sequence[RawSequence]) -> bool:
    """Return whether the sequences come from a format whose values are text."""
    return bool(sequences) and sequences[0].textual


def label_type(summary: Summary, *, textual: bool) -> str:
    """Return the type of labels in the file, so that predictions show them with the same type."""
    found = {name for name, count in summary.cells.items() if count and name != "null"}
    return found.pop() if not textual and found in ({"int"}, {"bool"}) else "str"
