"""Random numbers that depend on nothing but a key and a count.

Each draw of a graph owns a shared state [key, count], the key in two halves, since `NanGuardMode` takes numbers over
1e10 for errors; every call of the function moves the count on by one. Inside a loop the state is handed from step to
step like any other, so that the gradient of the loop meets the same numbers again: with generators, whose state cannot
be looked up afterwards, that gradient does not exist.
"""

import warnings
from collections.abc import Sequence
from typing import Any, Literal, TypeAlias

import numpy as np
import pytensor
import pytensor.tensor as pt
from pytensor.gradient import disconnected_type
from pytensor.graph.basic import Apply, Variable
from pytensor.graph.op import Op

from lstm_cli.ops.contract import Storage, infers_shape

Size: TypeAlias = int | Sequence[int | Variable] | Variable | None

_NEXT = np.array([0, 0, 1])


class Draw(Op):
    """``(state (3,) int64, *sizes) -> numbers``: uniform in [0, 1) or standard normal, float64.

    Philox is a function of its key and counter (Salmon et al. 2011), so the same state gives the same numbers anywhere.
    """

    __props__ = ("distribution",)

    def __init__(self, distribution: Literal["uniform", "normal"]) -> None:
        self.distribution = distribution

    def make_node(self, state: Variable, *sizes: Variable) -> Apply:
        shape = [int(s.data) if isinstance(s, pt.TensorConstant) else None for s in sizes]
        return Apply(self, [state, *sizes], [pt.tensor(dtype="float64", shape=shape)])

    @infers_shape
    def infer_shape(self, node: Apply, shapes: list[Any]) -> list[Any]:
        return [tuple(node.inputs[1:])]

    def connection_pattern(self, node: Apply) -> list[list[bool]]:
        return [[False]] * len(node.inputs)

    def perform(self, node: Apply, inputs: Sequence[np.ndarray], outputs: Storage) -> None:
        (high, low, count), *sizes = inputs
        bits = np.random.Philox(key=(int(high) << 32) + int(low), counter=[0, 0, 0, int(count)])
        generator = np.random.Generator(bits)
        draw = generator.random if self.distribution == "uniform" else generator.standard_normal
        outputs[0][0] = np.asarray(draw([int(size) for size in sizes]))

    def pullback(
        self, inputs: Sequence[Variable], outputs: Sequence[Variable], cotangents: Sequence[Variable]
    ) -> list[Variable]:
        return [disconnected_type() for _ in inputs]


class RandomStreams:
    """A source of random variables with the methods of Theano's ``RandomStreams``; new numbers at every call.

    Parameters
    ----------
    seed : int, optional
        The same seed and the same order of draws give the same numbers.
    """

    def __init__(self, seed: int | None = None) -> None:
        self._default_seed = np.random.SeedSequence(seed).entropy
        self._states: list[Variable] = []
        self._seed = np.random.SeedSequence(self._default_seed)

    def seed(self, seed: int | None = None) -> None:
        """Start all draws made so far again, from a seed (None: the one of construction)."""
        self._seed = np.random.SeedSequence(self._default_seed if seed is None else seed)
        for state in self._states:
            state.set_value(self._fresh())

    def updates(self) -> list[tuple[Variable, Variable]]:
        """Return each draw's state with its next; functions apply them by themselves."""
        return [(state, state + _NEXT) for state in self._states]

    def uniform(
        self, size: Size = None, low: float = 0.0, high: float = 1.0, ndim: int | None = None, dtype: str | None = None
    ) -> Variable:
        """Return numbers uniform in [low, high)."""
        return _cast(low + (high - low) * self._draw("uniform", _sizes(size, low, high)), dtype)

    def normal(
        self, size: Size = None, avg: float = 0.0, std: float = 1.0, ndim: int | None = None, dtype: str | None = None
    ) -> Variable:
        """Return numbers from the normal distribution of mean `avg` and deviation `std`."""
        return _cast(avg + std * self._draw("normal", _sizes(size, avg, std)), dtype)

    def binomial(
        self, size: Size = None, n: int = 1, p: float = 0.5, ndim: int | None = None, dtype: str = "int64"
    ) -> Variable:
        """Return how many of `n` trials with probability `p` succeeded."""
        trials = self._draw("uniform", [pt.as_tensor_variable(n), *_sizes(size, p)])
        return pt.lt(trials, p).sum(axis=0).astype(dtype)

    def multinomial(
        self, size: Size = None, n: int = 1, pvals: Variable | None = None, ndim: int | None = None,
        dtype: str = "int64",
    ) -> Variable:  # fmt: skip
        """Return how often each class came in `n` draws from the rows of `pvals` (…, K)."""
        ends = pt.cumsum(pt.as_tensor_variable(pvals), axis=-1)
        rows = _sizes(size, ends[..., 0])
        point = self._draw("uniform", [pt.as_tensor_variable(n), *rows]) * ends[..., -1]
        place = pt.ge(point[..., None], ends).sum(axis=-1)
        hits = pt.eq(place[..., None], pt.arange(ends.shape[-1]))
        return hits.sum(axis=0).astype(dtype)

    def random_integers(
        self, size: Size = None, low: int = 0, high: int = 1, ndim: int | None = None, dtype: str = "int64"
    ) -> Variable:
        """Return whole numbers from `low` to `high`, both possible."""
        spread = self._draw("uniform", _sizes(size, low, high)) * (high - low + 1)
        return (low + pt.floor(spread)).astype(dtype)

    def permutation(self, size: Size = None, n: int = 1, ndim: int | None = None, dtype: str = "int64") -> Variable:
        """Return 0 … n - 1 in random order, in each of the rows of `size`."""
        draw = self._draw("uniform", [*_sizes(size), pt.as_tensor_variable(n)])
        return pt.argsort(draw, axis=-1).astype(dtype)

    def choice(
        self, size: Size = None, a: int | Variable = 2, replace: bool = True, p: Variable | None = None,
        ndim: int | None = None, dtype: str = "int64",
    ) -> Variable:  # fmt: skip
        """Return elements of `a` (or of 0 … a - 1), equally likely or with the probabilities `p`."""
        if not replace:
            raise NotImplementedError("choice: replace=False is not offered; take the first elements of a permutation")
        options = pt.as_tensor_variable(a)
        count = options if options.ndim == 0 else options.shape[0]
        weights = pt.ones((count,)) if p is None else pt.as_tensor_variable(p)
        ends = pt.cumsum(weights / weights.sum())
        place = pt.ge(self._draw("uniform", _sizes(size))[..., None], ends[:-1]).sum(axis=-1)
        return (place if options.ndim == 0 else options[place]).astype(dtype)

    def shuffle_row_elements(self, x: Variable) -> Variable:
        """Return x (B, N) with the elements of each row in an order of their own."""
        order = pt.argsort(self._draw("uniform", list(x.shape)), axis=-1)
        return pt.take_along_axis(x, order, axis=-1)

    def _draw(self, distribution: Literal["uniform", "normal"], sizes: list[Variable]) -> Variable:
        state = pytensor.shared(self._fresh(), name="random state", shape=(3,))
        update_by_itself(state, state + _NEXT)
        self._states.append(state)
        return Draw(distribution)(state, *sizes)

    def _fresh(self) -> np.ndarray:
        """Return the state of a draw that has not been made: a key of its own, and nothing counted."""
        (child,) = self._seed.spawn(1)
        high, low = divmod(int(child.generate_state(1, np.uint64)[0] >> np.uint64(1)), 1 << 32)
        return np.array([high, low, 0], dtype="int64")


MRG_RandomStreams = RandomStreams


def update_by_itself(state: Variable, following: Variable) -> None:
    """Let every function that reads `state` replace it by `following`, whatever updates it is given."""
    with warnings.catch_warnings():  # deprecated in favour of generators; PyTensor is pinned below the next version
        warnings.filterwarnings("ignore", "Setting default_update", DeprecationWarning)
        state.default_update = following


def _sizes(size: Size, *like: float | Variable) -> list[Variable]:
    """Return the lengths of the axes; without a size those of the parameters."""
    if size is None:
        shaped = [v for v in map(pt.as_tensor_variable, like) if v.ndim]
        size = shaped[0].shape if shaped else ()
    if isinstance(size, Variable) and size.ndim:
        length = size.type.shape[0]
        if length is None:
            raise TypeError("size: its length must be known; give a tuple of lengths")
        return [size[k] for k in range(length)]
    lengths = size if isinstance(size, tuple | list) else [size]
    return [pt.as_tensor_variable(length) for length in lengths]


def _cast(numbers: Variable, dtype: str | None) -> Variable:
    return numbers.astype(dtype or pytensor.config.floatX)
