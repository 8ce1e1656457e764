"""What must come out the same however sequences are put together: padded, cut into windows, accumulated."""

from dataclasses import replace

import numpy as np
import pytest

from lstm_cli.data import Batches, Dataset, Encoded, open_data
from lstm_cli.graph import model
from lstm_cli.training.events import StepDone
from lstm_cli.training.loop import train as train_loop
from lstm_cli.training.session import build_job
from tests.support.data import data_config, number_schema, write_jsonl
from tests.support.graph import CELLS, EXACT, RAGGED, check_alone, members, network, random_batch

each_cell = pytest.mark.parametrize("cell", CELLS)
each_end = pytest.mark.parametrize(("per", "pool"), [("step", "last"), ("sequence", "last")], ids=["steps", "last"])
each_direction = pytest.mark.parametrize("bidirectional", [False, True], ids=["forward", "both ways"])


@each_cell
@each_end
@each_direction
def test_a_padded_batch_is_each_sequence_alone(cell, per, pool, bidirectional):
    check_alone(network(cell=cell, per=per, pool=pool, bidirectional=bidirectional, tokens={"w": 6}))


@each_cell
@pytest.mark.parametrize("pool", ["mean", "max", "attention"])
def test_a_padded_batch_is_each_sequence_alone_whatever_the_pooling(cell, pool):
    check_alone(network(cell=cell, per="sequence", pool=pool, bidirectional=True))


@pytest.mark.parametrize("activation", ["linear", "relu", "sigmoid", "softsign"])
def test_a_padded_batch_is_each_sequence_alone_whatever_the_activation(activation):
    layers = [{"size": 5, "cell": cell} for cell in CELLS]
    check_alone(network(layers=layers, activation=activation, output_activation=activation))


@each_cell
def test_a_padded_batch_is_each_sequence_alone_where_tokens_are_all_there_is(cell):
    check_alone(network(cell=cell, bidirectional=True, numbers=0, tokens={"w": 6}))


@each_cell
@each_direction
def test_a_small_vocabulary_gives_what_a_large_one_gives(cell, bidirectional, monkeypatch):
    """The weights are multiplied with the table in the one case, with every step's vector in the other."""
    options = {"cell": cell, "bidirectional": bidirectional, "numbers": 0, "tokens": {"w": 6}, "recurrent_dropout": 0.3}
    small = network(**options)
    batch = random_batch(small, RAGGED)
    results = [small.outputs(batch), *small.gradient(batch)]
    monkeypatch.setattr(model, "TABLE_PRODUCT_TOKENS", 0)
    large = network(**options)
    for one, other in zip(results, [large.outputs(batch), *large.gradient(batch)], strict=True):
        np.testing.assert_allclose(one, other, **EXACT)


def test_a_residual_output_adds_what_went_in():
    check_alone(network("number", outputs=3, residual=True))
    residual, plain = (network("number", outputs=3, residual=flag) for flag in (True, False))
    batch = random_batch(residual, RAGGED)
    added = batch.numbers.reshape(-1, 3)[batch.counted]
    np.testing.assert_allclose(residual.outputs(batch), plain.outputs(batch) + added, **EXACT)


@pytest.mark.parametrize(("kind", "distance"), [("number", "squared"), ("number", "huber"), ("set", "squared")])
def test_a_padded_batch_is_each_sequence_alone_for_each_kind_of_target(kind, distance):
    check_alone(network(kind, loss={"distance": distance}, layers=[5], initial_state="zeros"))


@each_cell
@each_end
def test_a_padded_batch_is_each_sequence_alone_under_its_recurrent_mask(cell, per, pool):
    """The first row of any batch has the same mask, as the seeds are the same: each sequence has its turn there."""
    masked = network(cell=cell, per=per, pool=pool, bidirectional=True, recurrent_dropout=0.4)
    batch = random_batch(masked, RAGGED)
    for column in range(len(RAGGED)):
        others = [other for other in range(len(RAGGED)) if other != column]
        rotated, _ = members(masked, batch, [column, *others])
        counted = replace(rotated, weight=rotated.weight * (rotated.counted_sequences == 0))
        loss, gradient = masked.gradient(counted)
        alone, gradient_alone = masked.gradient(members(masked, batch, [column])[0])
        np.testing.assert_allclose(alone, loss, **EXACT)
        np.testing.assert_allclose(gradient_alone, gradient, **EXACT)
    assert not np.isclose(masked.gradient(batch)[0], masked.loss(batch))


@each_cell
def test_windows_with_carried_state_are_the_whole_sequence(cell):
    """The batches of a data set, read as parallel streams, give the outputs of every sequence in one piece."""
    streaming = network("number", cell=cell, numbers=1, outputs=1)
    rng = np.random.default_rng(2)
    values = [rng.normal(size=(steps, 1)).astype(np.float32) for steps in (23, 9, 30, 1)]
    sequences = [Encoded(k, f"row {k}", len(x), x, {}, np.zeros_like(x)) for k, x in enumerate(values)]
    dataset = Dataset(sequences, number_schema())

    def outputs(batches):
        found, state, previous = [np.zeros(len(x)) for x in values], None, None
        for batch in batches.epoch(0):
            output, state = streaming.predictor(batch, previous)
            previous = state
            steps, columns = np.divmod(batch.counted, len(batch.lengths))
            for row, (step, column) in enumerate(zip(steps, columns, strict=True)):
                found[batch.sequences[column]][batch.starts[column] + step] = output[row, 0]
        return np.concatenate(found)

    whole = outputs(Batches(dataset, batch_size=4))
    # One stream, so that every window but the first of a sequence continues from the previous one.
    np.testing.assert_allclose(outputs(Batches(dataset, batch_size=1, window=4, carry_state=True)), whole, **EXACT)
    apart = outputs(Batches(dataset, batch_size=1, window=4))
    assert not np.allclose(apart, whole)


@pytest.mark.parametrize("dropout", [0.0, 0.3])
def test_accumulated_batches_are_one_large_batch(dropout):
    accumulating = network(tokens={"w": 6}, dropout=dropout)
    batch = random_batch(accumulating, [5, 5, 4, 3, 3, 2])
    parts = [members(accumulating, batch, columns)[0] for columns in ([0, 1], [2, 3], [4, 5])]
    divisor = float(batch.weight.sum())
    loss, together = accumulating.gradient(batch, divisor=divisor)
    accumulated = [accumulating.gradient(part, divisor=divisor, part=number) for number, part in enumerate(parts)]
    if dropout:  # every part has masks of its own
        assert not np.allclose(accumulated[-1][1], together)
    else:
        np.testing.assert_allclose(sum(loss for loss, _ in accumulated), loss, **EXACT)
        np.testing.assert_allclose(accumulated[-1][1], together, **EXACT)


@pytest.mark.parametrize("normalize", ["step", "sequence"])
def test_accumulate_trains_as_larger_batches_do(tmp_path, normalize):
    rng = np.random.default_rng(3)
    lengths = [7, 3, 5, 1, 6, 2, 4, 4]
    rows = [{"x": rng.normal(size=steps).tolist(), "y": list("ab" * steps)[:steps]} for steps in lengths]
    write_jsonl(tmp_path / "train.jsonl", rows)
    sections = {"model": {"layers": [3], "dropout": 0.0}, "precision": "float64", "loss": {"normalize": normalize}}
    sections |= {"optimizer": {"name": "sgd", "learning_rate": 0.5}}

    def weights(**options):
        train = {"epochs": 2, "bucket": False, **options}
        settings = data_config(tmp_path, {**sections, "train": train}, train="train.jsonl", inputs=["x"], target="y")
        job = build_job(open_data(settings))
        steps = sum(isinstance(event, StepDone) for event in train_loop(job))
        return steps, job.trainer.model.parameters.flat.get_value()

    (small, accumulated), (large, together) = weights(batch_size=2, accumulate=2), weights(batch_size=4)
    assert small == large == 4
    np.testing.assert_allclose(accumulated, together, **EXACT)


def test_the_order_of_sequences_in_a_batch_means_nothing():
    unordered = network(bidirectional=True, tokens={"w": 6})
    batch = random_batch(unordered, RAGGED)
    shuffled, mine = members(unordered, batch, [3, 1, 0, 2])
    np.testing.assert_allclose(unordered.outputs(shuffled), unordered.outputs(batch)[mine], **EXACT)
