"""What looks into recurrent layers, beside finite differences and a plain loop over steps in numpy."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lstm_cli.data import Batch
from lstm_cli.engine.diagnostics import GATES, Probe
from lstm_cli.engine.evaluator import Evaluator
from lstm_cli.engine.inputs import input_arrays
from lstm_cli.engine.predictor import Driver
from lstm_cli.graph.rollout import ClosedLoop
from lstm_cli.insight.diagnostics import diagnosed, sample
from lstm_cli.kernels.cells import CELLS
from lstm_cli.ops.loop_arguments import LayerKind
from lstm_cli.training.job import Job
from tests.support.closed_loop import Problem, by_hand
from tests.support.data import numbered
from tests.support.reference import ACTIVATIONS, recurrent, sigmoid
from tests.support.runs import SERIES, TEXT, small_config, write_data
from tests.support.worlds import ALONE, CLOSED, randomized_job, world_config, write_world

CASES: dict[str, dict[str, Any]] = {
    "numbers, both ways, per sequence": {
        "model": {
            "layers": [{"size": 4, "cell": "lstm"}, {"size": 3, "cell": "gru"}],
            "bidirectional": True,
            "pool": "mean",
        }
    },
    "a series": {"data": SERIES, "model": {"layers": [{"size": 4, "cell": "gru"}, {"size": 3, "cell": "rnn"}]}},
    "tokens": {"data": TEXT, "model": {"cell": "lstm", "embedding": 3, "layers": [4]}},
    "softsign": {"model": {"cell": "lstm", "activation": "softsign", "layers": [4], "initial_state": "zeros"}},
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_data(tmp_path_factory.mktemp("data"))


def probed(folder: Path, case: str) -> tuple[Job, Probe, Batch]:
    job = randomized_job(small_config(folder, **CASES[case], precision="float64"))
    flat = job.trainer.model.parameters.flat
    flat.set_value(3 * flat.get_value())  # gates that saturate
    probe = Probe(job.trainer.model, job.trainer.objective)
    batch = sample(job.data.train)
    assert batch is not None
    return job, probe, batch


@pytest.mark.parametrize("case", CASES)
def test_gradients_beside_finite_differences(folder: Path, case: str) -> None:
    """The loss of each sequence is moved by one number of one step at a time, through all that the step feeds."""
    job, probe, batch = probed(folder, case)
    model, small = job.trainer.model, 1e-5
    evaluator = Evaluator.of(model, job.data.schema.target, job.config.loss)
    found = probe.input_gradient_norms(batch)
    assert found.shape == batch.mask.shape and (found[batch.mask == 0] == 0).all()
    column, step = int(np.argmax(batch.lengths)), int(batch.lengths.max()) - 2
    if batch.numbers is None:
        table = next(view for name, view in model.parameters.values().items() if name.startswith("embedding"))
        width = table.shape[1]
    else:
        width = batch.numbers.shape[2]

    def loss(place: int, by: float) -> float:
        if batch.numbers is not None:
            numbers = batch.numbers.copy()
            numbers[step, column, place] += by
            return evaluator(replace(batch, numbers=numbers), None)[0]
        # A token that no other step has, as a copy of the one that is there, moved.
        values = model.parameters.values()
        (name,) = batch.tokens
        key = f"embedding.{name}"
        tokens = {name: batch.tokens[name].copy()}
        moved = values[key].copy()
        moved[0] = moved[tokens[name][step, column]]
        moved[0, place] += by
        tokens[name][tokens[name] == 0] = 1
        tokens[name][step, column] = 0
        model.parameters.set_values({**values, key: moved})
        try:
            return evaluator(replace(batch, tokens=tokens), None)[0]
        finally:
            model.parameters.set_values(values)

    assert batch.numbers is not None or all((tokens[batch.mask > 0] > 0).all() for tokens in batch.tokens.values())
    moved = [(loss(place, small) - loss(place, -small)) / (2 * small) for place in range(width)]
    assert found[step, column] == pytest.approx(np.linalg.norm(moved), rel=1e-5, abs=1e-9)
    assert found[step, column] > 1e-8


def plain_gates(job: Job, batch: Batch) -> dict[tuple[str, str], np.ndarray]:
    """Every gate on the real steps, from a loop over steps; the layers' outputs are those of the plain reference."""
    model = job.trainer.model
    values, size = model.parameters.values(), len(batch.lengths)
    x = batch.numbers
    if x is None:
        ((name, ids),) = batch.tokens.items()
        x = values[f"embedding.{name}"][ids]
    found = {}
    for layer in model.layers:
        outputs = []
        for part in layer.directions:
            W, b = values[f"{part.name}.W"], values[f"{part.name}.b"]
            learned = values.get(f"{part.name}.initial", np.zeros(sum(part.states)))
            initial = [np.tile(s, (size, 1)) for s in np.split(learned, len(part.states))]
            kind = {"cell": part.cell.name, "activation": part.activation, "reverse": part.reverse}
            h, _ = recurrent(x, batch.lengths, W, b, initial, **kind)
            for name, gate in gates_of(part, x, h, batch.lengths, W, b, initial[0]).items():
                found[part.name, name] = gate
            outputs.append(h)
        x = np.concatenate(outputs, axis=2)
    return found


def gates_of(part: Any, x: Any, h: Any, lengths: Any, W: Any, b: Any, first: Any) -> dict[str, np.ndarray]:
    activation, inputs, units = ACTIVATIONS[part.activation], x.shape[2], h.shape[2]
    pieces: dict[str, list[np.ndarray]] = {}
    for column, length in enumerate(lengths):
        for t in range(length):
            before = t + 1 if part.reverse else t - 1
            hidden = h[before, column] if 0 <= before < length else first[column]
            blocks = np.split(W[:, :inputs] @ x[t, column], len(part.cell.gates))
            more = np.split(W[:, inputs:] @ hidden, len(part.cell.gates))
            bias = np.split(b, len(b) // units)
            sums = [one + other + own for one, other, own in zip(blocks, more, bias, strict=False)]
            if part.cell.name == "lstm":
                step = dict(zip(("input", "forget", "output"), map(sigmoid, sums[:3]), strict=True))
                step["candidate"] = activation(sums[3])
            elif part.cell.name == "gru":
                step = dict(zip(("reset", "update"), map(sigmoid, sums[:2]), strict=True))
                step["candidate"] = activation(blocks[2] + bias[2] + step["reset"] * (more[2] + bias[3]))
            else:
                step = {"state": activation(sums[0])}
            for name, value in step.items():
                pieces.setdefault(name, []).append(value)
    return {name: np.array(values) for name, values in pieces.items()}


@pytest.mark.parametrize("case", CASES)
def test_gates_beside_a_plain_loop(folder: Path, case: str) -> None:
    job, probe, batch = probed(folder, case)
    plain = plain_gates(job, batch)
    gates = list(probe.gates(batch))
    assert {(gate.layer, gate.name) for gate in gates} == plain.keys()
    shares = {(row.layer, row.gate): row for row in diagnosed(probe, job.scored["train"]).saturation}
    for gate in gates:
        wanted = plain[gate.layer, gate.name]
        assert gate.values.shape == wanted.shape
        np.testing.assert_allclose(np.sort(gate.values, axis=0), np.sort(wanted, axis=0), rtol=1e-6, atol=1e-9)
        low = 0.1 if gate.activation == "sigmoid" else -0.9
        row = shares[gate.layer, gate.name]
        assert (row.low, row.high) == pytest.approx(((wanted < low).mean(), (wanted > 0.9).mean()))
    assert max(max(row.low, row.high) for row in shares.values()) > 0


@pytest.mark.parametrize("case", ["numbers, both ways, per sequence", "tokens"])
def test_norms_at_all_lags_are_of_the_same_sequences(folder: Path, case: str) -> None:
    job, probe, batch = probed(folder, case)
    norms = probe.input_gradient_norms(batch)
    last = {int(column): int(batch.lengths[column]) - 1 for column in batch.counted_sequences}
    if job.data.schema.target.per == "step":
        last = {
            int(column): int(time) for column, time in zip(batch.counted_sequences, batch.counted_times, strict=True)
        }
    longest = sorted(last.values())[len(last) // 2] if len(last) % 2 else int(np.median(list(last.values())))
    own = [norms[: time + 1, column][::-1][: longest + 1] for column, time in last.items() if time >= longest]
    found = diagnosed(probe, job.scored["train"]).gradient_by_lag
    assert found is not None and len(set(last.values())) > 1
    assert found.lags == tuple(range(longest + 1))
    np.testing.assert_allclose(found.norms, np.mean(own, axis=0))


def test_every_cell_has_names_for_its_gates() -> None:
    """What a cell keeps and is no gate, such as the gru's hidden part of the candidate, has none."""
    assert {name: set(cell.kept) - set(GATES[name]) for name, cell in CELLS.items()} == {
        "lstm": set(), "gru": {"m"}, "rnn": set(),
    }  # fmt: skip


def test_activations_without_bounds_do_not_saturate(folder: Path) -> None:
    job = randomized_job(small_config(folder, model={"cell": "rnn", "activation": "relu", "layers": [4]}))
    found = diagnosed(Probe(job.trainer.model, job.trainer.objective), job.scored["train"])
    assert not found.saturation and found.gradient_by_lag is not None


LOOPS = pytest.mark.parametrize("base", [pytest.param(CLOSED, marks=pytest.mark.slow), ALONE], ids=["system", "alone"])


@LOOPS
def test_gates_of_a_closed_loop_are_those_in_it(tmp_path: Path, base: dict[str, Any]) -> None:
    job = randomized_job(world_config(write_world(tmp_path), base, precision="float64"))
    probe = Probe(job.trainer.model, job.trainer.objective)
    batch = next(job.scored["valid"].epoch(0))
    assert batch.numbers is not None and batch.observed is not None
    following, _, _ = Driver(job.trainer.model)(batch)  # type: ignore[arg-type]
    seen = batch.numbers.copy()
    for column, observed in enumerate(batch.observed):
        seen[observed:, column, : following.shape[2]] = following[observed - 1 : -1, column]
    plain = plain_gates(job, replace(batch, numbers=seen))
    for gate in probe.gates(batch):
        wanted = plain[gate.layer, gate.name]
        np.testing.assert_allclose(np.sort(gate.values, axis=0), np.sort(wanted, axis=0), rtol=1e-6, atol=1e-9)


def loop_of(model: ClosedLoop, batch: Batch) -> Problem:
    """The closed loop of a batch, for a run in plain numpy."""
    values, size = model.parameters.values(), len(batch.lengths)
    kinds, layers = [], []
    for part in model.directions:
        learned = np.split(values[f"{part.name}.initial"], len(part.states))
        kinds.append(LayerKind(part.cell.name, part.activation, False, False))
        layers.append([values[f"{part.name}.W"], values[f"{part.name}.b"], *(np.tile(s, (size, 1)) for s in learned)])
    given = input_arrays(model, batch)
    output, loop = [values["output.W"], values["output.b"]], model.closed_loop
    return Problem(tuple(kinds), loop.system, model.spec.residual, given.numbers, given.feed, batch.lengths,
                   batch.observed, layers, output, "linear")  # type: ignore[arg-type]  # fmt: skip


@LOOPS
def test_gradients_through_a_closed_loop_beside_finite_differences(tmp_path: Path, base: dict[str, Any]) -> None:
    """What the network sees is moved by one number of one step, observed or fed back, in a loop in plain numpy.

    The loss is that of the last output that counts: the norms at all lags are of the same sequences.
    """
    job = randomized_job(world_config(write_world(tmp_path), base, precision="float64"))
    model, small = job.trainer.model, 1e-5
    assert isinstance(model, ClosedLoop)
    probe, batch = Probe(model, job.trainer.objective), next(job.scored["valid"].epoch(0))
    loop, elements = loop_of(model, batch), list(model.closed_loop.elements)
    assert batch.target is not None
    last = {column: k for k, column in enumerate(batch.counted_sequences.tolist())}

    def losses(moved: np.ndarray) -> np.ndarray:
        following, _ = by_hand(loop, moved)
        found = following[batch.counted_times, batch.counted_sequences][:, elements]
        distances = np.square(found - batch.target).mean(axis=1)
        return np.array([distances[last[column]] for column in range(len(batch.lengths))])

    norms = np.zeros(batch.mask.shape)
    for step in range(len(norms)):
        slopes = []
        for place in range(loop.numbers.shape[2]):
            moved = np.zeros_like(loop.numbers)
            moved[step, :, place] = small
            slopes.append((losses(moved) - losses(-moved)) / (2 * small))
        norms[step] = np.linalg.norm(slopes, axis=0)
    times = batch.counted_times[[last[column] for column in range(len(batch.lengths))]]
    longest = int(np.median(times))
    wanted = np.array([norms[: time + 1, column][::-1][: longest + 1] for column, time in enumerate(times)
                       if time >= longest])  # fmt: skip
    found = diagnosed(probe, job.scored["valid"])
    assert found.saturation and found.gradient_by_lag is not None
    assert found.gradient_by_lag.lags == tuple(range(longest + 1)) and longest > int(batch.observed.min())  # type: ignore[union-attr]
    np.testing.assert_allclose(found.gradient_by_lag.norms, wanted.mean(axis=0), rtol=1e-5, atol=1e-9)
    assert wanted.mean(axis=0).max() > 1e-4


def test_what_is_looked_at_ends_with_outputs_that_count(folder: Path) -> None:
    series = randomized_job(small_config(folder, **CASES["a series"])).data.train
    batch = sample(series)
    assert batch is not None and len(batch.lengths) == 32  # of one series: outputs spread over its steps
    assert sorted(batch.counted_sequences) == list(range(32)) and (batch.weight == 1).all()
    assert (batch.counted_times == batch.lengths[batch.counted_sequences] - 1).all()
    assert (batch.starts + batch.lengths).max() == series.lengths[0]
    short = sample(series, 5)  # of a network so large that more steps would take too much memory
    assert short is not None and set(short.lengths) <= set(range(6)) and short.lengths.max() == 5


def test_steps_without_weight_are_no_ends() -> None:
    def ends(lengths: list[int], weights: list[list[float]]) -> list[tuple[int, int]]:
        batch = sample(numbered(lengths, [np.array(weight, np.float32) for weight in weights]))
        assert batch is not None
        return sorted(zip(batch.sequences.tolist(), (batch.starts + batch.lengths - 1).tolist(), strict=True))

    assert ends([4, 2, 3], [[1, 0, 1, 0], [0, 0], [1, 1, 0]]) == [(0, 0), (0, 2), (2, 0), (2, 1)]
    many = ends([3] * 40 + [2], [[1, 1, 0]] * 40 + [[0, 0]])  # more sequences than are looked at: one end of each
    assert len(set(many)) == len(many) == 32
    assert many[-1] == (39, 1) and {step for _, step in many} == {1}
