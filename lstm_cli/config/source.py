"""Where a config came from: the places of its keys, for messages, and the folder of its relative paths."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lstm_cli.config import yaml_reader
from lstm_cli.config.yaml_reader import Place
from lstm_cli.errors import brief, on_one_line


@dataclass(frozen=True)
class Source:
    """Where a config came from. All sources compare equal, since the source does not affect what a config means.

    Nothing is ever written to a path in the config: outputs go to the run folder that the command line names, or to
    ``runs/`` and `name`, which is a single path component.

    Attributes
    ----------
    folder
        The folder of relative paths.
    path
        The config file; None if the config did not come from a file.
    label
        How messages name the file.
    text
        The config as given.
    overrides
        ``KEY=VALUE`` from the command line, in order.
    places
        By path from the root: the place in the file, or the override that set it.
    taken
        By section: values that were taken from elsewhere for keys that were not given.
    """

    folder: Path = field(compare=False)
    path: Path | None = field(default=None, compare=False)
    label: str = field(default="", compare=False)
    text: str = field(default="", compare=False)
    overrides: tuple[str, ...] = field(default=(), compare=False)
    places: Mapping[yaml_reader.Path, Place | str] = field(default_factory=dict, compare=False)
    taken: Mapping[str, Mapping[str, Any]] = field(default_factory=dict, compare=False)

    @property
    def name(self) -> str:
        """Name of a run of this config: the file's, without its suffix, a single path component."""
        stem = self.path.stem.lstrip(".") if self.path else ""
        return stem or "config"

    def resolve(self, path: str) -> Path:
        """Return a path of the config as one to open: relative ones are joined to the config's folder."""
        given = Path(path)
        return given.expanduser() if path.startswith("~/") else self.folder / given

    def path_of(self, key: str) -> yaml_reader.Path:
        """Return a dotted key as a path from the root."""
        return tuple(int(part) if part.isdecimal() else part for part in key.split("."))

    def locate(self, path: yaml_reader.Path, *, at_key: bool = False) -> str:
        """Return the place of a path's value or key; if it is not in the file, that of the nearest section."""
        depth, place = self._nearest(path)
        if isinstance(place, str):
            return f"command line: {brief(place)}"
        if place is None:
            return on_one_line(self.label)
        mark = place.key if at_key or depth < len(path) else place.value
        return f"{on_one_line(self.label)}:{mark.line}:{mark.column}"

    def describe(self, path: yaml_reader.Path, problem: str, *, at_key: bool = False) -> str:
        """Return one line: place, key, problem."""
        where, key, problem = self.locate(path, at_key=at_key), dotted(path), on_one_line(problem)
        if where.startswith(f"command line: {key}="):
            return f"{where}: {problem}"
        return ": ".join(part for part in (where, key, problem) if part)

    def order(self, path: yaml_reader.Path) -> tuple[int, int, int]:
        """Return the sort key that orders problems by place in the file, then on the command line."""
        place = self._nearest(path)[1]
        if place is None:
            return (0, 0, 0)
        return (1, self.overrides.index(place), 0) if isinstance(place, str) else (0, *place.key)

    def _nearest(self, path: yaml_reader.Path) -> tuple[int, Place | str | None]:
        """Return the place of a path, or of the nearest section that has one, and how many parts lead there."""
        depths = (depth for depth in range(len(path), 0, -1) if path[:depth] in self.places)
        depth = next(depths, 0)
        return depth, self.places[path[:depth]] if depth else None


def dotted(path: Sequence[str | int]) -> str:
    """Return a path as messages show it: quoted where a part is not a plain name, and long parts cut."""
    return ".".join(_part(part) for part in path)


def _part(part: str | int) -> str:
    text = str(part)
    text = text if len(text) <= 60 else f"{text[:60]}…"
    return text if text.isprintable() and text and not set(text) & set(" .:=") else repr(text)


def got(value: Any) -> str:
    """Return a value as messages show it: short, on one line."""
    if value is None or isinstance(value, bool):
        return "null" if value is None else str(value).lower()
    if isinstance(value, Mapping | list):
        return "a mapping" if isinstance(value, Mapping) else "a list"
    text = value if isinstance(value, str) else str(value)
    text = text if len(text) <= 60 else f"{text[:60]}…"
    return repr(text) if isinstance(value, str) else text
