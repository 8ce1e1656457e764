"""Checks across the keys of a closed loop."""

from collections.abc import Iterator

from lstm_cli.config.config import Config
from lstm_cli.config.conflict import Conflict, is_text
from lstm_cli.errors import counted


def _output(config: Config) -> Iterator[Conflict]:
    driven = config.rollout is not None and config.rollout.dynamics is not None
    if config.model.output is not None and not driven:
        text = (
            "only with rollout.dynamics: otherwise the target determines the output's size; see model.output_activation"
        )
        yield Conflict(("model.output", "rollout.dynamics"), text)
    if driven and config.model.output is None:
        text = "needs model.output, the number of values that drive the system, such as model.output: {size: 1}"
        yield Conflict(("rollout.dynamics", "model.output"), text)
    if driven and config.model.output_activation is not None:
        yield Conflict(("model.output_activation", "model.output"), "with rollout.dynamics set model.output.activation")


def _system(config: Config) -> Iterator[Conflict]:
    """Find keys that a closed loop around a system requires or excludes."""
    rollout, data = config.rollout, config.data
    if rollout is None or rollout.dynamics is None:
        return
    if rollout.steps is None:
        yield Conflict(
            ("rollout.dynamics", "rollout.steps"), "needs rollout.steps, the number of steps of the closed loop"
        )
    if data.target is None or data.target.next:
        text = (
            "with rollout.dynamics give the column of the goal: next is for a closed loop on the network's predictions"
        )
        yield Conflict(("data.target", "rollout.dynamics"), text)
    if not data.inputs:
        text = "needs data.inputs, the column of the state, such as data.inputs: [start]"
        yield Conflict(("rollout.dynamics", "data.inputs"), text)
    if rollout.teacher_forcing is not None:
        text = "only without rollout.dynamics: no states are observed while the system is driven"
        yield Conflict(("rollout.teacher_forcing", "rollout.dynamics"), text)
    if data.transform:
        yield Conflict(("data.transform", "rollout.dynamics"), "a system computes in its own units: leave it out")
    for key in ("window", "max_length"):
        if getattr(data, key) is not None:
            yield Conflict((f"data.{key}", "rollout.dynamics"), "with rollout.dynamics use rollout.steps")
    if isinstance(rollout.loss_at, tuple) and rollout.steps and len(rollout.loss_at) != rollout.steps:
        text = f"{counted(len(rollout.loss_at), 'weight')} for {counted(rollout.steps, 'step')}: give one for each"
        yield Conflict(("rollout.loss_at", "rollout.steps"), text)


def _own_predictions(config: Config) -> Iterator[Conflict]:
    """Find keys that a closed loop on the network's own predictions requires or excludes."""
    rollout, data = config.rollout, config.data
    if rollout is None or rollout.dynamics is not None:
        return
    looks_ahead = is_text(data) if data.target is None else data.target.next
    if not looks_ahead or is_text(data):
        text = "needs rollout.dynamics, or a numeric data.target: next, whose predictions are fed back"
        yield Conflict(("rollout", "data.target", "rollout.dynamics"), text)
    elif data.target is not None and data.target.ahead > 1:
        yield Conflict(("data.target.ahead", "data.target"), "a closed loop feeds back the next step: leave it out")
    if rollout.loss_on is not None:
        text = "only with rollout.dynamics: otherwise every column is predicted and compared"
        yield Conflict(("rollout.loss_on", "rollout.dynamics"), text)
    if rollout.window is not None and data.window is not None and rollout.window != data.window:
        what = f"warmup and steps of the closed loop make windows of {counted(rollout.window, 'step')}"
        text = f"{what}: leave one of the two keys out"
        yield Conflict(("data.window", "rollout.steps"), text)
    if isinstance(rollout.loss_at, tuple) and len(rollout.loss_at) != rollout.steps:
        text = f"{len(rollout.loss_at)} weights need rollout.steps: {len(rollout.loss_at)}"
        yield Conflict(("rollout.loss_at", "rollout.steps"), text)
    for name, steps in data.transform.items():
        if any(step.lag for step in steps):
            text = "a closed loop does not undo differences: use log, or model.residual to predict the change"
            yield Conflict((f"data.transform.{name}", "data.transform", "rollout"), text)


def _goal(config: Config) -> Iterator[Conflict]:
    """Find settings of the target that a closed loop around a system excludes."""
    target = config.data.target
    if config.rollout is None or config.rollout.dynamics is None or target is None or target.next:
        return
    for key, possible in (("kind", ("auto", "number")), ("per", ("auto", "step")), ("ahead", (0,))):
        if getattr(target, key) not in possible:
            text = "with rollout.dynamics the goal is numeric, for the steps of the closed loop: leave it out"
            yield Conflict((f"data.target.{key}", "data.target", "rollout.dynamics"), text)


def _forcing(config: Config) -> Iterator[Conflict]:
    """Find keys that constant teacher forcing does not use."""
    forcing = None if config.rollout is None else config.rollout.teacher_forcing
    if forcing is None or forcing.name != "constant":
        return
    for key, default in (("end", 0.0), ("steps", 1000)):
        if getattr(forcing, key) != default:
            text = "constant forcing keeps its start value: leave it out, or set name: linear or exponential"
            yield Conflict((f"rollout.teacher_forcing.{key}", "rollout.teacher_forcing"), text)


def _any_closed_loop(config: Config) -> Iterator[Conflict]:
    """Find keys that every closed loop excludes."""
    if config.rollout is None:
        return
    if config.data.carry_state:
        yield Conflict(
            ("data.carry_state", "rollout"), "a closed loop starts from the initial state every time: set it to false"
        )
    for key in ("start", "length"):
        if getattr(config.loss, key) is not None:
            text = "in a closed loop rollout.loss_at decides which steps count: leave it out"
            yield Conflict((f"loss.{key}", "rollout"), text)
    for number, layer in enumerate(config.model.layers if config.rollout.dynamics else ()):
        if layer.bidirectional:
            keys = ("model.bidirectional", f"model.layers.{number}.bidirectional", "model.layers")
            text = "in a closed loop no layer can read from the end: set it to false"
            yield Conflict((*keys, "rollout"), text)
            return


CHECKS = (_output, _system, _goal, _own_predictions, _forcing, _any_closed_loop)
