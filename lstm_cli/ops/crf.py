"""Linear-chain conditional random fields over the steps of sequences, as Ops (Lafferty, McCallum and Pereira 2001).

The score of a labeling y of a sequence with T steps is

    s(y) = start_y1 + sum_t x_t,yt + sum_t transitions_yt,yt+1 + end_yT

and its probability exp(s(y)) / Z, with Z the sum of exp(s) over all K^T labelings.

Legend: N rows, one for each step of all sequences; B sequences, K classes.

References
----------
J. Lafferty, A. McCallum, F. Pereira (2001). Conditional random fields. ICML.
Y. Tsuboi, H. Kashima, S. Mori, H. Oda, Y. Matsumoto (2008). Training conditional random fields using incomplete
annotations. COLING.
A. Viterbi (1967). Error bounds for convolutional codes and an asymptotically optimum decoding algorithm. IEEE
Transactions on Information Theory.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pytensor.tensor as pt
from pytensor.gradient import disconnected_type
from pytensor.graph.basic import Apply, Variable
from pytensor.graph.op import Op
from pytensor.tensor.type import TensorType

from lstm_cli.kernels import crf as kernels
from lstm_cli.ops.contract import Storage, dense_array, infers_shape, is_disconnected, task_count

#: Numbers that the gradients of the transitions take at most while they are summed.
_MOST_SUMMED = 1 << 22


class Chains(NamedTuple):
    """The sequences that a field labels.

    Attributes
    ----------
    emissions : (N, K)
        x, with the rows of a sequence in the order of its steps; those of several sequences may alternate.
    owners : (N,) int64
        The sequence of each row, 0 to B - 1.
    lengths : (B,) int64
        Steps of each sequence; every one of them has its row.
    transitions : (K, K)
        From the class of a row to that of a column.
    start, end : (K,)
        Of the first and the last step.
    """

    emissions: Variable
    owners: Variable
    lengths: Variable
    transitions: Variable
    start: Variable
    end: Variable


def crf_loss(chains: Chains, target: Variable, weight: Variable) -> tuple[Variable, Variable]:
    """Return the loss and the share of it of every step.

    nll_b = log Z_b - log Z_b(y), where Z(y) is the sum over the labelings that agree with the known classes: for
    a sequence whose classes are all known exp(s(y)), and steps without a class are summed out (Tsuboi et al. 2008).
    Each of the n_b known steps has the share nll_b / n_b; the loss is sum_n weight_n share_n.

    Parameters
    ----------
    chains : Chains
    target : (N,) int64
        Class of each row; -1: unknown.
    weight : (N,)

    Returns
    -------
    loss : scalar
    shares : (N,)
        0 where the class is unknown. No gradient flows through it.
    """
    nll = log_partition(chains, pt.full_like(target, -1)) - log_partition(chains, target)
    loss, shares = SharedLoss()(nll, target, weight, chains.owners, return_list=True)
    return loss, shares


def log_partition(chains: Chains, allowed: Variable) -> Variable:
    """Return log Z (B,) float64 over the labelings that have the given classes, by the forward algorithm.

    Its gradient with respect to the emissions is the probability of each class at each step.

    Parameters
    ----------
    chains : Chains
    allowed : (N,) int64
        The class that a row must have; -1: any.
    """
    log_z, _, _ = LogPartition()(*chains, allowed, return_list=True)
    return log_z


def crf_marginals(chains: Chains) -> Variable:
    """Return the probability (N, K) of each class at each step, summed over the labelings."""
    allowed = pt.full_like(chains.owners, -1)
    _, reach, shift = LogPartition()(*chains, allowed, return_list=True)
    ones = pt.ones_like(chains.lengths, dtype="float64")
    return LogPartitionGradient()(*chains, allowed, reach, shift, ones, return_list=True)[0]


def crf_decode(chains: Chains) -> Variable:
    """Return the class (N,) of each step in the labeling with the largest score of its sequence (Viterbi 1967)."""
    return Decode()(*chains)


class _Rows(NamedTuple):
    """The layout of a call: shards, rows in the order of sequences and steps, and where each sequence begins."""

    shards: int
    order: np.ndarray
    bounds: np.ndarray


def _rows(name: str, inputs: Sequence[np.ndarray], allowed: np.ndarray | None = None) -> _Rows:
    """Return the layout of chains, or raise an error where it is none: kernels check no bounds."""
    emissions, owners, lengths, transitions, start, end = inputs
    rows, classes = emissions.shape
    shapes = (owners.shape, transitions.shape, start.shape, end.shape)
    if not classes or shapes != ((rows,), (classes, classes), (classes,), (classes,)):
        raise ValueError(f"{name}: emissions {emissions.shape} do not fit owners, transitions, start, end {shapes}")
    sequences = len(lengths)
    ranged = not rows or 0 <= owners.min() <= owners.max() < sequences
    if not ranged or (np.bincount(owners, minlength=sequences) != lengths).any():
        raise ValueError(f"{name}: each of the {sequences} sequences needs a row for each of its steps")
    if (lengths < 1).any():
        raise ValueError(f"{name}: every sequence needs a step")
    if allowed is not None and (allowed.shape != (rows,) or not -1 <= allowed.min() <= allowed.max() < classes):
        raise IndexError(f"{name}: expected a class in -1 … {classes - 1} for each of {rows} rows, got {allowed}")
    shards = max(1, min(sequences, 16, _MOST_SUMMED // classes**2))
    bounds = np.concatenate([[0], np.cumsum(lengths)])
    return _Rows(shards, np.argsort(owners, kind="stable").astype(np.int64), bounds.astype(np.int64))


def _dense(inputs: Sequence[np.ndarray]) -> tuple[np.ndarray, ...]:
    """Return emissions, transitions, start and end as kernels take them."""
    emissions, _, _, *parameters = inputs
    return tuple(dense_array(array, emissions.dtype) for array in (emissions, *parameters))


def _with_losses_of_bad_numbers(log_z: np.ndarray, inputs: Sequence[np.ndarray]) -> np.ndarray:
    """Return log_z (B,), NaN for each sequence with a number that is not finite, which kernels do not notice."""
    emissions, owners, _, *parameters = inputs
    with np.errstate(over="ignore", invalid="ignore"):
        rows = emissions.sum(axis=1)
        if not all(np.isfinite(array.sum()) for array in parameters):
            log_z[:] = np.nan
    log_z[owners[~np.isfinite(rows)]] = np.nan
    return log_z


class _OfChains(Op):
    """An Op whose first inputs are those of `Chains`."""

    __props__ = ()

    def make_node(self, *inputs: Variable) -> Apply:
        given = [pt.as_tensor_variable(v) for v in inputs]
        dtype = given[0].type.dtype
        wanted = [(2, dtype), (1, "int64"), (1, "int64"), (2, dtype), (1, dtype), (1, dtype)]
        for name, variable, (ndim, kind) in zip(Chains._fields, given, wanted, strict=False):
            if variable.type.ndim != ndim or variable.type.dtype != kind:
                raise TypeError(f"{type(self).__name__}: {name} must be {kind} with {ndim} axes, got {variable.type}")
        return Apply(self, given, [kind() for kind in self.output_types(given)])

    def output_types(self, inputs: Sequence[Variable]) -> list[TensorType]:
        raise NotImplementedError


class LogPartition(_OfChains):
    """``(*Chains, allowed (N,)) -> (log Z (B,) float64, reach (N, K), shift (N,))``; the last two for the gradient."""

    def output_types(self, inputs: Sequence[Variable]) -> list[TensorType]:
        emissions = inputs[0].type
        return [TensorType("float64", (None,)), emissions, TensorType(emissions.dtype, emissions.shape[:1])]

    @infers_shape
    def infer_shape(self, node: Apply, shapes: list[Any]) -> list[Any]:
        return [shapes[2], shapes[0], shapes[0][:1]]

    def connection_pattern(self, node: Apply) -> list[list[bool]]:
        return [[number in (0, 3, 4, 5), False, False] for number in range(7)]

    def perform(self, node: Apply, inputs: Sequence[np.ndarray], outputs: Storage) -> None:
        *chains, allowed = inputs
        rows = _rows("CRF", chains, allowed)
        x, transitions, start, end = _dense(chains)
        scratch, reach = np.empty((rows.shards, 2, x.shape[1]), x.dtype), np.zeros_like(x)
        shift, log_z = np.empty(len(x), x.dtype), np.empty(len(rows.bounds) - 1)
        kernels.log_partitions(
            min(rows.shards, task_count(x.size * x.shape[1])), rows.shards, x, x.shape[1],
            dense_array(allowed, np.int64), rows.order, rows.bounds, transitions, start, end, scratch, reach, shift,
            log_z,
        )  # fmt: skip
        outputs[0][0], outputs[1][0], outputs[2][0] = _with_losses_of_bad_numbers(log_z, chains), reach, shift

    def pullback(
        self, inputs: Sequence[Variable], outputs: Sequence[Variable], cotangents: Sequence[Variable]
    ) -> list[Variable]:
        if is_disconnected(cotangents[0]):
            return [disconnected_type() for _ in inputs]
        dx, *dparameters = LogPartitionGradient()(*inputs, *outputs[1:], cotangents[0], return_list=True)
        return [dx, disconnected_type(), disconnected_type(), *dparameters, disconnected_type()]


class LogPartitionGradient(_OfChains):
    """``(*Chains, allowed (N,), reach (N, K), shift (N,), dlog_z (B,)) -> (dx, dtransitions, dstart, dend)``."""

    def output_types(self, inputs: Sequence[Variable]) -> list[TensorType]:
        return [inputs[number].type for number in (0, 3, 4, 5)]

    def perform(self, node: Apply, inputs: Sequence[np.ndarray], outputs: Storage) -> None:
        *chains, allowed, reach, shift, dlog_z = inputs
        rows, (x, transitions, start, end) = _rows("CRF", chains, allowed), _dense(chains)
        shards, classes = rows.shards, x.shape[1]
        dx, scratch = np.zeros_like(x), np.empty((shards, 3, classes), x.dtype)
        parts = [np.zeros((shards, *shape), x.dtype) for shape in ((classes, classes), (classes,), (classes,))]
        kernels.log_partitions_gradient(
            min(shards, task_count(x.size * classes)), shards, x, classes, dense_array(allowed, np.int64), rows.order,
            rows.bounds, transitions, start, end, scratch, dense_array(reach, x.dtype), dense_array(shift, x.dtype),
            dense_array(dlog_z, x.dtype), dx, *parts,
        )  # fmt: skip
        outputs[0][0] = dx
        for output, summed in zip(outputs[1:], parts, strict=True):
            output[0] = summed.sum(axis=0)


class Decode(_OfChains):
    """``Chains -> classes (N,) int64`` of the best labeling."""

    def output_types(self, inputs: Sequence[Variable]) -> list[TensorType]:
        return [TensorType("int64", inputs[0].type.shape[:1])]

    def connection_pattern(self, node: Apply) -> list[list[bool]]:
        return [[False] for _ in node.inputs]

    def perform(self, node: Apply, inputs: Sequence[np.ndarray], outputs: Storage) -> None:
        rows, (x, transitions, start, end) = _rows("CRF", inputs), _dense(inputs)
        scratch, origins = np.empty((rows.shards, 2, x.shape[1]), x.dtype), np.empty(x.shape, np.int32)
        outputs[0][0] = labels = np.empty(len(x), np.int64)
        kernels.best_labelings(
            min(rows.shards, task_count(x.size * x.shape[1])), rows.shards, x, x.shape[1], rows.order, rows.bounds,
            transitions, start, end, scratch, origins, labels,
        )  # fmt: skip


class SharedLoss(Op):
    """``(nll (B,), target (N,), weight (N,), owners (N,)) -> (loss, shares (N,))``, shares nll_b / n_b."""

    __props__ = ()

    def make_node(self, *inputs: Variable) -> Apply:
        weight = inputs[2].type
        return Apply(self, list(inputs), [pt.scalar(dtype=weight.dtype), weight()])

    @infers_shape
    def infer_shape(self, node: Apply, shapes: list[Any]) -> list[Any]:
        return [(), shapes[2]]

    def connection_pattern(self, node: Apply) -> list[list[bool]]:
        return [[True, False], [False, False], [False, False], [False, False]]

    def perform(self, node: Apply, inputs: Sequence[np.ndarray], outputs: Storage) -> None:
        nll, target, weight, owners = inputs
        shares = np.where(target >= 0, nll[owners] / _known(target, owners, len(nll))[owners], 0)
        outputs[0][0] = np.asarray((weight * shares).sum(), weight.dtype)
        outputs[1][0] = shares.astype(weight.dtype)

    def pullback(
        self, inputs: Sequence[Variable], outputs: Sequence[Variable], cotangents: Sequence[Variable]
    ) -> list[Variable]:
        return [SharedLossGradient()(*inputs, cotangents[0]), *(disconnected_type() for _ in range(3))]


class SharedLossGradient(Op):
    """``(nll (B,), target (N,), weight (N,), owners (N,), dloss) -> dnll (B,)``: the mean weight of the known steps."""

    __props__ = ()

    def make_node(self, *inputs: Variable) -> Apply:
        return Apply(self, list(inputs), [inputs[0].type()])

    def perform(self, node: Apply, inputs: Sequence[np.ndarray], outputs: Storage) -> None:
        nll, target, weight, owners, dloss = inputs
        summed = np.bincount(owners, np.where(target >= 0, weight, 0), len(nll))
        outputs[0][0] = float(dloss) * summed / _known(target, owners, len(nll))


def _known(target: np.ndarray, owners: np.ndarray, sequences: int) -> np.ndarray:
    """Return the number of known steps of each sequence (B,), 1 where there is none."""
    return np.maximum(np.bincount(owners[target >= 0], minlength=sequences), 1)
