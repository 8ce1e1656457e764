"""One pass over parameters, state and gradient for each optimizer, in place; and the gradient's norm.

The vectors are cut into pieces, rows (start, stop, segment) of a table, so that each lies in one parameter: its scale,
which clips the gradient, is ``scales[segment]``. What else an optimizer needs comes in `k`, an array of the parameters'
dtype that starts with the limit of a single gradient and the weight decay. Formulas: `lstm_cli.optim.recipes`.

Shapes: parameters p, gradient g and every vector of state (P,), pieces (C, 3) uint64, scales (S,). Places are unsigned
because numba tests every signed one for being negative, and such a loop does not become vector code.
"""

import numpy as np
from numba import prange

from lstm_cli.kernels.runtime import kernel, parallel_kernel


@kernel
def _clipped(g, p, limit, scale, decay):
    """Return the gradient of one parameter, clipped, with its decay."""
    return min(max(g, -limit), limit) * scale + decay * p


@kernel
def _sgd(p, g, start, stop, scale, k):
    limit, decay, rate = k[0], k[1], k[2]
    for i in range(start, stop):
        p[i] -= rate * _clipped(g[i], p[i], limit, scale, decay)


@kernel
def _momentum(p, velocity, g, start, stop, scale, k):
    limit, decay, rate, momentum, ahead, now = k[0], k[1], k[2], k[3], k[4], k[5]
    for i in range(start, stop):
        gradient = _clipped(g[i], p[i], limit, scale, decay)
        velocity[i] = momentum * velocity[i] + gradient
        p[i] -= rate * (now * gradient + ahead * velocity[i])


@kernel
def _adagrad(p, s, g, start, stop, scale, k):
    limit, decay, rate, epsilon = k[0], k[1], k[2], k[3]
    for i in range(start, stop):
        gradient = _clipped(g[i], p[i], limit, scale, decay)
        s[i] += gradient * gradient
        p[i] -= rate * gradient / np.sqrt(s[i] + epsilon)


@kernel
def _adadelta(p, s, r, g, start, stop, scale, k):
    limit, decay, rate, epsilon, rho, rest = k[0], k[1], k[2], k[3], k[4], k[5]
    for i in range(start, stop):
        gradient = _clipped(g[i], p[i], limit, scale, decay)
        s[i] = rho * s[i] + rest * gradient * gradient
        step = np.sqrt((r[i] + epsilon) / (s[i] + epsilon)) * gradient
        r[i] = rho * r[i] + rest * step * step
        p[i] -= rate * step


@kernel
def _rmsprop(p, s, velocity, g, start, stop, scale, k):
    limit, decay, rate, epsilon, rho, rest, momentum = k[0], k[1], k[2], k[3], k[4], k[5], k[6]
    for i in range(start, stop):
        gradient = _clipped(g[i], p[i], limit, scale, decay)
        s[i] = rho * s[i] + rest * gradient * gradient
        velocity[i] = momentum * velocity[i] + gradient / (np.sqrt(s[i]) + epsilon)
        p[i] -= rate * velocity[i]


@kernel
def _adam(p, m, v, g, start, stop, scale, k):
    limit, decay, epsilon, beta1, rest1, beta2, rest2 = k[0], k[1], k[2], k[3], k[4], k[5], k[6]
    shrink, of_gradient, of_m, of_v = k[7], k[8], k[9], k[10]
    for i in range(start, stop):
        gradient = _clipped(g[i], p[i], limit, scale, decay)
        m[i] = beta1 * m[i] + rest1 * gradient
        v[i] = beta2 * v[i] + rest2 * gradient * gradient
        p[i] = shrink * p[i] - (of_gradient * gradient + of_m * m[i]) / (of_v * np.sqrt(v[i]) + epsilon)


@parallel_kernel
def sgd(p, g, pieces, scales, k):
    """Plain gradient descent. k: limit, decay, learning rate."""
    for c in prange(pieces.shape[0]):
        _sgd(p, g, pieces[c, 0], pieces[c, 1], scales[pieces[c, 2]], k)


@parallel_kernel
def momentum(p, velocity, g, pieces, scales, k):
    """Gradient descent with momentum. k: limit, decay, learning rate, momentum, shares of velocity and gradient."""
    for c in prange(pieces.shape[0]):
        _momentum(p, velocity, g, pieces[c, 0], pieces[c, 1], scales[pieces[c, 2]], k)


@parallel_kernel
def adagrad(p, s, g, pieces, scales, k):
    """Adagrad. k: limit, decay, learning rate, epsilon."""
    for c in prange(pieces.shape[0]):
        _adagrad(p, s, g, pieces[c, 0], pieces[c, 1], scales[pieces[c, 2]], k)


@parallel_kernel
def adadelta(p, s, r, g, pieces, scales, k):
    """Adadelta. k: limit, decay, learning rate, epsilon, rho, 1 - rho."""
    for c in prange(pieces.shape[0]):
        _adadelta(p, s, r, g, pieces[c, 0], pieces[c, 1], scales[pieces[c, 2]], k)


@parallel_kernel
def rmsprop(p, s, velocity, g, pieces, scales, k):
    """RMSprop. k: limit, decay, learning rate, epsilon, rho, 1 - rho, momentum."""
    for c in prange(pieces.shape[0]):
        _rmsprop(p, s, velocity, g, pieces[c, 0], pieces[c, 1], scales[pieces[c, 2]], k)


@parallel_kernel
def adam(p, m, v, g, pieces, scales, k):
    """Adam and its kin. k: limit, decay, epsilon, beta1, 1 - beta1, beta2, 1 - beta2, factors of p, g, m and sqrt v."""
    for c in prange(pieces.shape[0]):
        _adam(p, m, v, g, pieces[c, 0], pieces[c, 1], scales[pieces[c, 2]], k)


@kernel(exact=True)
def _squares(g, start, stop, limit):
    raw, clipped = 0.0, 0.0
    for i in range(start, stop):
        raw += np.float64(g[i]) * np.float64(g[i])
        inside = min(max(g[i], -limit), limit)
        clipped += np.float64(inside) * np.float64(inside)
    return raw, clipped


@parallel_kernel
def sums_of_squares(g, pieces, limit, sums):
    """Write the sum of squares of each piece of g, as it is and with every number clipped to ±limit, into sums (C, 2).

    The first is not finite where the gradient is not.
    """
    for c in prange(pieces.shape[0]):
        sums[c, 0], sums[c, 1] = _squares(g, pieces[c, 0], pieces[c, 1], limit)
