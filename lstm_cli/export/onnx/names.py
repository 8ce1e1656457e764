"""The names of what every model takes and returns beside its columns."""

from collections.abc import Collection

from lstm_cli.data import Schema

#: The input with the number of real steps of each sequence (B,).
LENGTHS = "lengths"
#: The output of a target of labels, that of numbers, and the deviation of a Gaussian.
PROBABILITIES, PREDICTION, DEVIATION = "probabilities", "prediction", "deviation"


def output_name(kind: str, column: str) -> str:
    """Return the name of what is of one target column; `column` is empty where there is no other."""
    return f"{kind}.{column}" if column else kind


def output_names(schema: Schema) -> Collection[str]:
    """Return the names of a model's outputs."""
    found = []
    for column, part in schema.columns.items():
        target = part.target
        numbers = (PREDICTION, DEVIATION) if target.head.gaussian else (PREDICTION, *target.head.names)
        kinds = numbers if target.kind == "number" else (PROBABILITIES,)
        found += [output_name(kind, column) for kind in kinds]
    return found
