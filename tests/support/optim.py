"""Sections of a config for the tests of optimizers and schedules."""

from lstm_cli.config import config_from_mapping
from lstm_cli.config import optimizer as sections


def _config(**changes):
    return config_from_mapping({"data": {"train": "a.jsonl", "target": "y"}, **changes})


def optimizer_section(name, **keys):
    """Return the section `optimizer` with these keys, the others at their defaults."""
    return _config(optimizer={"name": name, **keys}).optimizer


def schedule_section(name, **keys):
    """Return the section `train.schedule` with these keys, the others at their defaults."""
    return _config(train={"schedule": {"name": name, **keys}}).train.schedule


def names_of(base):
    """Return the name of every section that the config derives from a base class."""
    values = vars(sections).values()
    fields = [cls.model_fields["name"] for cls in values if isinstance(cls, type) and issubclass(cls, base)]
    return sorted(field.default for field in fields if not field.is_required())
