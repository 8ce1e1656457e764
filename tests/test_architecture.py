"""Rules of the house that a reader of one line cannot see: which room may know which, how long things may be."""

import ast
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.support.paths import ROOT

PACKAGE = ROOT / "lstm_cli"
FILES = sorted(PACKAGE.rglob("*.py"))

# From the top down: a room imports only rooms further down. A new file or folder of the package gets its place here.
ROOMS = [
    "cli", "estimators", "api", "serving", "sweeps", "report", "training", "insight", "predict", "export", "scores",
    "engine", "run", "optim", "theano", "theano_lstm", "graph", "ops", "kernels", "data", "config", "signals",
    "plain_files", "typed_json", "ranks", "errors",
]  # fmt: skip
# Rooms further down that a room does not know all the same.
APART = {
    "estimators": {
        "serving",
        "sweeps",
        "report",
        "training",
        "insight",
        "export",
        "scores",
        "engine",
        "optim",
        "graph",
        "ops",
        "kernels",
        "data",
        "signals",
    },
    "cli": {"estimators", "scores", "engine", "run", "optim", "graph", "ops", "kernels", "data"},
    "serving": {
        "sweeps",
        "report",
        "training",
        "insight",
        "export",
        "scores",
        "engine",
        "run",
        "optim",
        "graph",
        "ops",
        "kernels",
        "signals",
    },
    "sweeps": {"insight", "predict", "export", "engine", "optim", "graph", "ops", "kernels", "data"},
    "report": {"predict", "optim", "graph", "ops", "kernels", "data"},
    "insight": {"optim", "ops", "kernels"},
    "predict": {"scores", "optim", "ops", "kernels", "signals"},
    "scores": {"run", "optim", "graph", "ops", "kernels", "signals"},
    "training": {"ops", "kernels"},
    "run": {"optim", "graph", "ops", "kernels", "signals"},
    "optim": {"graph", "data", "signals"},
    "theano_lstm": {"graph", "data", "config", "signals"},
    "graph": {"data", "signals"},
    "ops": {"data", "config", "signals"},
    "kernels": {"data", "config", "signals"},
}
# The half of the package with theano-lstm's API, which the trainer does not use: only these import it, and the
# package's own file, which has the names of both halves.
THEANO_LSTM = {"theano", "theano_lstm"}
# The rooms that import a library.
LIBRARIES = {
    "click": {"cli"},
    "mpi4py": {"ranks"},
    "jinja2": {"report"},
    "starlette": {"serving"},
    "uvicorn": {"serving"},
    "tqdm": {"sweeps", "training"},
    "optuna": {"sweeps"},
    "tensorboard": {"training"},
    "mlflow": {"training"},
    "sqlalchemy": {"sweeps", "training"},
    "safetensors": {"run"},
    "onnx": {"export"},
    "threadpoolctl": {"engine"},
    "psutil": {"data", "engine"},
    "pyarrow": {"data"},
    "pydantic": {"config"},
    "pydantic_core": {"config"},
    "yaml": {"config"},
    "numba": {"cli", "graph", "kernels"},  # cli keeps it from reading settings
    "llvmlite": {"kernels"},
    "pytensor": {"engine", "optim", "theano_lstm", "graph", "ops"},
    "sklearn": {"estimators"},
    "numpy": {
        "estimators",
        "predict",
        "training",
        "insight",
        "export",
        "scores",
        "engine",
        "run",
        "optim",
        "theano_lstm",
        "graph",
        "ops",
        "kernels",
        "data",
        "ranks",
    },
}
MODULE_LINES, FUNCTION_LINES, KERNEL_LINES = 300, 45, 70


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def room_of(path: Path) -> str:
    """The name of a file's room; empty for the package's own file."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py").removeprefix("__init__")


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """Line and full name of every module that a file imports, wherever in the file."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: a relative import: write its full name"
            names = [f"lstm_cli.{alias.name}" for alias in node.names] if node.module == "lstm_cli" else [node.module]
            yield from ((node.lineno, name) for name in names)


def rooms_imported(path: Path) -> Iterator[tuple[int, str]]:
    for line, name in imports(path):
        if name.startswith("lstm_cli.") and (room := name.split(".")[1]) != room_of(path):
            yield line, room


def module_of(path: Path) -> str:
    """The full name of a file's module; a package's own file has the name of the package."""
    parts = ("lstm_cli", *path.relative_to(PACKAGE).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def modules_imported(path: Path, modules: set[str]) -> set[str]:
    """Which of some modules a file imports, wherever in the file: a name taken from a package may be a module in it."""
    found = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            inside = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= inside if inside <= modules else (inside & modules) | {node.module}
        elif isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(node.func, "id", "")) == "import_module":
            found |= {argument.value for argument in node.args if isinstance(argument, ast.Constant)}
    return found & modules


def cycle(graph: dict[str, set[str]]) -> list[str]:
    """A way through a graph of modules and what each imports that ends where it began; empty where there is none."""
    done: set[str] = set()

    def walk(name: str, way: list[str]) -> list[str]:
        if name in way:
            return [*way[way.index(name) :], name]
        if name in done:
            return []
        for other in sorted(graph[name]):
            if found := walk(other, [*way, name]):
                return found
        done.add(name)
        return []

    return next((found for name in sorted(graph) if (found := walk(name, []))), [])


def calls(path: Path) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            yield node.lineno, node.func.id


def functions(path: Path) -> Iterator[tuple[int, str, int]]:
    """Line, name and length of every function, its docstring not counted."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            body = node.body[ast.get_docstring(node) is not None :]
            yield node.lineno, node.name, body[-1].end_lineno - body[0].lineno + 1 if body else 0


def of_rooms(*rooms: str) -> list[Path]:
    return [path for path in FILES if room_of(path) in rooms]


def test_every_room_has_its_place():
    assert {room_of(path) for path in FILES} - {""} <= set(ROOMS)


@pytest.mark.parametrize("room", ROOMS)
def test_imports_run_downward(room):
    below = set(ROOMS[ROOMS.index(room) + 1 :]) - APART.get(room, set())
    wrong = [
        f"{path}:{line}: {room} imports {other}"
        for path in of_rooms(room)
        for line, other in rooms_imported(path)
        if other not in below
    ]
    assert wrong == []


def test_the_trainer_does_not_import_theano_lstm():
    wrong = [
        f"{path}:{line}: {room_of(path)} imports {other}"
        for path in FILES
        if room_of(path) not in {*THEANO_LSTM, ""}
        for line, other in rooms_imported(path)
        if other in THEANO_LSTM
    ]
    assert wrong == []


@pytest.mark.parametrize("room", sorted({room_of(path) for path in FILES} - {""}))
def test_no_imports_in_a_room_form_a_circle(room):
    """Imports for type checking and imports in functions count: they only hide a circle."""
    files = {module_of(path): path for path in of_rooms(room)}
    found = cycle({name: modules_imported(path, set(files)) for name, path in files.items()})
    assert not found, " -> ".join(found)


def test_the_data_flows_one_way():
    """Formats know neither the schema nor what is above it; the schema knows nothing of datasets and batches."""
    data = "lstm_cli.data"
    modules = {module_of(path): path for path in of_rooms("data")}
    allowed = {
        f"{data}.formats": {f"{data}.formats", f"{data}.memory"},
        f"{data}.schema": {f"{data}.schema", f"{data}.formats"},
        f"{data}.batching": {f"{data}.{name}" for name in ("batching", "batch", "dataset", "splits")},
    }
    for part, below in allowed.items():
        for module, path in modules.items():
            if f"{module}.".startswith(f"{part}."):
                others = {".".join(name.split(".")[:3]) for name in modules_imported(path, set(modules))}
                assert others <= below, f"{module} imports {others - below}"


def test_libraries_are_imported_where_they_belong():
    """A library of the table is imported by its rooms only; one that is not in it gets its place there."""
    known = {"lstm_cli", *sys.stdlib_module_names}
    wrong = [
        f"{path}:{line}: {room_of(path)} imports {name}"
        for path in FILES
        for line, name in imports(path)
        if (library := name.split(".")[0]) not in known and room_of(path) not in LIBRARIES.get(library, set())
    ]
    assert wrong == []


def test_only_commands_print():
    printing = [
        f"{path}:{line}" for path in FILES if room_of(path) != "cli" for line, name in calls(path) if name == "print"
    ]
    assert printing == []


def test_no_module_is_long():
    lengths = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in FILES}
    assert {str(path): length for path, length in lengths.items() if length > MODULE_LINES} == {}


def test_no_function_is_long():
    long = [
        f"{path}:{line}: {name} has {length} lines"
        for path in FILES
        for line, name, length in functions(path)
        if length > (KERNEL_LINES if room_of(path) == "kernels" else FUNCTION_LINES)
    ]
    assert long == []


def test_no_test_imports_another():
    """What tests share stands in `tests.support`; what makes the released runs and the benchmarks is tested itself."""
    shared = ("tests.support.", "tests.benchmarks.", "tests.released.make.")
    wrong = [
        f"{path}:{line}: imports {name}"
        for path in sorted((ROOT / "tests").rglob("*.py"))
        for line, name in imports(path)
        if f"{name}.".startswith("tests.") and not f"{name}.".startswith(shared)
    ]
    assert wrong == []


def test_the_checks_find_what_they_look_for(tmp_path, monkeypatch):
    """A room that breaks every rule is found by every check."""
    (tmp_path / "spec").mkdir()
    bad = tmp_path / "spec" / "bad.py"
    bad.write_text("import click\nfrom lstm_cli import graph\ndef f():\n    'Doc.'\n    print(1)\n\n    return 2\n")
    monkeypatch.setattr(f"{__name__}.PACKAGE", tmp_path)
    assert room_of(bad) == "spec"
    assert list(rooms_imported(bad)) == [(2, "graph")]
    assert list(imports(bad)) == [(1, "click"), (2, "lstm_cli.graph")]
    assert list(calls(bad)) == [(5, "print")]
    assert list(functions(bad)) == [(3, "f", 3)]


def test_circles_are_found_where_imports_hide_them(tmp_path, monkeypatch):
    monkeypatch.setattr(f"{__name__}.PACKAGE", tmp_path)
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "__init__.py").write_text("from lstm_cli.data.a import A\n")
    (folder / "a.py").write_text("if TYPE_CHECKING:\n    from lstm_cli.data import b\n")
    (folder / "b.py").write_text("import lstm_cli.data.c\n")
    (folder / "c.py").write_text("def f():\n    import_module('lstm_cli.data.a')\n")
    files = {module_of(path): path for path in sorted(folder.iterdir())}
    graph = {name: modules_imported(path, set(files)) for name, path in files.items()}
    a, b, c = (f"lstm_cli.data.{name}" for name in "abc")
    assert graph == {"lstm_cli.data": {a}, a: {b}, b: {c}, c: {a}}
    assert cycle(graph) == [a, b, c, a]
    assert cycle(graph | {c: set()}) == []
