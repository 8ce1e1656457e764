"""Clipping of the gradient, and its norm, which tells the training loop whether the gradient is finite."""

from collections.abc import Sequence

from pytensor.graph.basic import Variable

from lstm_cli.ops.optimizers import MeasureGradient

Segment = tuple[str, int, int]


def measure(
    gradient: Variable,
    segments: Sequence[Segment],
    *,
    clip_norm: float | None = None,
    clip_norm_each: float | None = None,
    clip_value: float | None = None,
) -> tuple[Variable, Variable]:
    """Return the norm of the gradient before clipping, and the factor of each segment that clips it.

    The three kinds of clipping are applied in this order: `clip_value` clips every number to ±clip_value;
    `clip_norm_each` scales each segment of norm n by min(clip_norm_each, n) / (n + 1e-6), theano-lstm's ``max_norm``;
    `clip_norm` scales all together, of norm n by then, by min(1, clip_norm / n). The factors hold the last two; the
    first is repeated where the gradient is used.

    Parameters
    ----------
    gradient : (P,)
    segments : sequence of (name, start, stop)
        Every matrix and bias in the vector, in order, without gaps.
    clip_norm, clip_norm_each, clip_value : float, optional

    Returns
    -------
    norm : scalar float64
        Not finite where any number of the gradient is not.
    scales : (S,)
    """
    norm, scales = MeasureGradient(bounds(segments), clip_value, clip_norm_each, clip_norm)(gradient, return_list=True)
    return norm, scales


def bounds(segments: Sequence[Segment]) -> tuple[int, ...]:
    """Return where each segment starts, and where the last one stops."""
    cuts = [start for _, start, _ in segments] + [segments[-1][2]]
    for (name, _, stop), following in zip(segments, cuts[1:], strict=True):
        if stop != following:
            raise ValueError(f"segments must adjoin, but {name} stops at {stop} and the next starts at {following}")
    return tuple(cuts)
