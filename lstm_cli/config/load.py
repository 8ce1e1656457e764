"""From a file and the command line, or from Python, to a config: every problem found at once."""

import os
import re
import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationError

from lstm_cli.config import yaml_reader
from lstm_cli.config.checks import conflicts
from lstm_cli.config.config import Config
from lstm_cli.config.formats import format_of
from lstm_cli.config.overrides import apply_overrides
from lstm_cli.config.problems import Problem, problems_of
from lstm_cli.config.scalars import write_yaml
from lstm_cli.config.source import Source, dotted, got
from lstm_cli.config.yaml_reader import MAX_BYTES, MAX_DEPTH, Unreadable, read_yaml
from lstm_cli.errors import CheckpointError, ConfigError, and_more, did_you_mean, listed, nearest_beside
from lstm_cli.plain_files import read_own

MAX_PROBLEMS = 50
_KEY = re.compile(r"[a-z_]{1,40}", re.IGNORECASE)
_MOST_BITS = 8192  # of a whole number: Python does not write one of 4,300 digits or more
#: Formats of data whose suffixes a config may have, too: JSON is YAML.
_MAY_BE_YAML = (None, "json", "text")
_RESTORE = "restore the file that lstm-train wrote"


def load_config(path: str | Path, overrides: Sequence[str] = ()) -> Config:
    """Read a config file and apply the overrides of the command line.

    Parameters
    ----------
    path
        The YAML file; ``-`` reads standard input, with paths relative to the current folder.
    overrides
        ``KEY=VALUE``, the value as YAML; later ones take precedence over earlier ones, and all over the file.

    Raises
    ------
    ConfigError
        Names every problem, one per line: ``path:line:column: key: problem``.
    """
    if str(path) == "-":
        return _parse(sys.stdin.buffer.read(MAX_BYTES + 1), "<stdin>", None, overrides)
    path = Path(path)
    return _parse(_read(path), str(path), path, overrides)


def config_of_text(text: str, path: Path) -> Config:
    """Return the config of a text that is to become the file at a path, as `load_config` would read it there."""
    return _parse(text.encode(), str(path), path, ())


def read_resolved(path: Path) -> bytes:
    """Return the content of the resolved config in a run folder, for `resolved_config`.

    Raises
    ------
    CheckpointError
        It is missing, or not a file that can be read.
    """
    try:
        return read_own(path)
    except OSError as error:
        raise CheckpointError(f"{path}: damaged: {error.strerror}: {_RESTORE}") from None


def resolved_config(content: bytes, path: Path, overrides: Sequence[str] = ()) -> Config:
    """Return the config of a resolved config that was read; `path` is for messages.

    Paths in it are not opened and need not exist.

    Raises
    ------
    CheckpointError
        The file is damaged or was edited.
    ConfigError
        The overrides of the command line are wrong.
    """
    try:
        config = _parse(content, str(path), path, (), own=True)
    except (ConfigError, MemoryError) as error:
        first = str(error).partition("\n")[0] or "too large for memory"
        raise CheckpointError(f"{path}: damaged: {first}: {_RESTORE}") from None
    return _parse(content, str(path), path, overrides, own=True) if overrides else config


def completed(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the plain values of a config that this tool stored, with the defaults of keys new since its version.

    Raises
    ------
    ConfigError
        There are keys that this version does not know, or values that no version stored.
    """
    try:
        return Config.model_validate(values).model_dump(mode="json")
    except ValidationError as error:
        problems = error.errors(include_url=False)
    unknown = [".".join(map(str, problem["loc"])) for problem in problems if problem["type"] == "extra_forbidden"]
    if unknown:
        raise ConfigError(f"keys that this version does not know ({listed(unknown)}): install a newer lstm-cli")
    raise ConfigError(f"values that lstm-train does not write ({listed([problems[0]['msg']])}): train again")


def config_from_mapping(mapping: Mapping[str, Any], folder: str | Path = ".", overrides: Sequence[str] = ()) -> Config:
    """Return the config of plain Python values, structured like the YAML file; paths are relative to `folder`.

    Parameters
    ----------
    mapping
        Sections of keys.
    folder
        The folder of relative paths.
    overrides
        ``KEY=VALUE``, the value as YAML; they take precedence over the mapping.

    Raises
    ------
    ConfigError
        Names every problem, one per line: ``key: problem``.
    """
    raw = _plain(mapping)
    if not isinstance(raw, dict):
        raise ConfigError(f"got {got(raw)}, expected a mapping of sections, such as {{'data': {{'train': …}}}}")
    places: dict[yaml_reader.Path, yaml_reader.Place | str] = {}
    text = write_yaml(raw)
    lines = apply_overrides(raw, overrides, places)
    return _build(raw, Source(folder=Path(folder), text=text, overrides=tuple(overrides), places=places), lines)


def with_section(config: Config, name: Literal["model", "train"], values: Mapping[str, Any]) -> Config:
    """Return a config with values in one of its sections, except for keys that were given in its file or after it.

    Raises
    ------
    ConfigError
        As `load_config`.
    """
    source = config.source
    source = replace(source, taken={**source.taken, name: {**source.taken.get(name, {}), **values}})
    return _build(with_taken(_as_set(config), source.taken), source, [])


def with_overrides(config: Config, overrides: Sequence[str]) -> Config:
    """Return a config with further ``KEY=VALUE``, as if they stood at the end of its command line.

    Raises
    ------
    ConfigError
        As `load_config`.
    """
    source, raw = config.source, with_taken(_as_set(config), config.source.taken)
    places = dict(source.places)
    lines = apply_overrides(raw, overrides, places)
    return _build(raw, replace(source, overrides=(*source.overrides, *overrides), places=places), lines)


def _as_set(config: Config) -> dict[str, Any]:
    """Return the raw values of a config, with those of its command line."""
    raw: Any = read_yaml(config.source.text.encode()).value if config.source.text else set_keys(config)
    apply_overrides(raw, config.source.overrides, {})
    return dict(raw)


def with_taken(given: Mapping[str, Any], taken: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return the sections of a config with the keys that it took over where it gives none, or `auto`."""
    found = dict(given)
    for section, values in taken.items():
        own = {key: value for key, value in (given.get(section) or {}).items() if value != "auto" or key not in values}
        found[section] = {**values, **own}
    return found


def set_keys(config: Config) -> dict[str, Any]:
    """Return the keys that were set in a config that was built in Python, not read."""
    return config.model_dump(mode="json", exclude_unset=True)


def _read(path: Path) -> bytes:
    """Return a file's first bytes: one more than may be read, at most."""
    if format_of(path) not in _MAY_BE_YAML and path.is_file():
        raise ConfigError(f"{path}: is a data file, not a config: lstm init {shlex.quote(str(path))} writes one for it")
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        hint = did_you_mean(nearest_beside(path, lambda entry: entry.suffix in (".yaml", ".yml")))
        raise ConfigError(f"{path}: no such file, expected a YAML config{hint}") from None
    except IsADirectoryError:
        raise ConfigError(f"{path}: is a folder, expected a YAML config: give the file in it") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ConfigError(f"{str(path)!r} cannot be read ({reason}): give a readable YAML file") from None


def _parse(content: bytes, label: str, path: Path | None, overrides: Sequence[str], *, own: bool = False) -> Config:
    try:
        document = read_yaml(content, own=own)
    except Unreadable as error:
        where = f"{label}:{error.mark.line}:{error.mark.column}" if error.mark else label
        raise ConfigError(f"{where}: {error.problem}") from None
    raw = {} if document.value is None else document.value
    if not isinstance(raw, dict) or _is_foreign(raw):
        found = "a list" if isinstance(raw, list) else "keys that no config has" if isinstance(raw, dict) else "text"
        raise ConfigError(f"{label}:1:1: got {found}, expected a config: sections such as 'data:' with keys below")
    places: dict[yaml_reader.Path, yaml_reader.Place | str] = dict(document.places)
    lines = [f"{label}:{mark.line}:{mark.column}: {dotted(at)}: {what}" for at, mark, what in document.problems]
    lines += apply_overrides(raw, overrides, places)
    folder = path.parent if path else Path()
    text = content.decode("utf-8-sig")
    return _build(raw, Source(folder, path, label, text, tuple(overrides), places), lines)


def _is_foreign(raw: Mapping[str, Any]) -> bool:
    """Return whether a file is none of ours: no key is a section, and some do not even look like one.

    None of its lines is to be shown then, on a terminal or in a log.
    """
    return not raw.keys() & Config.model_fields.keys() and not all(map(_KEY.fullmatch, raw))


def _build(raw: dict[str, Any], source: Source, lines: list[str]) -> Config:
    """Validate the raw values; `lines` are the problems found before."""
    raw = {"data": None, **raw}
    config, problems = _validate(raw, source)
    if config:
        problems += _conflicts(config, _wrong_keys(problems), source)
    problems.sort(key=lambda problem: source.order(problem.path))
    if config is None or lines or problems:
        shown = [source.describe(path, text(), at_key=at_key) for path, text, at_key in problems[:MAX_PROBLEMS]]
        rest = and_more(len(lines) + len(problems) - MAX_PROBLEMS, "\n… ")
        raise ConfigError("\n".join((lines + shown)[:MAX_PROBLEMS]) + rest)
    config._source = source
    return config


def _conflicts(config: Config, wrong: set[yaml_reader.Path], source: Source) -> list[Problem]:
    """Return the conflicts between keys whose values are valid by themselves."""
    problems = []
    for conflict in conflicts(config):
        paths = [source.path_of(key) for key in conflict.keys]
        if not any(path[:2] in wrong or path[:1] in wrong for path in paths):
            given = next((path for path in paths if path in source.places), paths[0])
            problems.append(Problem(given, partial(str, conflict.text)))
    return problems


def _validate(raw: dict[str, Any], source: Source) -> tuple[Config | None, list[Problem]]:
    """Return the config, of the valid keys only if any is wrong, and the problems with the values."""
    try:
        return Config.model_validate(raw), []
    except ValidationError as error:
        problems = problems_of(error, raw, source)
    try:
        return Config.model_validate(_without(raw, _wrong_keys(problems))), problems
    except ValidationError:
        return None, problems


def _wrong_keys(problems: Sequence[Problem]) -> set[yaml_reader.Path]:
    """Return the keys, at most one level down, whose values are wrong; a wrong name makes its whole section wrong."""
    paths = [problem.path[:-1] if problem.path[-1:] == ("name",) else problem.path for problem in problems]
    return {path[:2] for path in paths}


def _without(raw: dict[str, Any], wrong: set[yaml_reader.Path]) -> dict[str, Any]:
    """Return the values without the wrong keys, with a placeholder for a missing training file."""
    right = {key: value for key, value in raw.items() if (key,) not in wrong}
    for key, section in right.items():
        if isinstance(section, dict):
            right[key] = {inner: value for inner, value in section.items() if (key, inner) not in wrong}
    right["data"] = {"train": "unknown", **(right.get("data") or {})}
    return right


def _plain(value: Any, depth: int = 0) -> Any:
    """Return Python values as YAML would give them: paths as strings, tuples as lists, numpy's numbers as Python's."""
    if depth > MAX_DEPTH:
        raise ConfigError(f"nested deeper than {MAX_DEPTH} levels: a config needs fewer")
    if isinstance(value, Mapping):
        return {str(key): _plain(inner, depth + 1) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner, depth + 1) for inner in value]
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if isinstance(value, int) and value.bit_length() > _MOST_BITS:
        raise ConfigError("a number of thousands of digits: a config needs smaller ones")
    return value.item() if hasattr(value, "item") and not isinstance(value, type) else value
