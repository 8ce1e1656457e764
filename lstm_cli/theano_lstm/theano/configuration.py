"""``theano.config``: PyTensor's flags, and those that only Theano had."""

from typing import Any

import pytensor


class Config:
    """PyTensor's configuration; flags that it dropped keep their value and have no effect."""

    def __init__(self) -> None:
        dropped = {"device": "cpu", "compute_test_value": "off", "int_division": "int"}
        object.__setattr__(self, "_dropped", dropped)

    def __getattr__(self, name: str) -> Any:
        return self._dropped[name] if name in self._dropped else getattr(pytensor.config, name)

    def __setattr__(self, name: str, value: Any) -> None:
        if hasattr(pytensor.config, name):
            setattr(pytensor.config, name, value)
        else:
            self._dropped[name] = value


config = Config()
