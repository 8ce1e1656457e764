"""Random numbers that depend on nothing but a key and a count.

Each draw of a graph owns a shared state [key, count], the key in two halves, since `NanGuardMode` takes numbers over
1e10 for errors; every call of the function moves the count on by one. Inside a loop the state is handed from step to
step like any other, so that the gradient of the loop meets the same numbers again: with generators, whose state cannot
be looked up afterwards, that gradient does not exist.
"""

import warnings
from collections.abc import Sequence
from math import erf
from typing import Any, Literal, TypeAlias

import numpy as np
import pytensor
import pytensor.tensor as pt
from pytensor.gradient import disconnected_type
from pytensor.graph.basic import Apply, Variable
from pytensor.graph.op import Op

from lstm_cli.ops.contract import Storage, infers_shape

Size: TypeAlias = int | Sequence[int | Variable] | np.ndarray | Variable | None
Seed: TypeAlias = int | Sequence[int]

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
    seed : int or sequence of int, optional
        The same seed and the same order of draws give the same numbers.

    Notes
    -----
    ``x.rng`` of a draw x is the shared variable with its state, ``x.update`` the pair of it and its next. `ndim`, the
    number of axes of x, is needed only where `size` is a vector of unknown length. `nstreams` has no effect: a draw is
    not divided into streams.
    """

    def __init__(self, seed: Seed | None = None) -> None:
        self._default_seed = np.random.SeedSequence(seed).entropy
        self._states: list[Variable] = []
        self.rstate = np.random.SeedSequence(self._default_seed)  # of which each draw takes a part

    def seed(self, seed: Seed | None = None) -> None:
        """Start all draws made so far again, from a seed (None: the one of construction)."""
        self.rstate = np.random.SeedSequence(self._default_seed if seed is None else seed)
        for state in self._states:
            state.set_value(self._fresh())

    @property
    def state_updates(self) -> list[tuple[Variable, Variable]]:
        """Each draw's state with its next; functions apply them by themselves."""
        return [(state, state.default_update) for state in self._states]

    def updates(self) -> list[tuple[Variable, Variable]]:
        """Return `state_updates`."""
        return self.state_updates

    def n_streams(self, size: Size) -> int:
        """Return 1: a draw is not divided into streams."""
        return 1

    def uniform(
        self, size: Size = None, low: float = 0.0, high: float = 1.0, ndim: int | None = None, dtype: str | None = None,
        nstreams: int | None = None,
    ) -> Variable:  # fmt: skip
        """Return numbers uniform in [low, high)."""
        return self._result(low + (high - low) * self._draw("uniform", _sizes(size, ndim, low, high)), dtype)

    def normal(
        self, size: Size = None, avg: float = 0.0, std: float = 1.0, ndim: int | None = None, dtype: str | None = None,
        nstreams: int | None = None, truncate: bool = False,
    ) -> Variable:  # fmt: skip
        """Return numbers from the normal distribution of mean `avg` and deviation `std`.

        With `truncate` none is further than two deviations from the mean.
        """
        sizes = _sizes(size, ndim, avg, std)
        standard = self._draw("normal", sizes) if not truncate else _within_two(self._draw("uniform", sizes))
        return self._result(avg + std * standard, dtype)

    def truncated_normal(
        self, size: Size = None, avg: float = 0.0, std: float = 1.0, ndim: int | None = None, dtype: str | None = None,
        nstreams: int | None = None,
    ) -> Variable:  # fmt: skip
        """Return `normal` numbers within two deviations from the mean."""
        return self.normal(size, avg, std, ndim, dtype, truncate=True)

    def binomial(
        self, size: Size = None, n: int = 1, p: float = 0.5, ndim: int | None = None, dtype: str = "int64",
        nstreams: int | None = None,
    ) -> Variable:  # fmt: skip
        """Return how many of `n` trials with probability `p` succeeded."""
        trials = self._draw("uniform", [pt.as_tensor_variable(n), *_sizes(size, ndim, p)])
        return self._result(pt.lt(trials, p).sum(axis=0), dtype)

    def multinomial(
        self, size: Size = None, n: int = 1, pvals: Any = (0.5, 0.5), ndim: int | None = None, dtype: str = "int64",
        nstreams: int | None = None,
    ) -> Variable:  # fmt: skip
        """Return how often each class came in `n` draws from the rows of `pvals` (…, K)."""
        ends = pt.cumsum(pt.as_tensor_variable(pvals), axis=-1)
        rows = _sizes(size, ndim and ndim - 1, ends[..., 0])
        point = self._draw("uniform", [pt.as_tensor_variable(n), *rows]) * ends[..., -1]
        place = pt.ge(point[..., None], ends).sum(axis=-1)
        hits = pt.eq(place[..., None], pt.arange(ends.shape[-1]))
        return self._result(hits.sum(axis=0), dtype)

    def random_integers(
        self, size: Size = None, low: int = 0, high: int = 1, ndim: int | None = None, dtype: str = "int64"
    ) -> Variable:
        """Return whole numbers from `low` to `high`, both possible."""
        spread = self._draw("uniform", _sizes(size, ndim, low, high)) * (high - low + 1)
        return self._result(low + pt.floor(spread), dtype)

    def permutation(self, size: Size = None, n: int = 1, ndim: int | None = None, dtype: str = "int64") -> Variable:
        """Return 0 … n - 1 in random order, in each of the rows of `size`."""
        draw = self._draw("uniform", [*_sizes(size, ndim and ndim - 1), pt.as_tensor_variable(n)])
        return self._result(pt.argsort(draw, axis=-1), dtype)

    def choice(
        self, size: Size = None, a: int | Variable = 2, replace: bool = True, p: Variable | None = None,
        ndim: int | None = None, dtype: str = "int64", nstreams: int | None = None,
    ) -> Variable:  # fmt: skip
        """Return elements of `a` (or of 0 … a - 1), equally likely or with the probabilities `p`.

        Without `replace` none comes twice. `p` (B, K) then gives ``size`` of the K numbers in each row.
        """
        options = pt.as_tensor_variable(0 if a is None else a)
        weights = pt.ones(options.shape[0] if options.ndim else options) if p is None else pt.as_tensor_variable(p)
        places = self._with_repeats(size, ndim, weights) if replace else self._without_repeats(size, ndim, weights)
        return self._result(options[places] if options.ndim else places, dtype)

    def multinomial_wo_replacement(
        self, size: Size = None, n: int = 1, pvals: Any = None, ndim: int | None = None, dtype: str = "int64",
        nstreams: int | None = None,
    ) -> Variable:  # fmt: skip
        """Return n different classes (B, n), drawn with the probabilities `pvals` (B, K)."""
        return self.choice(n, None, False, pvals, dtype=dtype)

    def shuffle_row_elements(self, x: Variable) -> Variable:
        """Return x (B, N) with the elements of each row in an order of their own, which is its `permutation`."""
        order = self._result(pt.argsort(self._draw("uniform", list(x.shape)), axis=-1), "int64")
        shuffled = pt.take_along_axis(x, order, axis=-1)
        shuffled.permutation = order
        return shuffled

    def _with_repeats(self, size: Size, ndim: int | None, weights: Variable) -> Variable:
        ends = pt.cumsum(weights / weights.sum())
        return pt.ge(self._draw("uniform", _sizes(size, ndim))[..., None], ends[:-1]).sum(axis=-1)

    def _without_repeats(self, size: Size, ndim: int | None, weights: Variable) -> Variable:
        """Return the first of a race: waiting times that are exponential with these rates (Efraimidis 2006)."""
        uniform, possible = self._draw("uniform", list(weights.shape)), weights > 0
        waiting = pt.switch(possible, -pt.log1p(-uniform) / pt.switch(possible, weights, 1), np.inf)
        order, sizes = pt.argsort(waiting, axis=-1), _sizes(size, ndim)
        if order.ndim > 1:
            return order[..., : pt.prod(pt.stack(sizes))]
        return order[: pt.prod(pt.stack(sizes))].reshape(sizes) if sizes else order[0]

    def _draw(self, distribution: Literal["uniform", "normal"], sizes: list[Variable]) -> Variable:
        state = pytensor.shared(self._fresh(), name="random state", shape=(3,))
        state.tag.is_rng = True  # Theano's mark
        update_by_itself(state, state + _NEXT)
        self._states.append(state)
        return Draw(distribution)(state, *sizes)

    def _result(self, numbers: Variable, dtype: str | None) -> Variable:
        """Return what was made of the last draw, in its dtype, with the draw's state."""
        result = numbers.astype(dtype or pytensor.config.floatX)
        result.rng, result.update = self._states[-1], self.state_updates[-1]
        return result

    def _fresh(self) -> np.ndarray:
        """Return the state of a draw that has not been made: a key of its own, and nothing counted."""
        (child,) = self.rstate.spawn(1)
        high, low = divmod(int(child.generate_state(1, np.uint64)[0] >> np.uint64(1)), 1 << 32)
        return np.array([high, low, 0], dtype="int64")


class MRG_RandomStreams(RandomStreams):
    """`RandomStreams` whose seed is 12345 unless given, as in Theano; `use_cuda` has no effect."""

    def __init__(self, seed: Seed = 12345, use_cuda: bool | None = None) -> None:
        super().__init__(seed)


def update_by_itself(state: Variable, following: Variable) -> None:
    """Let every function that reads `state` replace it by `following`, whatever updates it is given."""
    with warnings.catch_warnings():  # deprecated in favour of generators; PyTensor is pinned below the next version
        warnings.filterwarnings("ignore", "Setting default_update", DeprecationWarning)
        state.default_update = following


def _sizes(size: Size, ndim: int | None, *like: float | Variable) -> list[Variable]:
    """Return the lengths of the axes; without a size those of the parameters."""
    if size is None:
        shaped = [v for v in map(pt.as_tensor_variable, like) if v.ndim]
        size = shaped[0].shape if shaped else ()
    if isinstance(size, Variable) and size.ndim:
        length = size.type.shape[0] if ndim is None else ndim
        if length is None:
            raise TypeError("size: its length must be known; give ndim, or a tuple of lengths")
        return [size[k] for k in range(length)]
    lengths = size if isinstance(size, tuple | list | np.ndarray) else [size]
    return [pt.as_tensor_variable(length) for length in lengths]


def _within_two(uniform: Variable) -> Variable:
    """Return numbers of the standard normal distribution cut off at two deviations, by its inverse."""
    bound = float(erf(np.sqrt(2.0)))
    return np.sqrt(2.0) * pt.erfinv(bound * (2 * uniform - 1))
