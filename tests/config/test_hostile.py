"""Configs meant to harm: refused in a moment, in little memory, in a few lines, and never by a traceback."""
# ruff: noqa: E501

import resource
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lstm_cli.config import load_config
from lstm_cli.config.load import MAX_PROBLEMS
from lstm_cli.config.yaml_reader import MAX_BYTES
from lstm_cli.errors import ConfigError
from tests.support.config import CONTRACT


def _bomb(first: str, entry: str, fan: int, levels: int) -> bytes:
    rows = [f"a0: &a0 {first}"]
    rows += [f"a{i}: &a{i} " + entry.format(", ".join([f"*a{i - 1}"] * fan)) for i in range(1, levels)]
    return "\n".join(rows).encode()


def _filled(piece: str, before: str = "", after: str = "") -> bytes:
    return (before + piece * ((MAX_BYTES - 100 - len(before)) // len(piece)) + after).encode()


def _numbered(piece: str) -> bytes:
    return "".join(piece.format(i) for i in range(100_000)).encode()[: MAX_BYTES - 10]


HOSTILE = {
    "100,000 brackets": b"[" * 100_000,
    "brackets": _filled("["),
    "braces": _filled("{"),
    "question marks": _filled("? "),
    "dashes": _filled("- "),
    "deep blocks": "".join(" " * i + "a:\n" for i in range(340)).encode(),
    "alias bomb": _bomb("[x, x, x, x, x, x, x, x]", "[{}]", 10, 15),
    "merge bomb": _bomb("{k: 1}", "{{<<: [{}]}}", 10, 15),
    "alias chain": _bomb("1", "[{}]", 1, 3000),
    "merge of itself": b"a: &a {<<: *a}",
    "alias of itself": b"a: &a [*a]",
    "a megabyte of unknown keys": b"".join(b"key%d: 1\n" % i for i in range(100_000)),
    "unknown keys": _numbered("k{}: 1\n")[:40_000],
    "unknown keys, more": _numbered("key{}: 1\n"),
    "unknown keys near known ones": _numbered("seedling{}: 1\n"),
    "unknown keys with anchors": _numbered("k{0}: &a{0} 1\n"),
    "unknown inputs": _numbered("c{}: {{kind: tokn}}, ").join([b"data: {inputs: {", b"}}"])[:MAX_BYTES],
    "wrong layers": _filled("xyzxyzx,", "model: {layers: [", "]}"),
    "one key again and again": _filled("rho: 1, ", "optimizer: {", "}"),
    "keys again and again": _filled("seed: 1\n"),
    "a long key": _filled("k", "", ": 1"),
    "a long value": _filled("l", "model: {cell: ", "}"),
    "a long number": _filled("9", "seed: "),
    "a number too large for a float": b"optimizer: {learning_rate: " + b"9" * 400 + b"}",
    "a tag": b"a: !!python/object/apply:os.system [echo]",
    "binary": bytes(range(256)) * 16,
    "UTF-16": CONTRACT.encode("utf-16"),
    "UTF-32": CONTRACT.encode("utf-32"),
    "Latin-1": "data: {train: é}".encode("latin-1"),
    "control characters": b"seed: \x1b[2J",
    "escaped control characters": b'seed: "\\e[2J"',
    "odd line ends": "seed:\x85 1\u2028 2".encode(),
    "an unclosed quote": _filled("\\", '"'),
    "blank lines": _filled(" \n", "a:\n"),
    "folded lines": _filled("  b\n", "a: >\n"),
    "a version of YAML": b"%YAML 9.9\n---\na: 1",
    "several documents": b"a: 1\n---\nb: 2",
    "a sequence as key": b"? [a]\n: 1",
}


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE)
def test_it_is_refused_in_a_moment_and_in_few_words(tmp_path, content):
    path = tmp_path / "c.yaml"
    path.write_bytes(content)
    began = time.process_time()  # of this process, whatever else the machine is busy with
    with pytest.raises(ConfigError) as caught:
        load_config(path)
    assert time.process_time() - began < 5  # none takes more than 0.3 s; an attack that works takes minutes
    lines = str(caught.value).split("\n")
    assert len(lines) <= MAX_PROBLEMS + 1
    assert all(line.isprintable() and len(line) < 600 for line in lines)
    assert "Input should" not in str(caught.value)


@pytest.mark.slow
def test_all_of_it_fits_into_100_mb(tmp_path):
    status = Path("/proc/self/status")  # its peak is of the program itself; ru_maxrss is handed down by a large parent
    if not status.exists():
        pytest.skip("this system has no /proc to read a process's peak memory from")
    for number, content in enumerate(HOSTILE.values()):
        (tmp_path / f"{number}.yaml").write_bytes(content)
    code = """
import sys
from pathlib import Path
from lstm_cli.errors import ConfigError
from lstm_cli.config import load_config
for path in Path(sys.argv[1]).glob("*.yaml"):
    try:
        load_config(path)
    except ConfigError:
        pass
print(Path(sys.argv[2]).read_text())
"""
    run = [sys.executable, "-c", code, tmp_path, status]
    done = subprocess.run(run, capture_output=True, text=True, check=True)
    (kilobytes,) = (int(line.split()[1]) for line in done.stdout.splitlines() if line.startswith("VmHWM"))
    assert kilobytes < 100 * 1024


def test_an_endless_file_is_read_to_the_limit_only():
    if not Path("/dev/zero").exists():
        pytest.skip("this system has no /dev/zero")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(ConfigError, match="larger than 64 KiB"):
        load_config("/dev/zero")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50 * 1024


_WORDS = [
    *CONTRACT.split(), "<<", "&a", "*a", "!!str", "{", "}", "[", "]", ",", ":", "-", "?", "|", ">", '"', "'", "%", "@",
    "\t", "\n", "\n  ", "\0", "\x1b", "\ufeff", "é", "1e999", ".nan", "0x", "null", "rollout", "output", "999999999999999999999",
]  # fmt: skip
_LINES = CONTRACT.splitlines()


@st.composite
def _broken(draw: st.DrawFn) -> bytes:
    """The documented config with words put in, taken out and swapped."""
    lines = list(_LINES)
    for _ in range(draw(st.integers(1, 6))):
        row = draw(st.integers(0, len(lines) - 1))
        cut = draw(st.integers(0, len(lines[row])))
        end = draw(st.integers(cut, len(lines[row])))
        lines[row] = lines[row][:cut] + draw(st.sampled_from(_WORDS)) + lines[row][end:]
    return "\n".join(lines).encode("utf-8", "surrogatepass")


_ANYTHING = st.one_of(
    st.binary(max_size=200),
    st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass")),
    st.lists(st.sampled_from(_WORDS), max_size=60).map(lambda words: " ".join(words).encode()),
    _broken(),
)
_OVERRIDES = st.lists(
    st.one_of(
        st.text(max_size=30),
        st.builds("{}={}".format, st.sampled_from(["seed", "model.layers.0.size", "data.target.kind", "optimizer.name", "train.schedule", "data.inputs.x", "model.embedding.x", "rollout.steps"]), st.sampled_from(_WORDS)),
    ),
    max_size=3,
)  # fmt: skip


def _never_a_traceback(folder: Path, content: bytes, overrides: list[str]) -> None:
    path = folder / "c.yaml"
    path.write_bytes(content)
    try:
        config = load_config(path, overrides)
    except ConfigError as error:
        assert "Input should" not in str(error)
        assert str(error).strip()
    else:
        path.write_text(config.to_yaml(), encoding="utf-8")
        assert load_config(path) == config


_SETTINGS = {"deadline": None, "suppress_health_check": list(HealthCheck)}


@settings(max_examples=300, **_SETTINGS)
@given(_ANYTHING, _OVERRIDES)
def test_anything_is_a_config_or_an_error(tmp_path_factory, content, overrides):
    _never_a_traceback(tmp_path_factory.getbasetemp(), content, overrides)


@pytest.mark.slow
@settings(max_examples=30_000, **_SETTINGS)
@given(_ANYTHING, _OVERRIDES)
def test_anything_at_length(tmp_path_factory, content, overrides):
    _never_a_traceback(tmp_path_factory.getbasetemp(), content, overrides)
