"""Functions of single numbers that LLVM turns into vector code where a kernel calls them in a loop.

For exponential and logarithm numba calls the C library once an element; these are polynomials, an order of magnitude
faster over an array, for the arguments that losses and softmaxes have: exponents that are not positive, and 1 + u with
u in [0, 1]. In float64, which serves gradient checks only, the C library's functions are used.
"""

import math

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, overload

# "reassoc" is left out: it would join the two parts of ln 2 into one and lose the reduced argument's last bits.
_FLAGS = {"fastmath": {"contract", "nsz"}, "error_model": "numpy"}

_LOG2_E = np.float32(1.44269504)
_LN2_HIGH, _LN2_LOW = np.float32(0.693359375), np.float32(-2.12194440e-4)  # the first times an integer is exact
_HALF, _ONE, _TWO = np.float32(0.5), np.float32(1), np.float32(2)
_LOWEST = np.float32(-87.3)  # the result stays a normal number
_BIAS, _MANTISSA = np.int32(127), np.int32(23)

# exp(r) = 1 + r + r² P(r) on |r| <= ln(2) / 2, and 2 atanh(s) = 2 s + s³ Q(s²) on 0 <= s <= 1/3: fitted for the least
# largest relative error (Lawson's reweighted least squares), 3e-9 and 4e-9; highest power first
_P = tuple(np.float32(c) for c in (1.38146132e-3, 8.36870982e-3, 4.16683874e-2, 1.66665207e-1, 4.99999934e-1))
_Q = tuple(np.float32(c) for c in (2.80119864e-1, 2.80018054e-1, 4.00215272e-1, 6.66664163e-1))


def exp_nonpositive(x):
    """Return e^x for x <= 0; below -87.3 e^-87.3. Relative error below 1e-7 in float32."""
    return math.exp(x)


def log1p_unit(u):
    """Return ln(1 + u) for u in [0, 1]. Relative error below 2e-7 in float32."""
    return math.log1p(u)


@overload(exp_nonpositive, jit_options=_FLAGS)
def _exp_nonpositive(x):
    if x != types.float32:
        return lambda x: math.exp(x)
    p0, p1, p2, p3, p4 = _P

    def vectorised(x):
        x = max(x, _LOWEST)
        n = np.int32(x * _LOG2_E - _HALF)  # towards zero, so this rounds to the nearest
        k = np.float32(n)
        r = x - k * _LN2_HIGH - k * _LN2_LOW
        p = (((p0 * r + p1) * r + p2) * r + p3) * r + p4
        power = np.int32((n + _BIAS) << _MANTISSA).view(np.float32)
        return (p * r * r + r + _ONE) * power

    return vectorised


@overload(log1p_unit, jit_options=_FLAGS)
def _log1p_unit(u):
    if u != types.float32:
        return lambda u: math.log1p(u)
    q0, q1, q2, q3 = _Q

    def vectorised(u):
        s = u / (u + _TWO)  # ln(1 + u) = 2 atanh(s)
        t = s * s
        q = ((q0 * t + q1) * t + q2) * t + q3
        return _TWO * s + q * t * s

    return vectorised


@intrinsic
def larger(context, a, b):
    """Return the larger of two floats, neither of them NaN (numba's max does not become vector code in a reduction)."""

    def generate(context, builder, signature, arguments):
        kind = arguments[0].type
        name = f"llvm.maxnum.f{signature.return_type.bitwidth}"
        function = cgutils.get_or_insert_function(builder.module, ir.FunctionType(kind, [kind, kind]), name)
        return builder.call(function, arguments, fastmath=("nnan", "nsz"))

    return a(a, a), generate
