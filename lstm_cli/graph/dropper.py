"""Dropout by the name of its place in a network."""

from collections.abc import Mapping, Sequence

from pytensor.graph.basic import Variable

from lstm_cli.ops.dropout import dropout, dropout_mask


class Dropper:
    """Dropout by the name of its place, with a separate mask for each place.

    Parameters
    ----------
    rates : mapping of str to float
        The rate of each dropout place; at other places nothing is dropped.
    seeds : vector of int64
        One for each place, in the order of `rates`.
    """

    def __init__(self, rates: Mapping[str, float], seeds: Variable) -> None:
        self._rates = rates
        self._seeds = {place: seeds[number] for number, place in enumerate(rates)}

    def rate(self, place: str) -> float:
        """Return the dropout rate at a place."""
        return self._rates.get(place, 0.0)

    def __call__(self, place: str, x: Variable) -> Variable:
        """Return x after dropout."""
        return dropout(x, self.rate(place), self._seeds[place]) if self.rate(place) else x

    def mask(self, place: str, shape: Sequence[Variable | int], dtype: str) -> Variable | None:
        """Return the factors (…) by which dropout multiplies; None where the rate is 0."""
        return dropout_mask(shape, self.rate(place), self._seeds[place], dtype=dtype) if self.rate(place) else None
