"""Layer normalisation (Ba, Kiros and Hinton 2016) of a cell's sums, between the matrix products and the equations.

Each block of sums u of a sequence's step, one for each bias, is brought to mean 0 and deviation 1 over its H units:

    s = g (u - mean(u)) / sqrt(mean((u - mean(u))²) + 1e-5) + b

with a gain g and the bias b, which is added here and not before. Where a cell keeps the sums of x and of h apart, each
of them is a block. States are not normalised. What is kept for the gradient are the centred sums, behind what the cell
keeps of the step. The array `norms` has the gains, then the biases, each in the order of the sums in memory.
"""

import numpy as np

from lstm_cli.kernels.runtime.compilation import part
from lstm_cli.kernels.simd.lanewise import lanewise, lanewise_sum
from lstm_cli.kernels.simd.vector import Row, Vector

EPSILON = 1e-5


@lanewise_sum
def total(source: Row) -> Vector:
    """Return the sum: ``total(count, source, place)``."""
    return source[0]


@lanewise_sum
def inner(left: Row, right: Row) -> Vector:
    """Return the sum of the products of two rows: ``inner(count, left, place, right, place)``."""
    return left[0] * right[0]


@lanewise_sum
def inner_of_three(left: Row, middle: Row, right: Row) -> Vector:
    """Return the same of three rows."""
    return left[0] * middle[0] * right[0]


@lanewise
def centre(mean: Vector, source: Row, target: Row) -> None:
    """Subtract the mean."""
    target[0] = source[0] - mean


@lanewise
def scale(rate: Vector, centred: Row, gain: Row, bias: Row, target: Row) -> None:
    """Divide by the deviation, 1 / `rate`, and apply gain and bias."""
    target[0] = centred[0] * rate * gain[0] + bias[0]


@lanewise
def gather(rate: Vector, gradient: Row, centred: Row, dgain: Row, dbias: Row) -> None:
    """Add to the gradients of gain and bias."""
    dgain[0] = dgain[0] + gradient[0] * centred[0] * rate
    dbias[0] = dbias[0] + gradient[0]


@lanewise
def project(rate: Vector, mean: Vector, slope: Vector, gain: Row, centred: Row, gradient: Row) -> None:
    """Take from the gradient what the mean and the deviation took."""
    gradient[0] = rate * (gradient[0] * gain[0] - mean - centred[0] * slope)


@part(exact=True)
def normalize(units, blocks, sums, sums_at, norms, kept, kept_at):
    """Normalise the blocks of sums of one step, and keep them as they were but centred."""
    for k in range(blocks):
        at, here = sums_at + k * units, kept_at + k * units
        centre(units, total(units, sums, at) / units, sums, at, kept, here)
        rate = 1.0 / np.sqrt(inner(units, kept, here, kept, here) / units + EPSILON)
        scale(units, rate, kept, here, norms, k * units, norms, (blocks + k) * units, sums, at)


@part(exact=True)
def normalize_backward(units, blocks, kept, gradients_at, kept_at, norms, dnorms, dnorms_at):
    """Turn the gradients of one step's normalised sums into those of the sums; add to those of gains and biases."""
    for k in range(blocks):
        at, here, gain, dgain = gradients_at + k * units, kept_at + k * units, k * units, dnorms_at + k * units
        rate = 1.0 / np.sqrt(inner(units, kept, here, kept, here) / units + EPSILON)
        gather(units, rate, kept, at, kept, here, dnorms, dgain, dnorms, dgain + blocks * units)
        mean = inner(units, kept, at, norms, gain) / units
        slope = inner_of_three(units, kept, at, kept, here, norms, gain) / units * rate * rate
        project(units, rate, mean, slope, norms, gain, kept, here, kept, at)


@part
def leave(units, blocks, sums, sums_at, norms, kept, kept_at):
    """Leave the sums as they are."""


@part
def leave_backward(units, blocks, kept, gradients_at, kept_at, norms, dnorms, dnorms_at):
    """Leave the gradients as they are."""
