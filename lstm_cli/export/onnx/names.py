"""The names of what every model takes and returns beside its columns."""

from collections.abc import Collection

from lstm_cli.data.schema.target import Target

#: The input with the number of real steps of each sequence (B,).
LENGTHS = "lengths"
#: The output of a target of labels, that of numbers, and the deviation of a Gaussian.
PROBABILITIES, PREDICTION, DEVIATION = "probabilities", "prediction", "deviation"


def output_names(target: Target) -> Collection[str]:
    """Return the names of a model's outputs."""
    if target.kind != "number":
        return (PROBABILITIES,)
    return (PREDICTION, DEVIATION) if target.head.gaussian else (PREDICTION, *target.head.names)
