"""The names of what every model takes and returns beside its columns."""

from lstm_cli.data.schema.target import Target

#: The input with the number of real steps of each sequence (B,).
LENGTHS = "lengths"


def output_name(target: Target) -> str:
    """Return the name of a model's output."""
    return "prediction" if target.kind == "number" else "probabilities"
