"""The pages of the documentation and the README, cut into blocks and words."""

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
_BLOCK = re.compile(
    r"(?P<mark><!-- fragment -->\n *)?^(?P<indent> *)```(?P<language>[^\n]*)\n(?P<text>.*?)^ *```$",
    re.DOTALL | re.MULTILINE,
)


@dataclass(frozen=True)
class Block:
    """A fenced block: where it stands, its language, its text without indentation, whether it is marked a fragment."""

    page: Path
    line: int
    language: str
    text: str
    fragment: bool

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def blocks(page: Path, language: str | None = None) -> list[Block]:
    """Return the fenced blocks of a page, of one language if it is given."""
    content = page.read_text(encoding="utf-8")
    found = []
    for match in _BLOCK.finditer(content):
        line = content.count("\n", 0, match.start("language")) + 1
        text = re.sub(rf"^{match['indent']}", "", match["text"], flags=re.MULTILINE)
        found.append(Block(page, line, match["language"], text, match["mark"] is not None))
    return [block for block in found if language in (None, block.language)]


def every_block(language: str) -> list[Block]:
    """Return the blocks of a language in all pages."""
    return [block for page in PAGES for block in blocks(page, language)]


def spans(page: Path) -> list[str]:
    """Return what stands in single backticks, outside of fenced blocks."""
    return re.findall(r"(?<!`)`([^`]+)`(?!`)", _BLOCK.sub("", page.read_text(encoding="utf-8")))
