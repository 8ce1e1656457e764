"""A state comes back bit by bit, damage is always found, and nothing that is not finite is written."""

import hashlib
import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from lstm_cli.errors import CheckpointError, Diverged
from lstm_cli.run import checkpoint
from lstm_cli.run.checkpoint import State, check_matches, decode, load, save
from lstm_cli.run.names import CHECKPOINT_FILES, MANIFEST, MODEL, STATE
from tests.support.crash import step_of
from tests.support.crash_worker import state

DTYPES = ["float32", "float64", "float16", "int64", "int32", "int8", "uint8", "uint64", "bool"]


def read(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in CHECKPOINT_FILES}


@pytest.fixture
def small(tmp_path: Path) -> Path:
    save(state(1, size=2), tmp_path / "last")
    return tmp_path / "last"


named_arrays = st.dictionaries(
    st.text(st.characters(codec="utf-8"), min_size=1).filter(lambda name: name != "__metadata__"),
    st.sampled_from(DTYPES).flatmap(
        lambda dtype: arrays.arrays(
            dtype,
            arrays.array_shapes(min_dims=0, min_side=0, max_side=3),
            elements={"allow_nan": False, "allow_infinity": False} if dtype.startswith("float") else None,
        )
    ),
    max_size=4,
)


@given(named_arrays, named_arrays, named_arrays)
@settings(max_examples=60, deadline=None)
def test_everything_comes_back(
    tmp_path_factory: pytest.TempPathFactory, model: dict, optimizer: dict, carried: dict
) -> None:
    folder = tmp_path_factory.getbasetemp() / "round trip"
    position = {"step": 7, "best": 0.1 + 0.2, "not yet": None, "worst": float("inf"), "rng": 2**63, "Ω": ["\n", {}]}
    save(State(model, optimizer, carried, position, {"config": "ab"}), folder)
    found = load(folder)
    for part, given_arrays in (("model", model), ("optimizer", optimizer), ("carried", carried)):
        found_arrays = getattr(found, part)
        assert found_arrays.keys() == given_arrays.keys()
        for name, array in given_arrays.items():
            assert found_arrays[name].dtype == array.dtype
            assert found_arrays[name].shape == array.shape
            assert found_arrays[name].tobytes() == array.tobytes()
    assert found.position == position
    assert found.identity == {"config": "ab"}


def test_arrays_come_back_writable_and_in_c_order(tmp_path: Path) -> None:
    table = np.arange(12, dtype=np.float32).reshape(3, 4)
    model = {"fortran": np.asfortranarray(table), "strided": table[::2, ::-1], "big endian": table.astype(">f4")}
    save(State(model), tmp_path / "last")
    for name, array in load(tmp_path / "last").model.items():
        np.testing.assert_array_equal(array, model[name])
        assert array.flags.c_contiguous
        assert array.flags.writeable
        assert array.flags.aligned
        assert array.dtype == np.dtype("<f4")


def test_weights_can_be_read_by_any_safetensors_reader(tmp_path: Path) -> None:
    model = {
        "a": np.ones(3, np.float32),
        "b": np.eye(2),
        "flag": np.array([True]),
        "none": np.zeros((0, 2), np.float32),
    }
    save(State(model), tmp_path / "last")
    found = safetensors.numpy.load_file(tmp_path / "last" / MODEL)
    assert found.keys() == model.keys()
    for name, array in model.items():
        np.testing.assert_array_equal(found[name], array)


def test_numpy_numbers_in_the_position_become_plain_ones(tmp_path: Path) -> None:
    save(State({}, position={"step": np.int64(3), "best": np.float32(0.1)}), tmp_path / "last")
    assert load(tmp_path / "last").position == {"step": 3, "best": float(np.float32(0.1))}


def test_an_array_of_another_kind_is_a_mistake_of_the_caller(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="cannot hold arrays of complex128"):
        save(State({"w": np.ones(2, complex)}), tmp_path / "last")


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("part", ["model", "optimizer", "carried"])
def test_what_is_not_finite_is_never_written(tmp_path: Path, value: float, part: str) -> None:
    folder = tmp_path / "last"
    save(state(1), folder)
    bad = state(2)
    name, array = next(iter(getattr(bad, part).items()))
    array.flat[1] = value
    with pytest.raises(Diverged, match=rf"last: not written, as 1 of the {array.size} values of {part} {name} is not"):
        save(bad, folder)
    assert step_of(load(folder)) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["last"]


def test_every_single_bit_flip_is_found(small: Path) -> None:
    whole = read(small)
    assert step_of(decode(whole, small)) == 1
    for name, data in whole.items():
        for place in range(len(data)):
            for bit in range(8):
                damaged = bytearray(data)
                damaged[place] ^= 1 << bit
                with pytest.raises(CheckpointError, match="damaged"):
                    decode({**whole, name: bytes(damaged)}, small)


def test_every_truncation_is_found(small: Path) -> None:
    whole = read(small)
    for name, data in whole.items():
        for length in range(len(data)):
            with pytest.raises(CheckpointError, match="damaged"):
                decode({**whole, name: data[:length]}, small)
        with pytest.raises(CheckpointError, match="damaged"):
            decode({**whole, name: data + b"\n"}, small)


def test_files_of_two_checkpoints_do_not_mix(tmp_path: Path, small: Path) -> None:
    save(state(2, size=2), tmp_path / "best")
    other = read(tmp_path / "best")
    for name in CHECKPOINT_FILES:
        with pytest.raises(CheckpointError, match="damaged"):
            decode({**read(small), name: other[name]}, small)


@pytest.mark.parametrize("name", CHECKPOINT_FILES)
def test_the_message_names_the_file_and_the_damage(small: Path, name: str) -> None:
    size = (small / name).stat().st_size
    (small / name).write_bytes((small / name).read_bytes()[:-1])
    expected = "its own hash" if name == MANIFEST else f"{size - 1:,} bytes, expected {size:,}"
    with pytest.raises(CheckpointError, match=re.escape(f"{small / name}: damaged checkpoint: {expected}")):
        load(small)
    (small / name).unlink()
    with pytest.raises(CheckpointError, match=re.escape(f"{small / name}: damaged checkpoint: the file is missing")):
        load(small)
    (small / name).mkdir()
    what = f"{small / name}: damaged checkpoint: not a regular file but a folder"
    with pytest.raises(CheckpointError, match=re.escape(what)):
        load(small)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize(("name", "array"), [(MODEL, "w"), (STATE, "optimizer/m"), (STATE, "carried/h")])
def test_values_that_are_not_finite_are_damage_though_every_hash_is_right(
    small: Path, name: str, array: str, value: float
) -> None:
    contents = read(small)
    data = safetensors.numpy.save({array: np.array([0, value, 2], np.float32)})
    facts = {"size": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    manifest = forged(contents, lambda manifest: manifest["files"].update({name: facts}))
    what = f"{small / name}: damaged checkpoint: 1 of the 3 values of {array} is not finite"
    with pytest.raises(CheckpointError, match=re.escape(what)):
        decode({**contents, name: data, MANIFEST: manifest}, small)


def forged(contents: dict[str, bytes], change: Callable[[dict], object]) -> bytes:
    """A manifest with a change and a right hash of itself."""
    manifest = json.loads(contents[MANIFEST])
    change(manifest)
    manifest["sha256"] = checkpoint.UNHASHED
    return bytes(checkpoint._sealed(manifest))


def test_a_newer_format_asks_for_a_newer_version(small: Path) -> None:
    newer = forged(read(small), lambda manifest: manifest.update(format=99))
    with pytest.raises(CheckpointError, match="format 99, but this version reads up to 1: install a newer lstm-cli"):
        decode({**read(small), MANIFEST: newer}, small)


@pytest.mark.parametrize("key", ["format", "files", "identity"])
@pytest.mark.parametrize("value", [None, "x", [], {}, {"x": {}}, {MODEL: {"size": "1", "sha256": 2}}])
def test_a_forged_manifest_is_no_traceback(small: Path, key: str, value: object) -> None:
    data = forged(read(small), lambda manifest: manifest.update({key: value}))
    if key == "identity" and isinstance(value, dict):
        assert decode({**read(small), MANIFEST: data}, small).identity == value
    else:
        with pytest.raises(CheckpointError):
            decode({**read(small), MANIFEST: data}, small)


@pytest.mark.slow
@given(
    st.recursive(
        st.none() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
    )
)
@settings(max_examples=100, deadline=None)
def test_any_json_for_a_manifest_is_no_traceback(value: object) -> None:
    for text in (json.dumps(value), json.dumps({"sha256": value}), json.dumps(value) * 2, "[" * 100_000):
        with pytest.raises(CheckpointError, match="damaged"):
            decode(dict.fromkeys(CHECKPOINT_FILES, text.encode()), Path("run/best"))


def test_a_model_that_does_not_match_is_described_leaf_by_leaf() -> None:
    expected = {"layer.W": ((3, 4), "float32"), "layer.b": ((3,), "float64"), "output.W": ((2, 3), "float32")}
    with pytest.raises(CheckpointError) as caught:
        check_matches(state(1, size=2), expected)
    assert str(caught.value).splitlines()[1:] == [
        "layer.W: expected float32[3, 4], got float32[3, 2]",
        "layer.b: expected float64[3], got float32[3]",
        "output.W: expected float32[2, 3], got nothing",
    ]
    many = {f"layers.{index}.W": ((2,), "float32") for index in range(30)}
    with pytest.raises(CheckpointError, match="and 22 more"):
        check_matches(state(1), many)
