"""Linear chains over classes: sums over all labelings, their gradient, and the best labeling.

Legend: N rows (one for each step), B chains, K classes, S shards. The rows of chain b are ``rows[bounds[b]]`` …
``rows[bounds[b + 1] - 1]``, in the order of its steps. Logarithms are kept relative to the largest of their step, so
that they lose no digits in long chains. Shard s has the chains s, s + S, …; tasks divide the shards among them, so that
sums over chains do not depend on the number of tasks. Values that are not finite are not looked for.
"""

import numpy as np

from lstm_cli.kernels.runtime.compilation import part
from lstm_cli.kernels.runtime.tasks import task_kernel
from lstm_cli.kernels.simd.scalar import exp_nonpositive, larger


@part
def _scores(reach, x, shift, low, high, scores):
    """Set scores (K,) to reach + x - shift for the classes from low to high."""
    for j in range(low, high):
        scores[j] = reach[j] + x[j] - shift


@part
def _largest_sum(x, y, low, high):
    largest = x[low] + y[low]
    for j in range(low, high):
        largest = larger(largest, x[j] + y[j])
    return largest


@part
def _sum_exponentials(x, y, shift, low, high):
    """Return sum_j exp(x_j + y_j - shift)."""
    total = x.dtype.type(0)
    for j in range(low, high):
        total += exp_nonpositive(x[j] + y[j] - shift)
    return total


@part
def _advance(scores, before, transitions, after, reach, totals):
    """Set reach_j to log sum_i exp(scores_i + transitions_ij): i in the classes `before`, j in those of `after`."""
    classes = scores.shape[0]
    (first, last), (low, high) = before, after
    for j in range(low, high):
        reach[j] = scores[first] + transitions[first * classes + j]
        totals[j] = 0
    for i in range(first + 1, last):
        row, own = transitions[i * classes : (i + 1) * classes], scores[i]
        for j in range(low, high):
            reach[j] = larger(reach[j], own + row[j])
    for i in range(first, last):
        row, own = transitions[i * classes : (i + 1) * classes], scores[i]
        for j in range(low, high):
            totals[j] += exp_nonpositive(own + row[j] - reach[j])
    for j in range(low, high):
        reach[j] += np.log(totals[j])


@part
def _classes_of(allowed, classes):
    """Return the range of classes that a step may have: one, or all where it is -1."""
    return (allowed, allowed + 1) if allowed >= 0 else (0, classes)


@task_kernel
def log_partitions(
    task, tasks, shards, x, classes, allowed, rows, bounds, transitions, start, end, scratch, reach, shift, result
):
    """Logarithm of the sum of exp(score) over the allowed labelings y of each chain.

    score = start_y1 + sum_t x_t,yt + sum_t transitions_yt,yt+1 + end_yT.

    Parameters
    ----------
    shards : S, x (N, K), classes : K, allowed (N,): the class of a step, -1: any, rows (N,), bounds (B + 1,), all int64
    transitions (K, K): from the class of a row to that of a column, start, end (K,), scratch (S, 2, K)
    reach (N, K): log-sum over the labelings of the steps before, up to a number of the step, at allowed classes;
    shift (N,): largest reach + x of each step; result (B,) float64. All three written.
    """
    chains = bounds.shape[0] - 1
    for shard in range(task * shards // tasks, (task + 1) * shards // tasks):
        scores = scratch[2 * shard * classes : (2 * shard + 1) * classes]
        totals = scratch[(2 * shard + 1) * classes : (2 * shard + 2) * classes]
        for b in range(shard, chains, shards):
            n, total = rows[bounds[b]], 0.0
            own = _classes_of(allowed[n], classes)
            for j in range(classes):
                reach[n * classes + j] = start[j]
            for place in range(bounds[b], bounds[b + 1]):
                here, values = reach[n * classes : (n + 1) * classes], x[n * classes : (n + 1) * classes]
                shift[n] = _largest_sum(here, values, own[0], own[1])
                total += shift[n]
                _scores(here, values, shift[n], own[0], own[1], scores)
                if place + 1 < bounds[b + 1]:
                    n = rows[place + 1]
                    after = _classes_of(allowed[n], classes)
                    _advance(scores, own, transitions, after, reach[n * classes : (n + 1) * classes], totals)
                    own = after
            largest = _largest_sum(scores, end, own[0], own[1])
            result[b] = total + largest + np.log(_sum_exponentials(scores, end, largest, own[0], own[1]))


@part
def _retreat(scores, before, transitions, after, reach, later, factor, earlier, dtransitions):
    """Set earlier (K,) to the shares of the classes of a step, given those of the next step in `later`.

    P(i, j) = later_j exp(scores_i + transitions_ij - reach_j); earlier_i = sum_j P(i, j); dtransitions += factor P.
    """
    classes, total = scores.shape[0], scores.dtype.type(0)
    (first, last), (low, high) = before, after
    for i in range(first, last):
        row, drow, own = (
            transitions[i * classes : (i + 1) * classes],
            dtransitions[i * classes : (i + 1) * classes],
            scores[i],
        )
        share = scores.dtype.type(0)
        for j in range(low, high):
            pair = later[j] * exp_nonpositive(own + row[j] - reach[j])
            drow[j] += factor * pair
            share += pair
        earlier[i] = share
        total += share
    for i in range(first, last):  # they sum to 1 but for rounding, which would add up over the steps
        earlier[i] /= total


@part
def _add(factor, shares, low, high, total):
    for j in range(low, high):
        total[j] += factor * shares[j]


@task_kernel
def log_partitions_gradient(
    task, tasks, shards, x, classes, allowed, rows, bounds, transitions, start, end, scratch, reach, shift, factor,
    dx, dtransitions, dstart, dend,
):  # fmt: skip
    """Add the gradient of sum_b factor_b result_b of `log_partitions`, from the last step of each chain to the first.

    The gradient of the emission x_tk is factor_b times the probability that step t has class k.

    Parameters
    ----------
    shards … shift : as in `log_partitions`, scratch (S, 3, K), factor (B,)
    dx (N, K), dtransitions (S, K, K), dstart, dend (S, K): added to.
    """
    chains = bounds.shape[0] - 1
    for shard in range(task * shards // tasks, (task + 1) * shards // tasks):
        first, square = shard * classes, classes * classes
        scores = scratch[3 * first : 3 * first + classes]
        later = scratch[3 * first + classes : 3 * first + 2 * classes]
        earlier = scratch[3 * first + 2 * classes : 3 * first + 3 * classes]
        dpairs = dtransitions[shard * square : (shard + 1) * square]
        for b in range(shard, chains, shards):
            n = rows[bounds[b + 1] - 1]
            own = _classes_of(allowed[n], classes)
            here = reach[n * classes : (n + 1) * classes]
            _scores(here, x[n * classes : (n + 1) * classes], shift[n], own[0], own[1], scores)
            largest = _largest_sum(scores, end, own[0], own[1])
            total = _sum_exponentials(scores, end, largest, own[0], own[1])
            for j in range(own[0], own[1]):
                later[j] = exp_nonpositive(scores[j] + end[j] - largest) / total
            _add(factor[b], later, own[0], own[1], dend[first : first + classes])
            for place in range(bounds[b + 1] - 1, bounds[b], -1):
                _add(factor[b], later, own[0], own[1], dx[n * classes : (n + 1) * classes])
                n = rows[place - 1]
                before, after_reach = _classes_of(allowed[n], classes), here
                here = reach[n * classes : (n + 1) * classes]
                _scores(here, x[n * classes : (n + 1) * classes], shift[n], before[0], before[1], scores)
                _retreat(scores, before, transitions, own, after_reach, later, factor[b], earlier, dpairs)
                own = before
                for j in range(own[0], own[1]):
                    later[j] = earlier[j]
            _add(factor[b], later, own[0], own[1], dx[n * classes : (n + 1) * classes])
            _add(factor[b], later, own[0], own[1], dstart[first : first + classes])


@part
def _follow_best(scores, transitions, best, origins):
    """Set best_j to the largest scores_i + transitions_ij, origins_j to the first i that has it."""
    classes = scores.shape[0]
    for j in range(classes):
        best[j], origins[j] = scores[0] + transitions[j], 0
    for i in range(1, classes):
        row, own = transitions[i * classes : (i + 1) * classes], scores[i]
        for j in range(classes):
            above = own + row[j] > best[j]
            best[j] = own + row[j] if above else best[j]
            origins[j] = i if above else origins[j]


@part
def _first_largest(x, y):
    """Return the first j with the largest x_j + y_j."""
    place = 0
    for j in range(1, x.shape[0]):
        if x[j] + y[j] > x[place] + y[place]:
            place = j
    return place


@task_kernel
def best_labelings(task, tasks, shards, x, classes, rows, bounds, transitions, start, end, scratch, origins, labels):
    """Labeling of each chain with the largest score (Viterbi 1967).

    Parameters
    ----------
    shards … end : as in `log_partitions`, scratch (S, 2, K)
    origins (N, K) int32: the best class of the step before, labels (N,) int64. Both written.
    """
    chains = bounds.shape[0] - 1
    for shard in range(task * shards // tasks, (task + 1) * shards // tasks):
        scores = scratch[2 * shard * classes : (2 * shard + 1) * classes]
        best = scratch[(2 * shard + 1) * classes : (2 * shard + 2) * classes]
        for b in range(shard, chains, shards):
            for place in range(bounds[b], bounds[b + 1]):
                n = rows[place]
                values = x[n * classes : (n + 1) * classes]
                if place == bounds[b]:
                    for j in range(classes):
                        best[j] = start[j]
                else:
                    _follow_best(scores, transitions, best, origins[n * classes : (n + 1) * classes])
                _scores(best, values, _largest_sum(best, values, 0, classes), 0, classes, scores)
            label = _first_largest(scores, end)
            for place in range(bounds[b + 1] - 1, bounds[b] - 1, -1):
                n = rows[place]
                labels[n] = label
                if place > bounds[b]:
                    label = origins[n * classes + label]
