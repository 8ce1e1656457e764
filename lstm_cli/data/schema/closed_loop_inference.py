"""The layout of a closed loop around a system, inferred from the config and the sequences."""

from collections import Counter
from collections.abc import Sequence

from lstm_cli.config.config import Config
from lstm_cli.config.rollout import RolloutSpec
from lstm_cli.data.formats import READERS
from lstm_cli.data.formats.raw import RawSequence, ValueProblem
from lstm_cli.data.schema import values
from lstm_cli.data.schema.columns import require
from lstm_cli.data.schema.layout import ClosedLoopLayout, Column, TargetColumn
from lstm_cli.errors import counted


def infer_closed_loop(
    config: Config, rollout: RolloutSpec, form: str, sequences: Sequence[RawSequence]
) -> tuple[tuple[Column, ...], TargetColumn, ClosedLoopLayout]:
    """Return the columns of a closed loop around a system: all numeric, with the width of most sequences."""
    name = config.data.target.column if config.data.target is not None else None
    if name is None or rollout.steps is None:
        raise ValueError("a config with a system has a target column and a number of steps")
    _check_closed_loop(config, form, name, sequences)
    inputs = tuple(Column(name, name, "number", _table_width(sequences, name)) for name in config.data.inputs)
    state, width = inputs[0], _table_width(sequences, name)
    elements = tuple(range(state.width)) if rollout.loss_on is None else rollout.loss_on
    if max(elements) >= state.width:
        what = f"there is no element {max(elements)} in a state of {counted(state.width, 'number')} ({state.name})"
        raise config.error("rollout.loss_on", f"{what}: count from 0 to {state.width - 1}")
    if width != len(elements):
        what = f"{counted(len(elements), 'element')} of the state to compare, but {name} has {counted(width, 'number')}"
        raise config.error("rollout.loss_on", f"{what}: list as many elements, in the order of {name}")
    target = TargetColumn(name, "number", "step", width=width)
    return inputs, target, ClosedLoopLayout(rollout.steps, rollout.warmup, elements)


def _check_closed_loop(config: Config, form: str, target: str, sequences: Sequence[RawSequence]) -> None:
    """Refuse formats and columns that cannot describe a closed loop around a system."""
    nested = [name for name, reader in READERS.items() if reader.nested]
    if form not in nested:
        what = f"rollout.dynamics reads starts and goals from {', '.join(nested)}"
        raise config.error("data.train", f"{what}, not {form}: convert it")
    for name, spec in config.data.inputs.items():
        if spec.kind not in ("auto", "number") or spec.token_keys:
            keys = " and ".join(["kind", *spec.token_keys] if spec.kind not in ("auto", "number") else spec.token_keys)
            raise config.error(f"data.inputs.{name}", f"a closed loop has numeric inputs only: leave {keys} out")
        require(config, f"data.inputs.{name}", name, sequences)
    require(config, "data.target", target, sequences)


def _table_width(sequences: Sequence[RawSequence], name: str) -> int:
    """Return how many numbers a step has in most sequences."""
    widths: Counter[int] = Counter()
    for sequence in sequences:
        try:
            widths[values.table(sequence.columns.get(name)).shape[1]] += 1
        except ValueProblem:
            continue  # the sequence is refused or skipped when it is parsed
    return widths.most_common(1)[0][0] if widths else 1
