"""Checks across keys that require, exclude or contradict each other."""

from collections.abc import Iterator

from lstm_cli.config import (
    closed_loop_checks,
    column_checks,
    data_checks,
    forecast_checks,
    model_checks,
    several_checks,
    table_checks,
)
from lstm_cli.config.config import Config
from lstm_cli.config.conflict import Conflict, own_target
from lstm_cli.config.optimizer import Sgd
from lstm_cli.errors import did_you_mean, nearest

# The smallest and the largest normal number of each precision.
NORMAL = {"float32": (1.1754944e-38, 3.4028235e38), "float64": (2.2250738585072014e-308, 1.7976931348623157e308)}


def conflicts(config: Config) -> list[Conflict]:
    """Return every conflict between keys."""
    return [conflict for check in _CHECKS for conflict in check(config)]


def _target(config: Config) -> Iterator[Conflict]:
    target = config.data.target
    keys = ("data.target", "data.format")
    if target is None:
        if own_target(config.data) is None:
            yield Conflict(keys, "missing: give the column to predict, or next for the next step of the inputs")
    elif [target.next, target.column is not None, bool(target.columns)].count(True) != 1:
        yield Conflict(keys, "give either a column, several columns, or next: true")
    elif target.next and target.per == "sequence":
        yield Conflict(("data.target.per", *keys), "next is predicted at every step: leave per out")


def _bidirectional(config: Config) -> Iterator[Conflict]:
    target = config.data.target
    looks_ahead = own_target(config.data) == "next" if target is None else target.next
    for number, layer in enumerate(config.model.layers):
        if not layer.bidirectional:
            continue
        keys = ("model.bidirectional", f"model.layers.{number}.bidirectional", "model.layers")
        if config.data.carry_state:
            text = "a bidirectional layer also reads from the end and cannot carry its state: set one of them false"
            yield Conflict((*keys, "data.carry_state"), text)
        if looks_ahead:
            text = "a bidirectional layer sees the next step, which it should predict: set it to false"
            yield Conflict((*keys, "data.target", "data.format"), text)
        return


def _windows(config: Config) -> Iterator[Conflict]:
    if config.data.carry_state and config.data.window is None:
        yield Conflict(("data.carry_state", "data.window"), "needs data.window, the length of the windows in steps")
    if config.data.on_long != "stop" and config.data.max_length is None:
        yield Conflict(("data.on_long", "data.max_length"), "needs data.max_length, the maximum number of steps")


def _columns(config: Config) -> Iterator[Conflict]:
    """Find settings of columns that are not among the listed inputs."""
    inputs, target, fill = config.data.inputs, config.data.target, config.data.missing.fill
    if not inputs:
        return
    targets = target.names if target else ()
    embedding = config.model.embedding if isinstance(config.model.embedding, dict) else {}
    for key, names, known in (
        ("model.embedding", embedding, [*inputs]),
        ("data.transform", config.data.transform, [*inputs, *targets]),
        ("data.missing.fill", fill if isinstance(fill, dict) else {}, [*inputs]),
    ):
        for name in names:
            if name not in known:
                hint = did_you_mean(nearest(name, known)) or f", expected one of {', '.join(known)}"
                yield Conflict((f"{key}.{name}", key, "data.inputs", "data.target"), f"no such input{hint}")


def _missing(config: Config) -> Iterator[Conflict]:
    """Find ways to treat missing values that do not fit the target, or each other."""
    missing, target, key = config.data.missing, config.data.target, "data.missing.fill"
    by_column = missing.fill if isinstance(missing.fill, dict) else {"": missing.fill}
    forecast = target is not None and (target.next or target.ahead > 0 or target.horizon > 1)
    for name, fill in by_column.items():
        keys = (f"{key}.{name}", key) if name else (key,)
        if fill == "linear" and forecast:
            text = "linear looks ahead, and a forecast begins at every step: use previous"
            yield Conflict((*keys, "data.target"), text)
        columns = [name] if name else [*config.data.transform]
        logs = [
            column for column in columns if any(step.name == "log" for step in config.data.transform.get(column, ()))
        ]
        if fill == "zero" and logs:
            yield Conflict((*keys, "data.transform"), f"zero has no logarithm (data.transform.{logs[0]}): use mean")
    filled = any(fill != "stop" for fill in by_column.values())
    if missing.indicator and not filled:
        yield Conflict(("data.missing.indicator", key), "needs data.missing.fill, which says how gaps are filled")
    if config.rollout is not None and config.rollout.dynamics is not None and (filled or missing.target == "skip"):
        keys = (key,) if filled else ("data.missing.target",)
        yield Conflict((*keys, "rollout.dynamics"), "a system's states are all observed: leave it out")


def _batching(config: Config) -> Iterator[Conflict]:
    train = config.train
    keys = ("train.batch_steps", "train.batch_size")
    if train.batch_size is not None and train.batch_steps is not None:
        yield Conflict(keys, "give batch_size or batch_steps, not both: set the other to null")
    if train.batch_size is None and train.batch_steps is None:
        yield Conflict(keys[::-1], "give batch_size or batch_steps")


def _valid_streams(config: Config) -> Iterator[Conflict]:
    """Find keys that conflict with scoring a long series in parallel streams."""
    if config.train.valid_streams is None:
        return
    keys = ("train.valid_streams",)
    if not data_checks.has_valid(config):
        yield Conflict((*keys, "data.valid"), "there is no data.valid to score: leave it out")
    if config.data.window is None:
        yield Conflict((*keys, "data.window"), "needs data.window: each stream is warmed up on ten of them")
    if config.rollout is not None:
        yield Conflict((*keys, "rollout"), "a closed loop is scored window by window: leave it out")
    if any(layer.bidirectional for layer in config.model.layers):
        text = "a layer that also reads from the end cannot continue a state: leave it out"
        yield Conflict((*keys, "model.bidirectional", "model.layers"), text)


def _monitor(config: Config) -> Iterator[Conflict]:
    if not data_checks.has_valid(config) and config.train.monitor.startswith("valid."):
        yield Conflict(("train.monitor", "data.valid"), "there is no data.valid: set it, or monitor train.loss")


def _losses(config: Config) -> Iterator[Conflict]:
    if config.loss.distance != "huber" and config.loss.huber_delta != 1:
        yield Conflict(("loss.huber_delta", "loss.distance"), "only with loss.distance: huber")
    yield from _spread(config)
    if isinstance(config.optimizer, Sgd) and config.optimizer.nesterov and not config.optimizer.momentum:
        yield Conflict(("optimizer.nesterov", "optimizer"), "needs optimizer.momentum above 0")


def _spread(config: Config) -> Iterator[Conflict]:
    """Find keys that exclude a loss of quantiles or of a distribution."""
    loss = config.loss
    given = [f"loss.{key}" for key in ("quantiles", "distribution") if getattr(loss, key) is not None]
    if not given:
        return
    levels = loss.quantiles or (0.5,)
    if 0.5 not in levels or list(levels) != sorted(set(levels)):
        text = "give them in ascending order, with 0.5 among them, the median, which is the prediction"
        yield Conflict(("loss.quantiles",), text)
    if len(given) > 1:
        yield Conflict((*given,), "quantiles and a distribution have a loss each: leave one of them out")
    if loss.distance != "squared":
        yield Conflict(("loss.distance", given[0]), f"{given[0]} has its own loss: leave one of them out")
    if config.rollout is not None:
        text = "a closed loop feeds back one value, and its later steps have no spread: leave it out"
        yield Conflict((given[0], "rollout"), text)
    if loss.distribution is not None and config.model.output_activation not in (None, "linear"):
        yield Conflict(("model.output_activation", "loss.distribution"), "a Gaussian has no bounds: leave it out")


def _range(config: Config) -> Iterator[Conflict]:
    """Find values of the optimizer that are zero or infinite in the precision of the computation."""
    smallest, largest = NORMAL[config.precision]
    for key in ("learning_rate", "epsilon", "weight_decay", "clip_norm", "clip_norm_each", "clip_value"):
        value = getattr(config.optimizer, key, None)
        if value and not smallest <= value <= largest:
            limits = f"from {smallest:.2g} to {largest:.2g}, with precision: {config.precision}"
            text = f"got {value:g}, expected a number {limits}"
            yield Conflict((f"optimizer.{key}", "precision"), text)


_CHECKS = (
    _target,
    _bidirectional,
    _windows,
    _columns,
    _missing,
    _batching,
    _valid_streams,
    _monitor,
    _losses,
    _range,
    *column_checks.CHECKS,
    *several_checks.CHECKS,
    *forecast_checks.CHECKS,
    *closed_loop_checks.CHECKS,
    *data_checks.CHECKS,
    *table_checks.CHECKS,
    *model_checks.CHECKS,
)
