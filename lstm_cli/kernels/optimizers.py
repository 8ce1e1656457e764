"""One pass over parameters, state and gradient for each optimizer, in place; and the gradient's norm.

The vectors are cut into pieces, rows (start, stop, segment) of a table, so that each belongs to one parameter: its
scale, which clips the gradient, is ``scales[segment]``. Tasks divide the pieces among them. What else an optimizer
needs comes in `k`, an array of the parameters' dtype that starts with the limit of a single gradient and the weight
decay. Formulas: `lstm_cli.optim.recipes`.

Shapes: parameters p, gradient g and every vector of state (P,), pieces (C, 3) uint64, scales (S,). Places are unsigned
because numba tests every signed one for being negative, and such a loop does not become vector code.
"""

import numpy as np

from lstm_cli.kernels.runtime.compilation import part
from lstm_cli.kernels.runtime.tasks import task_kernel


@part
def _clipped(g, p, limit, scale, decay):
    """Return the gradient of one parameter, clipped, with its decay."""
    return min(max(g, -limit), limit) * scale + decay * p


@part
def _share(task, tasks, pieces):
    """Return where the table of a task's pieces starts, and where it ends."""
    count = pieces.shape[0] // 3
    return 3 * (task * count // tasks), 3 * ((task + 1) * count // tasks)


@task_kernel
def sgd(task, tasks, p, g, pieces, scales, k):
    """Plain gradient descent. k: limit, decay, learning rate."""
    limit, decay, rate = k[0], k[1], k[2]
    first, end = _share(task, tasks, pieces)
    for c in range(first, end, 3):
        scale = scales[pieces[c + 2]]
        for i in range(pieces[c], pieces[c + 1]):
            gradient = _clipped(g[i], p[i], limit, scale, decay)
            p[i] -= rate * gradient


@task_kernel
def momentum(task, tasks, p, velocity, g, pieces, scales, k):
    """Gradient descent with momentum. k: limit, decay, learning rate, momentum, shares of velocity and gradient."""
    limit, decay, rate, keep, ahead, now = k[0], k[1], k[2], k[3], k[4], k[5]
    first, end = _share(task, tasks, pieces)
    for c in range(first, end, 3):
        scale = scales[pieces[c + 2]]
        for i in range(pieces[c], pieces[c + 1]):
            gradient = _clipped(g[i], p[i], limit, scale, decay)
            velocity[i] = keep * velocity[i] + gradient
            p[i] -= rate * (now * gradient + ahead * velocity[i])


@task_kernel
def adagrad(task, tasks, p, s, g, pieces, scales, k):
    """Adagrad. k: limit, decay, learning rate, epsilon."""
    limit, decay, rate, epsilon = k[0], k[1], k[2], k[3]
    first, end = _share(task, tasks, pieces)
    for c in range(first, end, 3):
        scale = scales[pieces[c + 2]]
        for i in range(pieces[c], pieces[c + 1]):
            gradient = _clipped(g[i], p[i], limit, scale, decay)
            s[i] += gradient * gradient
            p[i] -= rate * gradient / np.sqrt(s[i] + epsilon)


@task_kernel
def adadelta(task, tasks, p, s, r, g, pieces, scales, k):
    """Adadelta. k: limit, decay, learning rate, epsilon, rho, 1 - rho."""
    limit, decay, rate, epsilon, rho, rest = k[0], k[1], k[2], k[3], k[4], k[5]
    first, end = _share(task, tasks, pieces)
    for c in range(first, end, 3):
        scale = scales[pieces[c + 2]]
        for i in range(pieces[c], pieces[c + 1]):
            gradient = _clipped(g[i], p[i], limit, scale, decay)
            s[i] = rho * s[i] + rest * gradient * gradient
            step = np.sqrt((r[i] + epsilon) / (s[i] + epsilon)) * gradient
            r[i] = rho * r[i] + rest * step * step
            p[i] -= rate * step


@task_kernel
def rmsprop(task, tasks, p, s, velocity, g, pieces, scales, k):
    """RMSprop. k: limit, decay, learning rate, epsilon, rho, 1 - rho, momentum."""
    limit, decay, rate, epsilon, rho, rest, keep = k[0], k[1], k[2], k[3], k[4], k[5], k[6]
    first, end = _share(task, tasks, pieces)
    for c in range(first, end, 3):
        scale = scales[pieces[c + 2]]
        for i in range(pieces[c], pieces[c + 1]):
            gradient = _clipped(g[i], p[i], limit, scale, decay)
            s[i] = rho * s[i] + rest * gradient * gradient
            velocity[i] = keep * velocity[i] + gradient / (np.sqrt(s[i]) + epsilon)
            p[i] -= rate * velocity[i]


@task_kernel
def adam(task, tasks, p, m, v, g, pieces, scales, k):
    """Adam and its kin. k: limit, decay, epsilon, beta1, 1 - beta1, beta2, 1 - beta2, factors of p, g, m and sqrt v."""
    limit, decay, epsilon, beta1, rest1, beta2, rest2 = k[0], k[1], k[2], k[3], k[4], k[5], k[6]
    shrink, of_gradient, of_m, of_v = k[7], k[8], k[9], k[10]
    first, end = _share(task, tasks, pieces)
    for c in range(first, end, 3):
        scale = scales[pieces[c + 2]]
        for i in range(pieces[c], pieces[c + 1]):
            gradient = _clipped(g[i], p[i], limit, scale, decay)
            m[i] = beta1 * m[i] + rest1 * gradient
            v[i] = beta2 * v[i] + rest2 * gradient * gradient
            p[i] = shrink * p[i] - (of_gradient * gradient + of_m * m[i]) / (of_v * np.sqrt(v[i]) + epsilon)


@part(exact=True)
def _squares(g, start, stop, limit):
    raw, clipped = 0.0, 0.0
    for i in range(start, stop):
        raw += np.float64(g[i]) * np.float64(g[i])
        inside = min(max(g[i], -limit), limit)
        clipped += np.float64(inside) * np.float64(inside)
    return raw, clipped


@task_kernel
def sums_of_squares(task, tasks, g, pieces, k, sums):
    """Write the sum of squares of each piece of g, as it is and with every number clipped to ±k, into sums (C, 2).

    The first is not finite where the gradient is not.
    """
    first, end = _share(task, tasks, pieces)
    for c in range(first, end, 3):
        raw, clipped = _squares(g, pieces[c], pieces[c + 1], k[0])
        sums[c // 3 * 2], sums[c // 3 * 2 + 1] = raw, clipped
