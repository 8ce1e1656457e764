"""``theano.function`` with Theano's arguments: inputs that have a default value, outputs by name."""

import warnings
from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from typing import Any

import pytensor.compile.io
from pytensor.compile.sharedvalue import SharedVariable
from pytensor.graph.basic import Variable
from pytensor.link.basic import Container

from lstm_cli.theano_lstm.theano import compiling

__all__ = ["CompiledFunction", "In", "Param", "function", "pfunc"]


class In(pytensor.compile.io.In):
    """An input of a function; it need not be given where it has a value.

    Parameters
    ----------
    variable
    name : str, optional
        By which it may be given; by default the variable's.
    value : optional
        What it is where it is not given. A value with an `update`, or that is `implicit`, is kept by the function.
    update : variable, optional
        Its value at the next call.
    options
        As in PyTensor.
    """

    def __init__(
        self, variable: Variable, name: str | None = None, value: Any = None, update: Variable | None = None,
        *arguments: Any, implicit: bool | None = None, **options: Any,
    ) -> None:  # fmt: skip
        self.default = None
        if value is not None and not isinstance(value, Container | SharedVariable):
            if update is None and not implicit:
                self.default, value = value, None
            else:
                value, implicit = Container(variable, [variable.type.filter(value)]), bool(implicit)
        super().__init__(variable, name, value, update, *arguments, implicit=implicit, **options)


def Param(
    variable: Variable, default: Any = None, name: str | None = None, mutable: bool = False, strict: bool = False,
    allow_downcast: bool | None = None, implicit: bool | None = None, borrow: bool | None = None,
) -> In:  # fmt: skip
    """Return an input with a default value, which `In` calls its value."""
    return In(
        variable, name, default, mutable=mutable, strict=strict, allow_downcast=allow_downcast, implicit=implicit,
        borrow=mutable if borrow is None else borrow,
    )  # fmt: skip


class CompiledFunction:
    """A compiled function that some inputs may be omitted from, or that returns its outputs by name.

    All else is that of the function without, which is `compiled`.
    """

    def __init__(
        self, compiled: Any, inputs: Sequence[tuple[str | None, Any]], output_keys: Sequence[str] | None
    ) -> None:
        self.compiled, self.inputs, self.output_keys = compiled, inputs, output_keys

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        """Return the outputs."""
        outputs = self.compiled(*arguments, *self._following(len(arguments), named), **named)
        return outputs if self.output_keys is None else dict(zip(self.output_keys, outputs, strict=True))

    def _following(self, given: int, named: dict[str, Any]) -> list[Any]:
        """Return the inputs after those given, up to one that is missing; it takes them out of `named`."""
        values = []
        for (name, default), held in zip(self.inputs[given:], self.compiled.input_storage[given:], strict=False):
            if name in named:
                values.append(named.pop(name))
            elif default is not None:
                values.append(copy(default))  # the function may overwrite it
            elif held.required or held.implicit:
                break
            else:
                values.append(held.value)
        return values

    def __getattr__(self, name: str) -> Any:
        if name == "compiled":  # while it is unpickled
            raise AttributeError(name)
        return getattr(self.compiled, name)


def function(
    inputs: Iterable[Variable | In],
    outputs: Any = None,
    mode: Any = None,
    updates: compiling.Updates | None = None,
    givens: Any = None,
    no_default_updates: bool | Sequence[Variable] = False,
    accept_inplace: bool = False,
    name: str | None = None,
    rebuild_strict: bool = True,
    allow_input_downcast: bool | None = None,
    profile: Any = None,
    on_unused_input: str | None = None,
    **options: Any,
) -> Any:
    """Return a compiled function.

    Parameters
    ----------
    inputs : variables or `In`
    outputs : variable or sequence of variables, or mapping from names to variables, optional
        A mapping makes a function that returns a dict.
    mode, updates : optional
        As in `lstm_cli.theano_lstm.theano.compiling.function`.
    no_default_updates : bool or sequence of variables
        The shared variables that no update of their own replaces, such as the states of random streams; True: all.
    givens, accept_inplace, name, rebuild_strict, allow_input_downcast, profile, on_unused_input, options : optional
        As in PyTensor.
    """
    inputs = list(inputs)
    keys = sorted(outputs) if isinstance(outputs, Mapping) else None
    if keys and not all(isinstance(key, str) for key in keys):
        raise TypeError(f"outputs: expected names of type str, got {keys}")
    if no_default_updates is not False:
        options["no_default_updates"] = no_default_updates
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The no_default_updates parameter", DeprecationWarning)
        compiled = compiling.function(
            inputs, outputs if keys is None else [outputs[key] for key in keys], mode, updates, givens=givens,
            accept_inplace=accept_inplace, name=name, rebuild_strict=rebuild_strict,
            allow_input_downcast=allow_input_downcast, profile=profile, on_unused_input=on_unused_input, **options,
        )  # fmt: skip
    optional = [(given.name, getattr(given, "default", None)) for given in inputs]
    if keys is None and all(default is None for _, default in optional):
        return compiled
    return CompiledFunction(compiled, optional, keys)


pfunc = function
