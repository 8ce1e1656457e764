"""The examples: configs that come with the project with all their data, so that the tool is tried without a clone.

They stand in `configs/` and `data/` of the repository alone. A build copies those that `examples` finds there into the
package (`data/examples.py`); an editable installation reads them where they are.
"""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lstm_cli.errors import ConfigError, on_one_line, shown_path

CONFIGS, DATA = "configs", "data"
FIRST = "quickstart"
PACKAGED = "examples"  # the folder in the package that a build copies them to
MORE = "https://github.com/lstm-cli/lstm-cli/tree/main/configs"  # those whose data is downloaded or generated

_SMALL = 1 << 20  # bytes of an example; what is larger is generated, not committed
_PACKAGE = Path(__file__).parents[1]
_DATA_FILE = re.compile(r"\.\./(data/[^\s#]+)( +#)?")
_CODE = re.compile(r"^\s*dynamics: *([\w.-]+\.py):", re.MULTILINE)
_COMMENT = re.compile(r"^# (?!yaml-language-server)(.+)", re.MULTILINE)


@dataclass(frozen=True)
class Example:
    """A config that trains as it is.

    Attributes
    ----------
    name
        Of the config.
    title
        What it is, in one line.
    folder
        That its files are relative to.
    files
        The config, the code of its system and its data.
    """

    name: str
    title: str
    folder: Path
    files: tuple[Path, ...]


def examples(folder: Path | None = None) -> dict[str, Example]:
    """Return the examples by name: the configs of a folder, by default this installation's, whose data is there too."""
    if folder is None:
        folder = _PACKAGE / PACKAGED if (_PACKAGE / PACKAGED).is_dir() else _PACKAGE.parent
    found = (_example(folder, path) for path in sorted((folder / CONFIGS).glob("*.yaml")))
    known = {example.name: example for example in found if example is not None}
    return {name: known[name] for name in sorted(known, key=lambda name: name != FIRST)}


def _example(folder: Path, path: Path) -> Example | None:
    """Return a config with all files that it needs; None if they are not all there, or large."""
    text = path.read_text(encoding="utf-8")
    named = [folder / match[1] for match in _DATA_FILE.finditer(text)]
    if not all(file.is_file() and folder / DATA / "public" not in file.parents for file in named):
        return None
    code = tuple(path.with_name(name) for name in _CODE.findall(text))
    data = sorted({file for parent in {file.parent for file in named} for file in parent.iterdir() if file.is_file()})
    if sum(file.stat().st_size for file in data) > _SMALL:
        return None
    comment = _COMMENT.search(text)
    title = "" if comment is None else re.split(r"(?<=[?]) |[.:] ", comment[1])[0]
    return Example(path.stem, title, folder, (path, *code, *data))


def listing() -> str:
    """Return the names of the examples with their titles, one a line, and where more configs are."""
    lines = [f"{example.name:<16} {example.title}" for example in examples().values()]
    return "\n".join([*lines, f"for data that you download or generate: {MORE}"])


def write_example(name: str, folder: str | Path = ".") -> Path:
    """Write an example's config into a folder, and its data beside it; return the path of the config.

    Files that are there already with the same content stay.

    Parameters
    ----------
    name
        One of `examples`.
    folder
        Which is made if it is missing.

    Raises
    ------
    ConfigError
        There is no such example, or the folder holds another file of a name that it needs; nothing was written then.
    DiskError
        The folder cannot be written to.
    """
    from lstm_cli.run.files import disk_errors, replace_file

    known = examples()
    if name not in known:
        shown = ", ".join(known)
        raise ConfigError(f"no example {on_one_line(name)!r}: expected one of {shown}; configs for other data: {MORE}")
    folder = Path(folder)
    contents = dict(_contents(known[name], folder))
    with disk_errors(folder):
        for path, content in contents.items():
            if path.exists() and (not path.is_file() or path.read_bytes() != content):
                what = "is there already, with other content"
                raise ConfigError(f"{shown_path(path)}: {what}: move it away, or name another folder with -o")
        for path, content in contents.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            if not path.exists():
                replace_file(path, content)
    return folder / f"{name}.yaml"


def next_commands(config: Path) -> list[str]:
    """Return the commands to type after an example was written."""
    shown = shlex.quote(str(config))
    return [f"lstm check {shown}", f"lstm-train {shown}"]


def _contents(example: Example, folder: Path) -> Iterator[tuple[Path, bytes]]:
    """Yield the paths of an example's files in a folder, and what they hold there: data before the config."""
    for file in reversed(example.files):
        content = file.read_bytes()
        place = file.relative_to(example.folder)
        if place.parts[0] == CONFIGS:
            place = place.relative_to(CONFIGS)
        if place.suffix == ".yaml":
            content = _beside_its_data(content.decode()).encode()
        yield folder / place, content


def _beside_its_data(text: str) -> str:
    """Return a config's text as it is where its data lies beside it, not beside its folder."""
    from lstm_cli.config.json_schema import with_schema_line

    def moved(match: re.Match[str]) -> str:
        return match[1] + (f"   {match[2]}" if match[2] else "")

    return with_schema_line(_DATA_FILE.sub(moved, text).replace(f"{CONFIGS}/", ""))
