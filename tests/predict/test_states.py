"""A stream predicted in two parts, its state kept in a file, is the stream predicted at once."""

import io
import os
import re
import shutil
import tracemalloc
import zipfile
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

import lstm_cli
from lstm_cli.errors import ConfigError, DataError
from lstm_cli.predict import predict_run
from lstm_cli.predict.states import check_stateful, read_states, saved_states
from lstm_cli.run.checkpoint import load, save
from lstm_cli.run.names import BEST
from tests.support.data import read_jsonl, write, write_jsonl


@pytest.fixture
def predicted(trained, tmp_path):
    """Predict rows by a run of a kind from file to file; return the predictions by id."""

    def predict(kind, rows, **options):
        write_jsonl(tmp_path / "in.jsonl", rows)
        predict_run(trained(kind) / "run", tmp_path / "in.jsonl", out=tmp_path / "out.jsonl", **options)
        return {row["id"]: row["prediction"] for row in read_jsonl(tmp_path / "out.jsonl")}

    return predict


def streams(lengths=(40, 25)):
    rng = np.random.default_rng(3)
    return [{"id": f"s{k}", "x": rng.normal(20, 5, (steps, 2)).round(3).tolist()} for k, steps in enumerate(lengths)]


def parts(rows, cut):
    return [[{**row, "x": row["x"][piece]} for row in rows] for piece in (slice(cut), slice(cut, None))]


def test_two_parts_are_the_whole(predicted, tmp_path):
    first, second = parts(streams(), 10)
    state = tmp_path / "state.npz"
    first_part = predicted("numbered", first, state_out=state)
    second_part = predicted("numbered", second, state_in=state)
    assert {name: first_part[name] + second_part[name] for name in first_part} == predicted("numbered", streams())
    assert second_part != predicted("numbered", second)


def test_a_label_per_sequence_is_that_of_all_its_parts(predicted, tmp_path):
    first, second = parts(streams(), 10)
    state = tmp_path / "state.npz"
    predicted("classifier", first, state_out=state, probabilities=True)
    assert predicted("classifier", second, state_in=state) == predicted("classifier", streams())


def test_a_sequence_continues_from_the_state_of_its_id_and_a_new_one_starts_afresh(predicted, tmp_path):
    first, second = parts(streams(), 10)
    state = tmp_path / "state.npz"
    predicted("numbered", first, state_out=state)
    new = {"id": "new", "x": streams()[0]["x"]}
    found = predicted("numbered", [new, *reversed(second)], state_in=state)
    apart = predicted("numbered", second, state_in=state) | predicted("numbered", [new])
    assert found == apart


def test_forecasts_continue_from_a_state(predicted, tmp_path):
    series = np.sin(np.arange(40) / 5).round(4).tolist()
    row = {"run": "s", "a": series, "b": series}
    first, second = ({**row, "a": series[part], "b": series[part]} for part in (slice(30), slice(30, None)))
    state = tmp_path / "state.npz"
    known = predicted("pendulum", [row], steps=5)["s"]
    predicted("pendulum", [first], state_out=state)
    np.testing.assert_allclose(predicted("pendulum", [second], steps=5, state_in=state)["s"], known, rtol=1e-5)
    predicted("pendulum", [first], steps=5, state_out=state)  # that before the forecast
    np.testing.assert_allclose(predicted("pendulum", [second], steps=5, state_in=state)["s"], known, rtol=1e-5)


def test_a_model_that_reads_both_ways_has_no_state(predicted, tmp_path):
    for option in ("state_in", "state_out"):
        with pytest.raises(ConfigError, match="a bidirectional model also starts from the end of a sequence"):
            predicted("both_ways", streams(), **{option: tmp_path / "state.npz"})


@pytest.mark.parametrize(
    ("per", "pool", "fix"),
    [("step", "last", "bidirectional: false"), ("sequence", "max", "bidirectional: false and pool: last")],
)
def test_the_message_says_all_that_a_model_without_a_state_needs(per, pool, fix):
    spec = SimpleNamespace(pool=pool, crf=False)
    schema = SimpleNamespace(target=SimpleNamespace(per=per))
    network = SimpleNamespace(model=SimpleNamespace(spec=spec), bidirectional=True, schema=schema)
    with pytest.raises(ConfigError, match=f"--follow: .*: leave it out, or train with {fix}$"):
        check_stateful(network, "--follow")


def test_states_are_written_as_they_come(tmp_path):
    """40 MB of them take a few; an error leaves nothing behind, not even in another file."""
    model = SimpleNamespace(state_size=5000, dtype="float32", weights=dict)
    network, draw, path = SimpleNamespace(model=model), np.random.default_rng(1), tmp_path / "states.npz"
    tracemalloc.start()
    with saved_states(path, network) as save:
        for number in range(2000):
            save(f"ä{number}", np.full(5000, number, np.float32), "a:1")
            if number == 1000:
                assert [name.name.startswith(".tmp-") for name in tmp_path.iterdir()] == [True]
    assert tracemalloc.get_traced_memory()[1] < 20_000_000
    tracemalloc.stop()
    found = read_states(path, network)
    assert list(found) == [f"ä{number}" for number in range(2000)]
    assert all((state == number).all() for number, state in enumerate(found.values()))
    with np.load(path) as file:
        assert file["states"].shape == (2000, 5000) and file["ids"].dtype == "<U5"
    with (
        pytest.raises(DataError, match=r"b:2: id ä occurs twice"),
        saved_states(tmp_path / "other.npz", network) as save,
    ):
        save("ä", draw.random(5000), "b:1")
        save("ä", draw.random(5000), "b:2")
    assert list(tmp_path.iterdir()) == [path]


def test_an_id_that_occurs_twice_has_no_state(predicted, tmp_path):
    rows = [*streams(), streams()[0]]
    predicted("numbered", rows)
    with pytest.raises(DataError, match=r"in.jsonl:3: id s0 occurs twice, so its state is ambiguous"):
        predicted("numbered", rows, state_out=tmp_path / "state.npz")
    assert not (tmp_path / "state.npz").exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "holds no states"),
        (b"", "holds no states"),
        (b"PK\x03\x04 cut off", "holds no states"),
        ({"ids": ["a"]}, "holds no states"),
        ({"ids": ["a"], "states": np.zeros((1, 3))}, r"states of shape (1, 3), expected (1, 12)"),
        ({"ids": np.array([{}]), "states": np.zeros((1, 12))}, "holds no states"),
        ({"ids": ["a"], "states": np.full((1, 12), np.nan)}, "states that are not finite"),
        ({"ids": ["a"], "states": np.full((1, 12), 1e300)}, "states that are not finite"),
        ({"ids": ["a"], "states": np.zeros((1, 12), complex)}, "expected states of type float32, got complex128"),
        ({"ids": ["a"], "states": np.zeros((1, 12), bool)}, "expected states of type float32, got bool"),
        ({"ids": ["a", "a"], "states": np.zeros((2, 12))}, "expected different ids as text"),
        ({"ids": [1], "states": np.zeros((1, 12))}, "expected different ids as text, got int64"),
        ({"ids": "a", "states": np.zeros((1, 12))}, "states of shape (1, 12), expected (N, 12)"),
        ({"ids": ["a"], "states": np.zeros((1, 12)), "model": "0" * 64}, "states of another model"),
        ({"ids": ["a"], "states": np.zeros((1, 12)), "model": np.zeros(3)}, "states of another model"),
    ],
    ids=[
        "missing",
        "empty",
        "damaged",
        "half",
        "of another size",
        "pickled",
        "NaN",
        "beyond float32",
        "complex",
        "truths",
        "the same id",
        "numbers as ids",
        "one id",
        "of another model",
        "of no model",
    ],
)
def test_a_file_without_states_is_refused(predicted, tmp_path, content, message):
    path = tmp_path / "state.npz"
    if isinstance(content, dict):
        np.savez(path, **content)
    elif content is not None:
        path.write_bytes(content)
    with pytest.raises(DataError, match=re.escape(message)):
        predicted("numbered", streams(), state_in=path)


def test_states_of_another_model_of_the_same_sizes_are_refused(predicted, trained, tmp_path):
    """Or of the same one, trained further: its states would be continued by other weights."""
    row = {"run": "s", "a": [0.0, 0.1, 0.2], "b": [0.0, 0.1, 0.2]}
    state, other = tmp_path / "state.npz", tmp_path / "other"
    predicted("pendulum", [row], state_out=state)
    predicted("pendulum", [row], state_in=state)
    shutil.copytree(trained("pendulum") / "run", other)
    save(replace(load(other / BEST), model={k: v + 1 for k, v in load(other / BEST).model.items()}), other / BEST)
    with pytest.raises(DataError, match=r"state\.npz: states of another model, or of this one before"):
        predict_run(other, tmp_path / "in.jsonl", state_in=state)


def test_states_of_earlier_versions_name_no_model(predicted, tmp_path):
    first, second = parts(streams(), 10)
    state = tmp_path / "state.npz"
    predicted("numbered", first, state_out=state)
    expected = predicted("numbered", second, state_in=state)
    with np.load(state) as file:
        np.savez(state, ids=file["ids"], states=file["states"].astype(np.float64))
    assert predicted("numbered", second, state_in=state) == expected


def bomb(path, name, claimed):
    """A small file of states, one of whose arrays becomes large, or claims to be."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for array in ("ids", "states"):
            head, shape = io.BytesIO(), (1, 12) if array == "states" else (1,)
            fields = {"descr": "<f4" if array == "states" else "<U1", "fortran_order": False, "shape": shape}
            data = bytes(48) if array == "states" else b"a\0\0\0"
            if array == name and claimed:
                fields["shape"] = (claimed, *shape[1:])
            np.lib.format.write_array_header_1_0(head, fields)
            archive.writestr(f"{array}.npy", head.getvalue() + data * (1 if claimed or array != name else 2_000_000))


@pytest.mark.parametrize("name", ["ids", "states"])
@pytest.mark.parametrize("claimed", [0, 10**6, 10**12, 10**30])
def test_a_file_that_becomes_large_is_refused_before_it_is_read(predicted, tmp_path, name, claimed):
    bomb(tmp_path / "state.npz", name, claimed)
    tracemalloc.start()
    with pytest.raises(DataError, match=rf"holds no states \({name}.npy is damaged|bytes in "):
        predicted("numbered", streams(), state_in=tmp_path / "state.npz")
    assert tracemalloc.get_traced_memory()[1] < 50_000_000
    tracemalloc.stop()


@pytest.mark.parametrize("kind", ["folder", "pipe", "device"])
def test_what_is_no_file_holds_no_states(predicted, tmp_path, kind):
    path = tmp_path / "state.npz"
    path.mkdir() if kind == "folder" else os.mkfifo(path) if kind == "pipe" else path.symlink_to("/dev/zero")
    with pytest.raises(DataError, match=r"state\.npz: not a regular file: give a file that --state-out wrote"):
        predicted("numbered", streams(), state_in=path)


def test_the_file_has_h_and_then_c_of_each_layer(tmp_path):
    """Of the last layer, h is what the output is computed from; an LSTM has 2 H values, a GRU H."""
    rows = [{**row, "y": row["x"][-1][0]} for row in streams()]
    path = write_jsonl(tmp_path / "a.jsonl", rows)
    layers = [{"size": 3, "cell": "gru"}, {"size": 5, "cell": "lstm"}]
    config = {
        "data": {"train": str(path), "valid": None, "inputs": ["x"], "target": {"column": "y", "kind": "number"}},
        "model": {"layers": layers, "dropout": 0}, "train": {"epochs": 1}, "threads": 1,
    }  # fmt: skip
    lstm_cli.train(config, run=tmp_path / "run", verbosity=-1)
    predict_run(tmp_path / "run", path, out=tmp_path / "p.jsonl", state_out=tmp_path / "s.npz")
    run = lstm_cli.load(tmp_path / "run")
    with np.load(tmp_path / "s.npz") as file:
        ids, states = file["ids"], file["states"]
    assert ids.tolist() == ["s0", "s1"] and states.shape == (2, 3 + 2 * 5)
    weights = load(tmp_path / "run" / BEST).model
    scaled = states[:, 3:8] @ weights["output.W"].T + weights["output.b"]
    found = run.schema.target.scaling.undo(scaled)[:, 0]
    np.testing.assert_allclose(found, [row["prediction"] for row in read_jsonl(tmp_path / "p.jsonl")], rtol=1e-5)
    assert (np.abs(states[:, :8]) < 1).all()  # outputs of a GRU and of an LSTM; cells are not bounded


STATEFUL = {
    "differences": {"transform": {"load": ["seasonal_difference(3)", "difference"]}},
    "known": {"inputs": {"load": {}, "heat": {"known": True}}, "target": {"column": "load", "ahead": 1, "horizon": 2}},
    "both": {
        "inputs": {"load": {}, "heat": {"known": True}},
        "target": {"column": "load", "ahead": 1, "horizon": 2},
        "transform": {"load": "difference"},
    },
}


def series_run(folder, **data):
    """A run on a series of loads and heats, and its rows."""
    draw = np.random.default_rng(5)
    rows = ["load,heat", *(f"{a:.3f},{b:.3f}" for a, b in np.cumsum(draw.normal(size=(60, 2)), axis=0))]
    path = write(folder / "train.csv", "\n".join(rows) + "\n")
    data = {"train": str(path), "valid": None, "inputs": ["load", "heat"], "target": "next"} | data
    config = {
        "threads": 1,
        "data": data,
        "model": {"layers": [4], "dropout": 0},
        "train": {"epochs": 2, "monitor": "train.loss"},
    }
    lstm_cli.train(config, run=folder / "run", verbosity=-1)
    return rows


@pytest.mark.parametrize(("task", "overlap"), [("differences", 4), ("known", 2), ("both", 3)])
def test_a_part_begins_with_the_steps_that_the_note_names(tmp_path, task, overlap):
    """Differences leave steps at the start of a part without output, unknown later inputs those at its end."""
    head, *rows = series_run(tmp_path, **STATEFUL[task])
    notes, state = [], tmp_path / "state.npz"

    def predicted(part, **options):
        path = write(tmp_path / "part.csv", "\n".join([head, *part]) + "\n")
        predict_run(tmp_path / "run", path, out=tmp_path / "out.jsonl", note=notes.append, **options)
        return read_jsonl(tmp_path / "out.jsonl")[0]["prediction"]

    whole, cut = predicted(rows), 40
    predicted(rows[:cut], state_out=state)
    assert f"begin the next part with the last {overlap} steps of this one" in notes[-1]
    second = predicted(rows[cut - overlap :], state_in=state)
    expected = whole[cut - overlap :]
    pairs = [(a, b) for a, b in zip(second, expected, strict=True) if a is not None]
    assert len(pairs) > 15 and pairs[-1][1] is not None
    for own, at_once in pairs:
        np.testing.assert_allclose(own, at_once, rtol=1e-5)


def test_a_series_with_a_scale_of_its_own_has_no_parts(tmp_path):
    series_run(tmp_path, scale="series")
    for option in ("state_in", "state_out"):
        with pytest.raises(ConfigError, match=r"with data\.scale: series each part would be scaled by its own mean"):
            predict_run(tmp_path / "run", tmp_path / "train.csv", **{option: tmp_path / "state.npz"})
