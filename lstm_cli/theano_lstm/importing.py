"""How scripts import Theano's modules: ``import lstm_cli.theano.gof.graph``, ``from lstm_cli.theano.tensor import *``.

`lstm_cli.theano_lstm.modules` lists the modules; here is the one import hook that provides them. A module whose file
lies in the folder ``theano`` is executed; any other is empty. To both belong, in this order: what the file defines,
the modules below it, and the names of the modules that its row lists, which are looked up when they are asked for.
``lstm_cli.theano`` and `lstm_cli.theano_lstm.theano` are two names of the same modules, which are executed once.
"""

import builtins
import importlib
import sys
from collections.abc import Iterable, Sequence
from functools import cache
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import ModuleType
from typing import Any, TypeVar

from lstm_cli.theano_lstm.modules import ABSENT, MODULES, SHADOWED

HOME, ALIAS = "lstm_cli.theano_lstm.theano", "lstm_cli.theano"
_NOTHING = object()


class TheanoModule(ModuleType):
    """A module that looks up in PyTensor what it does not define."""

    def __getattr__(self, name: str) -> Any:
        place = _place(self.__name__)
        if name == "__all__":
            return [public for public in dir(self) if not public.startswith("_") and _may_be_taken(public)]
        if not (name.startswith("__") and name.endswith("__")):
            if _below(place, name) in MODULES:
                return importlib.import_module(f"{self.__name__}.{name}")
            for source in () if _below(place, name) in ABSENT else _sources(place):
                if (found := getattr(source, name, _NOTHING)) is not _NOTHING:
                    return found
        raise AttributeError(_what_serves(_below(place, name)))

    def __setattr__(self, name: str, value: Any) -> None:
        """Keep a function when Python binds the module of the same name after its import (``tensor.sort``)."""
        if not (isinstance(value, TheanoModule) and name in self.__dict__):
            super().__setattr__(name, value)

    def __reduce__(self) -> tuple[Any, ...]:
        """Be pickled by name, with the functions that use it."""
        return importlib.import_module, (self.__name__,)

    def __dir__(self) -> Iterable[str]:
        place = _place(self.__name__)
        below = {path.rpartition(".")[2] for path in MODULES if path and path.rpartition(".")[0] == place}
        return sorted(below.union(*map(_names, [self, *_sources(place)])))


class _Executed(SourceFileLoader):
    """A module with a file."""

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return TheanoModule(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """Execute it; a list of its own names must not hide the others from ``import *``."""
        super().exec_module(module)
        module.__dict__["_own_names"] = module.__dict__.pop("__all__", None)


class _Empty(Loader):
    """A module without a file."""

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        place = _place(spec.name)
        return TheanoModule(
            spec.name, f"``theano.{place}``, with the names of {', '.join(MODULES[place]) or 'no other'}."
        )

    def exec_module(self, module: ModuleType) -> None:
        """Do nothing: its names are looked up."""


class _Alias(Loader):
    """A module under its second name."""

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        module = importlib.import_module(HOME + spec.name.removeprefix(ALIAS))
        spec.loader_state = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        """Only give back the spec, which Python has replaced."""
        module.__spec__ = module.__spec__ and module.__spec__.loader_state


class Finder(MetaPathFinder):
    """The import hook."""

    def find_spec(self, name: str, path: Sequence[str] | None = None, target: object = None) -> ModuleSpec | None:
        """Return how to load one of Theano's modules, and None for any other."""
        if name.startswith(f"{ALIAS}."):
            return ModuleSpec(name, _Alias(), is_package=True)
        if name != HOME and not name.startswith(f"{HOME}."):
            return None
        spec = PathFinder.find_spec(name, path)
        if spec and isinstance(spec.loader, SourceFileLoader):
            spec.loader = _Executed(spec.loader.name, spec.loader.path)
        elif _place(name) in MODULES:
            spec = ModuleSpec(name, _Empty(), is_package=True)
        else:
            place = _place(name)  # not `name` in the error, or Python replaces the message by its own
            raise ModuleNotFoundError(_what_serves(place), name=f"theano.{place}")
        spec.submodule_search_locations = spec.submodule_search_locations or []
        return spec


def install() -> None:
    """Add the hook; before the others, which would execute a module anew under its second name."""
    sys.meta_path.insert(0, Finder())


def _place(name: str) -> str:
    """Return a module's place below ``theano``; empty for ``theano``."""
    return name.removeprefix(HOME).removeprefix(".")


def _below(place: str, name: str) -> str:
    return f"{place}.{name}" if place else name


@cache
def _sources(place: str) -> list[ModuleType]:
    return [importlib.import_module(source) for source in MODULES.get(place, ())]


def _may_be_taken(name: str) -> bool:
    """Return whether ``import *`` may give a script this name in place of Python's."""
    return name in SHADOWED or not hasattr(builtins, name)


def _names(module: ModuleType) -> Iterable[str]:
    """Return the names that a module lists as its own, or else those that it defines."""
    listed = vars(module).get("_own_names" if isinstance(module, TheanoModule) else "__all__")
    return [name for name, value in vars(module).items() if _is_own(name, value)] if listed is None else listed


def _is_own(name: str, value: Any) -> bool:
    home = getattr(value, "__module__", None) or "pytensor"
    foreign = isinstance(value, ModuleType | TypeVar) or home.split(".")[0] not in ("pytensor", "lstm_cli")
    return not foreign and not name.startswith("_")


def _what_serves(place: str) -> str:
    parents = [place.rsplit(".", cut)[0] for cut in range(place.count(".") + 1)]
    for parent in parents:
        if parent in ABSENT:
            return f"theano.{place}: {ABSENT[parent]}"
    return (
        f"theano.{place}: neither PyTensor nor lstm_cli.theano has this name: correct its spelling, or, if Theano "
        "had it, look for what replaced it in pytensor"
    )
