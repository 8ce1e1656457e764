"""Values at prediction that are far outside those of training, where a network's outputs mean little.

Legend: T steps, I numbers per step.
"""

import numpy as np
from numpy.typing import NDArray

from lstm_cli.data.schema.schema import Schema
from lstm_cli.errors import counted

#: Deviations from the mean, or ranges from the minimum, beyond which a value is far outside.
FAR = 10


class OutsideTraining:
    """Counts values of inputs that are far outside those of training, for notes.

    Parameters
    ----------
    schema
        Its scaling tells what training saw; a column that is not scaled, or by its own values, is not judged.
    """

    def __init__(self, schema: Schema) -> None:
        self._parts: list[tuple[str, slice]] = []
        self._scaling = schema.scaling
        start = 0
        for name, scaling in schema.scaling.items():
            stop = start + len(scaling.center)
            plain = (scaling.center == 0).all() and (scaling.spread == 1).all()
            if schema.layout.scale == "train" and not plain:
                self._parts.append((name, slice(start, stop)))
            start = stop
        self._plain = {column.name for column in schema.layout.inputs if not column.chain.transforms}
        self._found: dict[str, tuple[int, float, float]] = {}

    def add(self, numbers: NDArray[np.floating] | None) -> None:
        """Count the scaled numbers (T, I) of a sequence."""
        if numbers is None or not np.count_nonzero(np.abs(numbers) > FAR):
            return
        for name, part in self._parts:
            scaled = numbers[:, part]
            far = int((np.abs(scaled) > FAR).sum())
            if far:
                step, element = np.unravel_index(int(np.abs(scaled).argmax()), scaled.shape)
                count, distance, value = self._found.get(name, (0, 0.0, 0.0))
                if abs(float(scaled[step, element])) > distance:
                    distance = abs(float(scaled[step, element]))
                    value = float(self._scaling[name].undo(scaled[step])[element])
                self._found[name] = count + far, distance, value

    def notes(self, split: str) -> list[str]:
        """Return one note for each column with such values."""
        fix = "check its unit and its missing values, or train on data like this"
        return [
            f"{split}: {name}: {counted(count, 'value')} far outside those of training"
            + (f", such as {value:g}" if name in self._plain else "")
            + f" ({distance:,.0f} times the spread): {fix}"
            for name, (count, distance, value) in self._found.items()
        ]
