"""The space of a sweep: its keys with their values, each of them checked, and what cannot be searched."""

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from lstm_cli.config.config import Config
from lstm_cli.config.load import with_overrides
from lstm_cli.config.sweep import Range, SweepSpec
from lstm_cli.errors import ConfigError

_TYPED = "command line: "  # begins the message about a value of the command line, which those of a trial are
_OTHER_TRUTH = "trials would be compared by different scores: leave it out"
_FIXED = {
    "sweep": "a sweep is not part of what it searches: leave it out",
    "threads": "the cores are shared out among the trials, see sweep.workers: leave it out",
    **dict.fromkeys(
        (
            "train.monitor", "train.valid_streams", "data.valid", "data.test", "data.split", "data.split_seed",
            "data.fold", "data.target", "rollout.dynamics", "rollout.steps", "rollout.warmup", "rollout.loss_on",
            "rollout.loss_at",
        ),
        _OTHER_TRUTH,
    ),
}  # fmt: skip
#: Keys on which the loss itself depends, but no metric.
_OF_LOSS = ("loss", "data.scale", "data.transform")


@dataclass(frozen=True)
class Parameter:
    """A key that is searched.

    Attributes
    ----------
    key
        Dotted.
    choices
        Its values as JSON; empty for a range.
    low, high
        The bounds of a range.
    log
        Whether its logarithm is searched.
    whole
        Whether it has whole numbers only.
    """

    key: str
    choices: tuple[str, ...] = ()
    low: float = 0.0
    high: float = 0.0
    log: bool = False
    whole: bool = False

    def to_json(self) -> dict[str, Any]:
        """Return it as plain values, to be compared with those of a stored study."""
        if self.choices:
            return {"choices": list(self.choices)}
        return {"low": self.low, "high": self.high, "log": self.log, "whole": self.whole}


def space_of(config: Config) -> list[Parameter]:
    """Return what the sweep of a config searches, sections before keys in them.

    Raises
    ------
    ConfigError
        There is no section `sweep`, or a key or a value in its space is wrong: every problem, one per line.
    """
    if config.sweep is None:
        where = config.source.label or "the config"
        raise ConfigError(f"{where}: sweep: missing: give the keys to search, such as {_EXAMPLE}")
    if problems := _problems(config, config.sweep):
        raise ConfigError("\n".join(problems))
    keys = sorted(config.sweep.space, key=lambda key: key.count("."))
    return [_parameter(config, config.sweep, key) for key in keys]


_EXAMPLE = "sweep: {space: {model.dropout: {low: 0, high: 0.5}}}"


def overrides_of(config: Config, values: Mapping[str, str]) -> list[str]:
    """Return the ``KEY=VALUE`` of a trial, for values as JSON; a searched seed changes no split of the data."""
    found = [f"{key}={values[key]}" for key in sorted(values, key=lambda key: key.count("."))]
    if "seed" in values and config.data.split_seed is None:
        found.append(f"data.split_seed={config.seed}")
    return found


def _problems(config: Config, sweep: SweepSpec) -> list[str]:
    """Return what is wrong with keys and values, else with values together with the first ones of the other keys."""
    fixed = {key: why for key in sweep.space if (why := _fixed(config, key)) is not None}
    found = [config.source.describe(("sweep", "space", key), why, at_key=True) for key, why in fixed.items()]
    wrong = [(key, *each) for key in sweep.space if key not in fixed for each in _wrong(config, sweep, key)]
    own = [each for each in wrong if each[2].startswith(f"{_TYPED}{each[0]}=")]
    for key, part, line in own or wrong:
        place = config.source.locate(("sweep", "space", key, part))
        found.append(f"{place}: sweep.space: {line.removeprefix(_TYPED)}")
    return list(dict.fromkeys(found))


def _wrong(config: Config, sweep: SweepSpec, key: str) -> Iterator[tuple[str | int, str]]:
    """Yield the messages about a key's values, each with the key or the index of the value."""
    for part, value in _values(sweep.space[key]):
        try:
            _with(config, sweep, key, value)
        except ConfigError as error:
            yield from ((part, line) for line in str(error).splitlines())


def _with(config: Config, sweep: SweepSpec, key: str, value: Any) -> None:
    """Check a config with a value of one key, and the first ones of the others."""
    first = {other: _values(searched)[0][1] for other, searched in sweep.space.items()}
    values = {name: json.dumps(each, ensure_ascii=False) for name, each in {**first, key: value}.items()}
    with_overrides(config, overrides_of(config, values))


def _fixed(config: Config, key: str) -> str | None:
    """Return why a key cannot be searched; None if it can."""
    for fixed, why in _FIXED.items():
        if f"{key}.".startswith(f"{fixed}."):
            return why
    if any(fixed.startswith(f"{key}.") for fixed in _FIXED):
        return f"a section with keys that cannot be searched: give those of its keys that can, such as {_some(key)}"
    if config.train.monitor.endswith(".loss") and any(f"{key}.".startswith(f"{part}.") for part in _OF_LOSS):
        return f"the loss means something else for every value of {key}: set train.monitor to a metric"
    return None


def _some(section: str) -> str:
    return {"data": "data.window", "train": "train.batch_size", "rollout": "rollout.teacher_forcing"}[section]


def _values(searched: Range | list[Any]) -> list[tuple[str | int, Any]]:
    """Return the values to check, each with its key or index in the space."""
    if isinstance(searched, Range):
        return [("low", _plain(searched.low)), ("high", _plain(searched.high))]
    return list(enumerate(searched))


def _plain(value: float) -> float | int:
    return int(value) if value == int(value) else value


def _parameter(config: Config, sweep: SweepSpec, key: str) -> Parameter:
    searched = sweep.space[key]
    if isinstance(searched, Range):
        return Parameter(key, (), searched.low, searched.high, searched.log, _is_whole(config, sweep, key, searched))
    return Parameter(key, tuple(json.dumps(choice, ensure_ascii=False) for choice in searched))


def _is_whole(config: Config, sweep: SweepSpec, key: str, searched: Range) -> bool:
    """Return whether a key takes whole numbers only: a fraction within the range is refused."""
    above = min(searched.high, math.floor(searched.low) + 1.0)
    try:
        _with(config, sweep, key, (searched.low + above) / 2)
    except ConfigError:
        return True
    return False
