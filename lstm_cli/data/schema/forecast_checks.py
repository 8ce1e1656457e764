"""What forecasts need of a layout: horizon, known inputs and scaling by window fit only some targets and inputs."""

from lstm_cli.config.config import Config
from lstm_cli.data.schema.layout import Layout


def check_forecasts(config: Config, layout: Layout) -> None:
    """Raise the `ConfigError` that says what does not fit the kinds that the data has."""
    target = layout.target
    if layout.window is not None and (target.kind != "number" or target.per == "sequence"):
        what = f"only for a target of numbers per step, but {target.name} is a {target.kind} per {target.per}"
        raise config.error("data.scale", f"window: {what}: use series or standard")
    for column in layout.inputs:
        if not column.known or column.calendar is not None:
            continue
        key = f"data.inputs.{column.name}.known"
        if column.kind != "number":
            raise config.error(key, f"only for numbers, but {column.name} holds {column.kind}: leave it out")
        if target.reach == 0:
            raise config.error(key, f"{target.name} is not a later step, whose inputs could be known: leave it out")
