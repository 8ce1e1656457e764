"""The steps of a padded batch that are worth the output layer. Legend: T time, B batch, H units, N rows."""

from pytensor.graph.basic import Variable

from lstm_cli.ops.embedding import Take


def gather(h: Variable, rows: Variable) -> Variable:
    """Return the steps of h that count; the gradient of all others is 0.

    Parameters
    ----------
    h : (T, B, H)
    rows : (N,) int64
        Flat positions t * B + b.

    Returns
    -------
    steps : (N, H)
    """
    return Take()(h, rows)
