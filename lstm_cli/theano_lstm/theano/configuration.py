"""``theano.config``: PyTensor's flags under Theano's names, and those that PyTensor has dropped.

Flags of PyTensor keep their effect. Others, such as those for compilers and graphics cards, are remembered and have
none. A flag in a section is an attribute of an attribute, ``config.scan.allow_gc``, or ``config["scan.allow_gc"]``.
"""

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ContextDecorator
from typing import Any

import pytensor
from pytensor.compile.mode import Mode

from lstm_cli.theano_lstm.theano.known_flags import CHOICES, MODES, OWN, REMEMBERED

_log = logging.getLogger("lstm_cli.theano")
_TAGS = ("optimizer_excluding", "optimizer_including", "optimizer_requiring")


class Section:
    """The flags whose names begin alike: all of them (`config`), or those of a section (``config.scan``)."""

    def __init__(self, flags: "_Flags", prefix: str = "") -> None:
        self.__dict__["_flags"], self.__dict__["_prefix"] = flags, prefix

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        full = self._prefix + name
        if full not in self._flags and self._flags.below(f"{full}."):
            return Section(self._flags, f"{full}.")
        try:
            return self._flags[full]
        except KeyError as error:
            raise AttributeError(str(error.args[0])) from None

    def __setattr__(self, name: str, value: Any) -> None:
        self._flags[self._prefix + name] = value

    def __getitem__(self, name: str) -> Any:
        return self._flags[self._prefix + name]

    def __setitem__(self, name: str, value: Any) -> None:
        self._flags[self._prefix + name] = value

    def __dir__(self) -> Iterator[str]:
        names = (name.removeprefix(self._prefix) for name in self._flags.below(self._prefix))
        return iter(sorted({name.partition(".")[0] for name in names} | set(super().__dir__())))

    def __str__(self) -> str:
        return "\n".join(f"{name} = {self._flags[name]}" for name in self._flags.below(self._prefix))

    def change_flags(self, flags: Any = (), **more: Any) -> "change_flags":
        """Return `change_flags` of these flags."""
        return change_flags(flags, **more)


class _Flags:
    """All flags by their full names."""

    def __init__(self) -> None:
        self.set: dict[str, Any] = {}

    def __contains__(self, name: str) -> bool:
        return name in self.set or name in REMEMBERED or _in_pytensor(name) in _pytensors()

    def __getitem__(self, name: str) -> Any:
        if name in self.set:
            return self.set[name]
        if name in REMEMBERED:
            return REMEMBERED[name]
        if _in_pytensor(name) in _pytensors():
            return getattr(pytensor.config, _in_pytensor(name))
        raise KeyError(f"theano.config.{name}: Theano has no such flag, and none was set")

    def __setitem__(self, name: str, value: Any) -> None:
        if name == "mode":
            self.set[name] = _mode(value)
        elif name in _TAGS and not isinstance(value, str):
            raise ValueError(f"config.{name}: expected names of rewrites joined by colons, got {value!r}")
        elif name not in (*OWN, *REMEMBERED) and _can_be_set(name):
            setattr(pytensor.config, _in_pytensor(name), value)
        else:
            self.set[name] = _value(name, value)

    def below(self, prefix: str) -> list[str]:
        """Return the names that begin so."""
        names = {*self.set, *REMEMBERED, *(name.replace("__", ".") for name in _pytensors())}
        return sorted(name for name in names if name.startswith(prefix))


class change_flags(ContextDecorator):
    """Change flags within a ``with`` or a decorated function: ``change_flags(floatX="float32")``.

    Parameters
    ----------
    flags : mapping or pairs, optional
        By name, for names with a dot.
    more : the same, as keywords
    """

    def __init__(self, flags: Mapping[str, Any] | Iterable[tuple[str, Any]] = (), **more: Any) -> None:
        self.new = {name.replace("__", "."): value for name, value in {**dict(flags), **more}.items()}
        for name in self.new:
            config[name]  # an unknown name is an error at once
        self.old: list[tuple[dict[str, Any], dict[str, Any]]] = []

    def __enter__(self) -> None:
        flags = config._flags
        self.old.append((dict(flags.set), {name: config[name] for name in self.new if name not in flags.set}))
        try:
            for name, value in self.new.items():
                setattr(config, name, value)
        except Exception:
            self.__exit__()
            raise

    def __exit__(self, *error: object) -> None:
        remembered, others = self.old.pop()
        for name in self.new:
            if name in remembered:
                setattr(config, name, remembered[name])
            elif name in config._flags.set:
                del config._flags.set[name]
            else:
                setattr(config, name, others[name])


def full_name(name: str) -> str:
    """Return a flag's name in the case that Theano writes it, as files may not."""
    known: dict[str, str] = {flag.lower(): flag for flag in config._flags.below("")}
    return known.get(name.lower(), name)


def _pytensors() -> Mapping[str, Any]:
    flags: Mapping[str, Any] = pytensor.config._config_var_dict
    return flags


def _can_be_set(name: str) -> bool:
    """Whether PyTensor has the flag, and lets it change after its import."""
    flag = _pytensors().get(_in_pytensor(name))
    return flag is not None and flag.mutable


def _in_pytensor(name: str) -> str:
    return name.replace(".", "__")


def _mode(value: Any) -> Any:
    if not isinstance(value, Mode) and (not isinstance(value, str) or value.upper() not in MODES):
        raise ValueError(f"config.mode: expected one of {', '.join(MODES)}, got {value!r}")
    return value


def _value(name: str, value: Any) -> Any:
    """Return the value of a remembered flag, converted from text as from an environment variable."""
    default = REMEMBERED.get(name, getattr(pytensor.config, _in_pytensor(name), None))
    if name in ("device", "init_gpu_device") and value:
        _check_device(name, str(value))
    if name in CHOICES and str(value) not in CHOICES[name]:
        raise ValueError(f"config.{name}: expected one of {', '.join(CHOICES[name])}, got {value!r}")
    if not isinstance(value, str) or not isinstance(default, bool | int | float):
        return value if name not in CHOICES else str(value)
    convert: Callable[[str], Any] = _flag if isinstance(default, bool) else type(default)
    try:
        return convert(value)
    except ValueError:
        kind = "True or False" if isinstance(default, bool) else "a number"
        raise ValueError(f"config.{name}: expected {kind}, got {value!r}") from None


def _flag(text: str) -> bool:
    if text not in ("False", "false", "0", "True", "true", "1"):
        raise ValueError
    return text in ("True", "true", "1")


def _check_device(name: str, device: str) -> None:
    """Log once where graphs are computed: a warning would end the scripts that make errors of warnings."""
    if " " in device or not device.startswith(("cpu", "gpu", "cuda", "opencl")):
        raise ValueError(f"config.{name}: expected cpu, cuda0, gpu0 or the like, got {device!r}")
    if device != "cpu" and not _logged_devices:
        _logged_devices.append(device)
        _log.warning("%s=%s: lstm_cli.theano uses no graphics card: graphs are computed on the CPU", name, device)


_logged_devices: list[str] = []
config = Section(_Flags())
