"""Write the pages of the reference and the config's JSON Schema from the code: ``python docs/generate.py``.

With ``--check`` it writes nothing, names the files that are stale and exits with 1 if there are any.
"""

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]  # the working tree's package, not an installed one

from reference_commands import commands_page  # noqa: E402
from reference_config import config_page  # noqa: E402

from lstm_cli.config.json_schema import FILE, schema_text  # noqa: E402

PAGES = {
    "docs/reference/commands.md": commands_page,
    "docs/reference/config.md": config_page,
    FILE.relative_to(HERE.parent).as_posix(): schema_text,
}


def stale(folder: Path) -> list[str]:
    """Return the files below `folder`, the project's own, that are not what the code says."""
    return [name for name, page in PAGES.items() if _text_of(folder / name) != page()]


def write(folder: Path) -> None:
    """Write every file below `folder`."""
    for name, page in PAGES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(page(), encoding="utf-8", newline="\n")


def _text_of(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.exists() else None


def main(arguments: list[str], folder: Path) -> int:
    """Write the files below `folder`, or with ``--check`` return 1 if one there is stale."""
    if arguments == ["--check"]:
        names = stale(folder)
        for name in names:
            sys.stderr.write(f"{name} is stale: run python docs/generate.py\n")
        return 1 if names else 0
    if arguments:
        sys.stderr.write("usage: python docs/generate.py [--check]\n")
        return 2
    write(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], HERE.parent))
