"""What a loop's step computes from the step's own inputs alone, computed for all steps at once.

Node by node, each variable (…) of the step becomes its sequence (T, …); what does not depend on time stays as it is.
Only Ops of PyTensor that can take the axis of time without a loop of their own are taken.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import pytensor.tensor as pt
from pytensor.graph.basic import Apply, Variable
from pytensor.graph.op import Op
from pytensor.graph.replace import vectorize_graph
from pytensor.graph.traversal import toposort
from pytensor.tensor.basic import Join, ScalarFromTensor
from pytensor.tensor.blockwise import Blockwise
from pytensor.tensor.math import Dot
from pytensor.tensor.random.op import RandomVariable
from pytensor.tensor.shape import Shape, specify_broadcastable
from pytensor.tensor.subtensor import AdvancedSubtensor, IncSubtensor, Subtensor, indices_from_subtensor


class NeedsLoop(Exception):
    """A variable cannot be computed for all steps at once."""


class OverTime:
    """The sequences of a step's variables.

    Parameters
    ----------
    steps : scalar int64
        T.
    sequences : mapping
        The sequence (T, …) of each of the step's inputs that has one.
    unknown : iterable of variables
        Inputs of the step whose sequences are not known yet.
    """

    def __init__(self, steps: Variable, sequences: Mapping[Variable, Variable], unknown: Iterable[Variable]) -> None:
        self.steps = steps
        self.sequences = dict(sequences)
        self.unknown = set(unknown)
        self._constant: dict[Variable, Variable] = {}  # the shape of an element of a sequence, and what is made of it

    def add(self, variable: Variable, sequence: Variable) -> None:
        """Let a variable of the step have this sequence."""
        self.sequences[variable] = sequence
        self.unknown.discard(variable)

    def differs(self, variables: Sequence[Variable]) -> bool:
        """Whether any of the variables may differ from step to step."""
        inside = self.unknown.union(self.sequences)
        nodes = toposort(variables, blockers=inside)
        return not inside.isdisjoint([*variables, *(v for node in nodes for v in node.inputs)])

    def of(self, variable: Variable) -> Variable:
        """Return the sequence (T, …) of a variable.

        Raises
        ------
        NeedsLoop
            It depends on an unknown input, or on an Op that needs a loop.
        """
        for node in toposort([variable], blockers=self.sequences):
            if not self.unknown.isdisjoint(node.inputs):
                raise NeedsLoop
            if any(v in self.sequences for v in node.inputs):
                self._compute(node)
            elif any(v in self._constant for v in node.inputs):
                again = node.op.make_node(*(self.given(v) for v in node.inputs))
                self._constant.update(zip(node.outputs, again.outputs, strict=True))
        if variable in self.unknown:
            raise NeedsLoop
        given = self.given(variable)
        return given if variable in self.sequences else pt.alloc(given, self.steps, *given.shape)

    def given(self, variable: Variable) -> Variable:
        """Return the sequence of a variable; where it does not differ between steps, the variable for any step."""
        known = self.sequences if variable in self.sequences else self._constant
        return known.get(variable, variable)

    def _compute(self, node: Apply) -> None:
        """Add the sequences of a node's outputs."""
        if isinstance(node.op, Shape):
            self._constant[node.outputs[0]] = pt.shape(self.sequences[node.inputs[0]])[1:]
            return
        if not type(node.op).__module__.startswith("pytensor."):
            raise NeedsLoop
        rule = next((rule for kind, rule in _RULES.items() if isinstance(node.op, kind)), _as_pytensor_does)
        for output, sequence in zip(node.outputs, rule(self, node), strict=True):
            kind = output.type  # of a tensor, or of a scalar that numbers an element
            ones = getattr(kind, "broadcastable", ())
            self.sequences.setdefault(output, typed(sequence, kind.ndim + 1, kind.dtype, (False, *ones)))


def typed(sequence: Variable, axes: int, dtype: str, broadcastable: Sequence[bool]) -> Variable:
    """Return a sequence with the axes known to have length 1 that should be known.

    Raises
    ------
    NeedsLoop
        It has another number of axes or another type of elements.
    """
    if (sequence.type.ndim, sequence.type.dtype) != (axes, dtype):
        raise NeedsLoop
    pairs = zip(broadcastable, sequence.type.broadcastable, strict=True)
    unknown = [axis for axis, (one, known) in enumerate(pairs) if one and not known]
    return specify_broadcastable(sequence, *unknown) if unknown else sequence


def _as_pytensor_does(known: OverTime, node: Apply) -> Sequence[Variable]:
    """Return what PyTensor computes with one more axis."""
    return _vectorized(node, {v: known.given(v) for v in node.inputs})


def _vectorized(node: Apply, given: Mapping[Variable, Variable]) -> Sequence[Variable]:
    """Return PyTensor's outputs for these inputs, unless they come from a loop."""
    try:
        outputs: Sequence[Variable] = vectorize_graph(node.outputs, {v: s for v, s in given.items() if v is not s})
    except Exception as error:  # an Op's rule may fail in any way where it was not meant for this
        raise NeedsLoop from error
    if any(v.owner is None or isinstance(v.owner.op, Blockwise) for v in outputs):
        raise NeedsLoop
    return outputs


def _refuse(known: OverTime, node: Apply) -> Sequence[Variable]:
    raise NeedsLoop


def _dot(known: OverTime, node: Apply) -> Sequence[Variable]:
    """Return products: of the rows of all steps with one matrix, where only one factor differs between steps."""
    left, right = (known.given(v) for v in node.inputs)
    if left.ndim == right.ndim:
        return [pt.matmul(left, right)]
    turned = right.ndim > left.ndim
    rows, matrix = (right.transpose(0, 2, 1), left.T) if turned else (left, right)
    flat = rows.reshape((rows.shape[0] * rows.shape[1], rows.shape[2]))
    product = pt.dot(flat, matrix).reshape((rows.shape[0], rows.shape[1], matrix.shape[1]))
    return [product.transpose(0, 2, 1) if turned else product]


def _join(known: OverTime, node: Apply) -> Sequence[Variable]:
    """Return what was joined, each part as a sequence."""
    return _vectorized(node, {v: known.of(v) for v in node.inputs if v.type.ndim})  # the axis may be one of the inputs


def _number(known: OverTime, node: Apply) -> Sequence[Variable]:
    """Return numbers of elements, which stay tensors."""
    return [known.given(node.inputs[0])]


def _elements(known: OverTime, node: Apply) -> Sequence[Variable]:
    """Return elements or rows by their numbers, which may differ from step to step."""
    x, *numbers = node.inputs
    if known.sequences.keys().isdisjoint(numbers):
        return _as_pytensor_does(known, node)
    places = node.op.idx_list
    if not all(isinstance(place, int) and "int" in numbers[place].type.dtype for place in places):
        raise NeedsLoop
    axes = max(number.type.ndim for number in numbers)
    index = [_padded(known, numbers[place], axes) for place in places]
    if x in known.sequences:
        index.insert(0, pt.arange(known.steps).reshape((known.steps, *[1] * axes)))
    return [known.given(x)[tuple(index)]]


def _set_part(known: OverTime, node: Apply) -> Sequence[Variable]:
    """Return tensors of which a part was set or incremented: the same at every step, or a place of each step's own."""
    whole, part, *numbers = node.inputs
    index: tuple[Any, ...]
    if known.sequences.keys().isdisjoint(numbers):
        index = (slice(None), *indices_from_subtensor([known.given(n) for n in numbers], node.op.idx_list))
    elif all(isinstance(place, int) and "int" in numbers[place].type.dtype for place in node.op.idx_list):
        places = [_padded(known, numbers[place], 0) for place in node.op.idx_list]
        index = (pt.arange(known.steps), *places)
    else:
        raise NeedsLoop
    place = known.of(whole)[index]
    values = known.given(part)
    missing = place.type.ndim - 1 - part.type.ndim
    values = pt.expand_dims(values, tuple(range(1, 1 + missing))) if part in known.sequences and missing else values
    return [(pt.set_subtensor if node.op.set_instead_of_inc else pt.inc_subtensor)(place, values)]


def _padded(known: OverTime, number: Variable, axes: int) -> Variable:
    """Return numbers (…) or their sequence (T, …), where T is followed by as many axes as the others have."""
    given = pt.as_tensor_variable(known.given(number))
    missing = axes - number.type.ndim
    return pt.expand_dims(given, tuple(range(1, 1 + missing))) if number in known.sequences and missing else given


Rule = Callable[[OverTime, Apply], Sequence[Variable]]

_RULES: dict[type[Op], Rule] = {
    Dot: _dot,
    Join: _join,
    ScalarFromTensor: _number,
    Subtensor: _elements,
    AdvancedSubtensor: _elements,
    IncSubtensor: _set_part,
    RandomVariable: _refuse,
}
