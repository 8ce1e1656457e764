"""Loops over recurrent layers, recognised and run as one Op a layer over all steps.

A loop is recognised where each of its states is what a layer made, in one step, of its own previous state. The layers
run one after the other, from the lowest to the highest, each over the whole sequence; all else that the step computes,
below, between and above them, is computed for all steps at once. Any other loop stays a scan.

Legend: T time, B batch, H units, S size of a state.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytensor
import pytensor.tensor as pt
from pytensor.compile.ops import view_op
from pytensor.graph.basic import Apply, Constant, Variable
from pytensor.graph.traversal import toposort
from pytensor.raise_op import CheckAndRaise
from pytensor.scan.basic import get_updates_and_outputs
from pytensor.scan.op import Scan
from pytensor.tensor.subtensor import Subtensor, indices_from_subtensor
from pytensor.tensor.type import TensorType

from lstm_cli.theano_lstm.loops.over_time import NeedsLoop, OverTime, typed
from lstm_cli.theano_lstm.loops.recording import Step, taking_notes

Steps = dict[Variable, Step]  # by the new state
States = dict[Variable, tuple[Variable, Variable]]  # new state: the previous one in the step, that of the first step

# A scan with `n_steps` takes the first elements of each sequence, and checks their number when it runs.
_as_long_as_the_loop = CheckAndRaise(ValueError, "scan: n_steps is larger than the number of elements of a sequence")


class Body:
    """A loop's step function, which remembers what it was called with, what it returned, and which layers stepped.

    Parameters
    ----------
    function : callable
        As given to `theano.scan`.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function
        self.arguments: Sequence[Variable] = ()
        self.returned: Any = None
        self.steps: Steps = {}

    def __call__(self, *arguments: Variable) -> Any:
        """Call the function."""
        with taking_notes() as notes:
            self.returned = self.function(*arguments)
        self.steps = notes.steps
        self.arguments = arguments
        return self.returned


def without_scan(
    body: Body, scanned: Sequence[Variable], outputs_info: Any, types: Sequence[TensorType]
) -> list[Variable] | None:
    """Return the outputs of a loop, computed by an Op for each layer; None if it has to stay a scan.

    Parameters
    ----------
    body : Body
        After PyTensor has called it.
    scanned : sequence of variables
        The outputs of PyTensor's scan, which has no updates.
    outputs_info : optional
        As given to `theano.scan`.
    types : sequence of types
        What is known of the outputs.
    """
    node = _scan_of(scanned)
    if node is None or not body.steps or not _is_plain(node.op):
        return None
    _, outputs, _ = get_updates_and_outputs(body.returned)
    initial = _initial_states(outputs_info, len(outputs))
    placeholders = list(body.arguments[node.op.info.n_seqs :])
    states: States = {outputs[k]: (placeholders.pop(0), start) for k, start in enumerate(initial) if start is not None}
    if len(states) != node.op.info.n_sit_sot or not _are_steps(body.steps, states):
        return None
    steps, sequences = node.inputs[0], node.op.outer_seqs(node.inputs)
    long_enough = [pt.ge(sequence.shape[0], steps) for sequence in sequences]
    checked = [_as_long_as_the_loop(sequence, *long_enough) for sequence in sequences]
    slices = dict(zip(body.arguments, checked, strict=False))
    known = OverTime(steps, slices, [previous for previous, _ in states.values()])
    try:
        _run_layers(known, body.steps, states, _hidden_parts(outputs, body.arguments, body.steps))
        return [
            view_op(typed(known.of(output), kind.ndim, kind.dtype, kind.broadcastable))  # nothing else depends on it
            for output, kind in zip(outputs, types, strict=True)
        ]
    except NeedsLoop:
        return None


def _scan_of(scanned: Sequence[Variable]) -> Apply | None:
    """Return the scan of which these are the outputs, without the initial states."""
    owners = [variable.owner for variable in scanned]
    owners = [o.inputs[0].owner if o is not None and isinstance(o.op, Subtensor) else o for o in owners]
    node = owners[0] if owners else None
    return node if node is not None and isinstance(node.op, Scan) and set(owners) == {node} else None


def _is_plain(op: Scan) -> bool:
    """Whether a scan has none of the options that are about the loop itself, as a condition, a mode or a profile."""
    info = op.info
    of_other_kinds = info.n_mit_mot + info.n_mit_sot + info.n_untraced_sit_sot
    return not (of_other_kinds or info.as_while or op.mode or op.profile) and op.truncate_gradient == -1


def _initial_states(outputs_info: Any, outputs: int) -> list[Variable | None]:
    """Return the state before the first step of each output, None for those that are no states."""
    infos = outputs_info if isinstance(outputs_info, list | tuple) else [outputs_info]
    starts = [info.get("initial") if isinstance(info, Mapping) else info for info in infos]
    starts = starts if len(starts) == outputs else [None] * outputs
    return [None if start is None else pt.as_tensor_variable(start) for start in starts]


def _are_steps(steps: Steps, states: States) -> bool:
    """Whether each new state is what a layer made of its own previous one, in numbers that its Op can take."""
    for state, (previous, _) in states.items():
        step = steps.get(state)
        if step is None or step.state is not previous or not isinstance(step.x, Variable):
            return False
        dtypes = {v.type.dtype for v in (state, previous, step.W, step.b)}
        axes = {v.type.ndim for v in (state, previous, step.x)}
        if dtypes not in ({"float32"}, {"float64"}) or axes not in ({1}, {2}):
            return False
        if pytensor.scalar.upcast(step.x.type.dtype, *dtypes) not in dtypes:
            return False
    return True


def _run_layers(known: OverTime, steps: Steps, states: States, hidden: Mapping[Variable, Variable]) -> None:
    """Add the sequences of all states, each once that of the layer's input is known."""
    from lstm_cli.theano_lstm.loops.layers import over_all_steps  # most scripts need no kernels, which take 0.2 s

    if known.differs([weights for state in states for weights in (steps[state].W, steps[state].b)]):
        raise NeedsLoop
    waiting = list(states)
    while waiting:
        later = []
        for state in waiting:
            try:
                x = known.of(steps[state].x)
            except NeedsLoop:
                later.append(state)
                continue
            previous, start = states[state]
            h, whole, before = over_all_steps(steps[state], x, start)
            known.add(state, whole)
            known.add(previous, before)
            for part in (part for part, of in hidden.items() if of is state):
                known.add(part, h)
        if later == waiting:
            raise NeedsLoop
        waiting = later


def _hidden_parts(outputs: Sequence[Variable], arguments: Sequence[Variable], steps: Steps) -> dict[Variable, Variable]:
    """Return, by themselves, the parts h that a step takes of an LSTM's new states [c, h]."""
    parts = {}
    for node in toposort(outputs, blockers=arguments):
        if isinstance(node.op, Subtensor) and (step := steps.get(node.inputs[0])) and step.cell == "lstm":
            *others, last = indices_from_subtensor(node.inputs[1:], node.op.idx_list)
            begins = isinstance(last, slice) and isinstance(last.start, Constant) and last.start.data == step.units
            if (
                begins and last.stop is None and last.step is None
                and len(others) == step.state.type.ndim - 1 and all(index == slice(None) for index in others)
            ):  # fmt: skip
                parts[node.outputs[0]] = node.inputs[0]
    return parts
