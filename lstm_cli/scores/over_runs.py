"""How the scores of several runs lie around their mean."""

import math
from collections.abc import Mapping, Sequence


def over_runs(scores: Sequence[Mapping[str, float]]) -> dict[str, dict[str, float]]:
    """Return the ``mean`` and the standard ``deviation`` (n - 1) of each metric that all runs have; none without runs.

    Parameters
    ----------
    scores
        The metrics of each run. Of a single one there is no deviation: NaN.
    """
    if not scores:
        return {}
    names = [name for name in scores[0] if all(name in each for each in scores)]
    mean = {name: sum(each[name] for each in scores) / len(scores) for name in names}
    squares = {name: sum((each[name] - mean[name]) ** 2 for each in scores) for name in names}
    free = len(scores) - 1
    return {"mean": mean, "deviation": {n: math.sqrt(squares[n] / free) if free else math.nan for n in names}}
