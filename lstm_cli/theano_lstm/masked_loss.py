"""Cross-entropy over one window of each sequence. Legend: T time, B batch, K classes."""

import pytensor
import pytensor.tensor as pt
from pytensor.graph.basic import Variable
from pytensor.raise_op import Assert

_windows_fit = Assert("masked_loss: a window, start to start + length, lies outside the steps of predictions or labels")
_labels_fit = Assert("masked_loss: a label inside a window is not a class of the predictions")


def masked_loss(softmaxes: Variable, y_idxes: Variable, y_lengths: Variable, y_startidxes: Variable) -> Variable:
    """Return each sequence's ``-sum_t log p_t(label_t)`` over its window of steps.

    Parameters
    ----------
    softmaxes : (B, T, K)
        Probabilities.
    y_idxes : (B, T)
        Labels, integers; those outside the windows are ignored.
    y_lengths : (B,)
        Steps of each window.
    y_startidxes : (B,)
        First step of each window.

    Returns
    -------
    losses : (B,)
    """
    softmaxes, y_idxes, y_lengths, y_startidxes = map(
        pt.as_tensor_variable, (softmaxes, y_idxes, y_lengths, y_startidxes)
    )
    rows, classes = softmaxes.shape[0], softmaxes.shape[2]
    steps = pt.minimum(softmaxes.shape[1], y_idxes.shape[1])
    ends = y_startidxes + y_lengths
    t = pt.arange(_windows_fit(steps, pt.all((y_startidxes >= 0) & (ends <= steps))))
    within = (t >= y_startidxes[:, None]) & (t < ends[:, None])
    labels = pt.switch(within, y_idxes[:, :steps], 0)
    labels = _labels_fit(labels, pt.all((labels >= 0) & (labels < classes)))
    probabilities = softmaxes[pt.arange(rows)[:, None], t, labels]
    return -pt.log(pt.switch(within, probabilities, 1)).sum(axis=1)


def masked_loss_dx(
    softmaxes: Variable, y_idxes: Variable, y_lengths: Variable, y_startidxes: Variable, g_costs: Variable
) -> Variable:
    """Return the gradient (B, T, K) of `masked_loss` in the probabilities, given that of the losses (B,)."""
    losses = masked_loss(softmaxes, y_idxes, y_lengths, y_startidxes)
    return pytensor.grad(None, softmaxes, known_grads={losses: g_costs})
