"""``theano.config``: PyTensor's flags, and a place for those that only Theano had."""

from typing import Any

import pytensor


class Config:
    """PyTensor's configuration; flags that it no longer knows are remembered and have no effect."""

    def __init__(self) -> None:
        retired = {"device": "cpu", "compute_test_value": "off", "int_division": "int"}
        object.__setattr__(self, "_retired", retired)

    def __getattr__(self, name: str) -> Any:
        return self._retired[name] if name in self._retired else getattr(pytensor.config, name)

    def __setattr__(self, name: str, value: Any) -> None:
        if hasattr(pytensor.config, name):
            setattr(pytensor.config, name, value)
        else:
            self._retired[name] = value


config = Config()
