"""What a build of the package does beyond copying its modules: it adds the configs that come with their data.

`pyproject.toml` names the class. The configs and the data stand in `configs/` and `data/` alone; the package has copies
in `lstm_cli/examples/`, where `lstm init --example` finds them.
"""

import sys
from pathlib import Path

from setuptools.command.build_py import build_py

ROOT = Path(__file__).resolve().parents[1]


def files() -> list[Path]:
    """Return the files of all examples, relative to the repository."""
    sys.path.insert(0, str(ROOT))
    try:
        from lstm_cli.insight.examples import examples
    finally:
        sys.path.remove(str(ROOT))
    return sorted({file.relative_to(ROOT) for example in examples(ROOT).values() for file in example.files})


class BuildPy(build_py):
    """Copies the examples too; an editable installation has them already."""

    def run(self) -> None:
        """Copy the modules and the examples."""
        super().run()
        if not self.editable_mode:
            for file in files():
                copy = Path(self.build_lib) / "lstm_cli" / "examples" / file
                self.mkpath(str(copy.parent))
                self.copy_file(str(ROOT / file), str(copy), preserve_mode=False)

    def get_outputs(self, include_bytecode: bool = True) -> list[str]:
        """Return the paths of all files that are written."""
        copies = [] if self.editable_mode else files()
        folder = Path(self.build_lib) / "lstm_cli" / "examples"
        return [*super().get_outputs(include_bytecode), *(str(folder / file) for file in copies)]

    def get_source_files(self) -> list[str]:
        """Return the paths of all files that are read, which a source distribution has to hold."""
        return [*super().get_source_files(), *map(str, files()), str(Path(__file__).relative_to(ROOT))]
