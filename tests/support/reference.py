"""The recurrent layers in plain numpy, a loop over time: what the Ops and kernels must agree with.

Legend: T time, B batch, I input, H units. Weights are (out, in); a recurrent layer has one matrix whose columns are
[x, h] and whose rows are the gates, one block of H rows each:

    rnn    h' = a(W [x, h] + b)

    lstm   i, f, o = sigmoid(W_i [x, h] + b_i), …     z = a(W_z [x, h] + b_z)        rows i, f, o, z
           c' = f c + i z                             h' = o tanh(c')

    gru    r, u = sigmoid(W_r [x, h] + b_r), …        n = a(W_n x + b_n + r (U_n h + b_m))    rows r, u, n
           h' = (1 - u) n + u h                       the bias has four blocks: r, u, n, m

With layer normalisation each block of sums is brought to mean 0 and deviation 1, then multiplied by a gain, before the
bias is added. With recurrent dropout, the h inside the matrix products is multiplied by one mask per sequence.
"""

from collections.abc import Callable, Sequence

import numpy as np


def sigmoid(x: np.ndarray) -> np.ndarray:
    """Return 1 / (1 + exp(-x))."""
    return 0.5 + 0.5 * np.tanh(0.5 * x)


ACTIVATIONS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "tanh": np.tanh,
    "linear": lambda x: x,
    "relu": lambda x: np.maximum(x, 0),
    "sigmoid": sigmoid,
    "softsign": lambda x: x / (1 + np.abs(x)),
}

State = list[np.ndarray]


def rnn_step(x: np.ndarray, state: State, hidden: np.ndarray, W: np.ndarray, b: np.ndarray, act: Callable) -> State:
    """One step of a plain recurrent layer; `hidden` is the h that enters the matrix product."""
    return [act(np.concatenate([x, hidden], axis=1) @ W.T + b)]


def lstm_step(x: np.ndarray, state: State, hidden: np.ndarray, W: np.ndarray, b: np.ndarray, act: Callable) -> State:
    """One step of an LSTM; the state is (h, c)."""
    i, f, o, z = np.split(np.concatenate([x, hidden], axis=1) @ W.T + b, 4, axis=1)
    c = sigmoid(f) * state[1] + sigmoid(i) * act(z)
    return [sigmoid(o) * np.tanh(c), c]


def gru_step(x: np.ndarray, state: State, hidden: np.ndarray, W: np.ndarray, b: np.ndarray, act: Callable) -> State:
    """One step of a GRU in the form that PyTorch and cuDNN use."""
    units, inputs = hidden.shape[1], x.shape[1]
    r, u, n = np.split(x @ W[:, :inputs].T + b[: 3 * units], 3, axis=1)
    r_hidden, u_hidden, n_hidden = np.split(hidden @ W[:, inputs:].T, 3, axis=1)
    r, u = sigmoid(r + r_hidden), sigmoid(u + u_hidden)
    n = act(n + r * (n_hidden + b[3 * units :]))
    return [(1 - u) * n + u * state[0]]


def normalized(
    cell: str, x: np.ndarray, hidden: np.ndarray, W: np.ndarray, b: np.ndarray, gain: np.ndarray
) -> tuple[np.ndarray, ...]:
    """Return x, hidden, W and b with which a step's sums are the normalised ones: those sums, and W that picks them."""
    units, inputs = hidden.shape[1], x.shape[1]
    joint = len(W) - (units if cell == "gru" else 0)
    from_x, from_h = x @ W[:, :inputs].T, hidden @ W[:, inputs:].T
    sums = np.concatenate([from_x[:, :joint] + from_h[:, :joint], from_x[:, joint:], from_h[:, joint:]], axis=1)
    if joint == len(W):
        sums = sums[:, :joint]
    blocks = sums.reshape(len(x), -1, units)
    deviations = np.sqrt(blocks.var(axis=2, keepdims=True) + 1e-5)
    blocks = (blocks - blocks.mean(axis=2, keepdims=True)) / deviations * gain.reshape(-1, units) + b.reshape(-1, units)
    sums, choice = blocks.reshape(len(x), -1), np.eye(len(W))
    return sums[:, : len(W)], sums[:, len(W) :], np.concatenate([choice, choice[:, joint:]], axis=1), 0 * b


STEPS = {"rnn": rnn_step, "lstm": lstm_step, "gru": gru_step}


def recurrent(
    x: np.ndarray,
    lengths: np.ndarray,
    W: np.ndarray,
    b: np.ndarray,
    initial: Sequence[np.ndarray],
    *,
    cell: str,
    activation: str = "tanh",
    reverse: bool = False,
    mask: np.ndarray | None = None,
    gain: np.ndarray | None = None,
) -> tuple[np.ndarray, State]:
    """Run a layer over a padded batch, each sequence for its own number of steps.

    Parameters
    ----------
    x : (T, B, I)
    lengths : (B,)
        Real steps of each sequence.
    W, b : (G H, I + H), (G H) or (4 H) for a GRU
    initial : (B, H) each
        The state before the first step (before the last one if `reverse`): h, for an LSTM also c.
    mask : (B, H), optional
        Multiplies h wherever it enters a matrix product.
    gain : as b, optional
        Of layer normalisation.

    Returns
    -------
    h : (T, B, H), zeros at padding
    finals : (B, H) each, the state after each sequence's last step in the direction of travel
    """
    state = [np.array(s) for s in initial]
    h = np.zeros((len(x), *state[0].shape), x.dtype)
    for t in reversed(range(len(x))) if reverse else range(len(x)):
        rows = np.flatnonzero(lengths > t)
        before = [s[rows] for s in state]
        hidden = before[0] if mask is None else before[0] * mask[rows]
        given = (x[t, rows], hidden, W, b)
        x_t, hidden, weights, bias = given if gain is None else normalized(cell, *given, gain)
        after = STEPS[cell](x_t, before, hidden, weights, bias, ACTIVATIONS[activation])
        for held, new in zip(state, after, strict=True):
            held[rows] = new
        h[t, rows] = after[0]
    return h, state
