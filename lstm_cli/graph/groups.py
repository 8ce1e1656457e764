"""Groups of parameters by their names: which are frozen, and the factor of the learning rate of each.

A group is named by a parameter (``layers.0.W``), or by the parts that the names of several begin with (``layers.0``).
"""

from collections.abc import Iterable, Mapping, Sequence

from lstm_cli.graph.parameters import Parameter


def belongs(name: str, group: str) -> bool:
    """Return whether a parameter is in a group."""
    return name == group or name.startswith(f"{group}.")


def groups_of(names: Iterable[str]) -> list[str]:
    """Return the names of all groups, from the shortest to the parameters themselves."""
    found: dict[str, None] = {}
    for name in names:
        parts = name.split(".")
        found |= dict.fromkeys(".".join(parts[:end]) for end in range(1, len(parts) + 1))
    return list(found)


def rate_factors(
    parameters: Iterable[Parameter], frozen: Sequence[str], rates: Mapping[str, float]
) -> dict[str, float]:
    """Return the factor of the learning rate of every parameter: 0 of frozen ones, else that of its longest group.

    Parameters
    ----------
    parameters
        Of the model.
    frozen
        Groups that keep their weights.
    rates
        Factors by group; 1 for all others.
    """
    factors = {}
    for parameter in parameters:
        name = parameter.name
        own = [group for group in rates if belongs(name, group)]
        is_frozen = any(belongs(name, group) for group in frozen)
        factors[name] = 0.0 if is_frozen else rates[max(own, key=len)] if own else 1.0
    return factors
