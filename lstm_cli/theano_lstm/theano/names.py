"""How the modules here look up the names that PyTensor has kept."""

import importlib.util
from collections.abc import Callable
from types import ModuleType
from typing import Any


def passing_on(here: str, *modules: ModuleType) -> Callable[[str], Any]:
    """Return a module's ``__getattr__`` that searches PyTensor's modules, then their submodules.

    Parameters
    ----------
    here : str
        The module's name in Theano, for the message when nothing is found.
    modules : modules of PyTensor, in the order to be searched
    """

    def lookup(name: str) -> Any:
        if not name.startswith("__"):
            for module in modules:
                if hasattr(module, name):
                    return getattr(module, name)
            for module in modules:
                if hasattr(module, "__path__") and importlib.util.find_spec(f"{module.__name__}.{name}"):
                    return importlib.import_module(f"{module.__name__}.{name}")
        raise AttributeError(
            f"{here}.{name}: PyTensor has dropped this name of Theano's, and lstm_cli.theano does not add it back; "
            "look for what replaced it in pytensor"
        )

    return lookup
