"""Checks across the keys of columns: units of tokens, and inputs with one value per sequence."""

from collections.abc import Iterator

from lstm_cli.config.config import Config
from lstm_cli.config.conflict import Conflict, is_text


def _units(config: Config) -> Iterator[Conflict]:
    """Find units that the reader of plain text, which cuts it for all inputs, would not follow."""
    data = config.data
    for name, spec in data.inputs.items() if is_text(data) else ():
        if spec.unit not in (None, data.unit):
            keys = (f"data.inputs.{name}.unit", f"data.inputs.{name}", "data.inputs")
            yield Conflict(keys, f"all inputs of plain text have one unit: set data.unit: {spec.unit} instead")


def _lines(config: Config) -> Iterator[Conflict]:
    data = config.data
    if data.lines and not is_text(data):
        form = data.format if data.format != "auto" else f"that of {data.train}"
        yield Conflict(("data.lines", "data.format"), f"only for format text, not {form}: leave it out")


def _static(config: Config) -> Iterator[Conflict]:
    """Find keys that conflict with inputs that have one value per sequence."""
    data = config.data
    names = [name for name, spec in data.inputs.items() if spec.static]
    if names and len(names) == len(data.inputs):
        text = "every input is static, so that a sequence has no steps: name an input with a value per step"
        yield Conflict((f"data.inputs.{names[0]}.static", "data.inputs"), text)
    for name in names:
        key = f"data.inputs.{name}"
        keys = (f"{key}.static", key, "data.inputs")
        if data.inputs[name].unit is not None:
            yield Conflict((f"{key}.unit", *keys), "a static string is one token, which is not cut: leave unit out")
        if data.inputs[name].columns:
            yield Conflict((f"{key}.columns", *keys), "a static input has no steps in columns: leave one of them out")
        if any(step.lag for step in data.transform.get(name, ())):
            text = f"{name} is the same at every step, so that its differences are 0: leave it out"
            yield Conflict((f"data.transform.{name}", "data.transform", *keys), text)
        if config.rollout is not None:
            yield Conflict((*keys, "rollout"), "a closed loop has no static inputs: leave static out")


CHECKS = (_units, _lines, _static)
