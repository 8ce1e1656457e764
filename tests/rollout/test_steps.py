"""Closed loops, a step of training at a time: what is fed back and what is counted, the loss and its gradient."""

import json
import tempfile

import numpy as np
import pytest

from lstm_cli.config import load_config
from lstm_cli.config.rollout import TeacherForcing
from lstm_cli.data import evaluation_batches, open_data
from lstm_cli.engine.forcing import forced_steps, probability
from lstm_cli.graph.rollout import ClosedLoop
from lstm_cli.kernels.runtime.threads import set_threads
from tests.support import reference
from tests.support.worlds import ALONE, CLOSED, cart_step, randomized_job, raw_sequences, world_config, write_world


def loss_in_numpy(job, rows, *, elements, scale=(0.0, 1.0)):
    """The loss of one row of the data after the other, in plain numpy: the mean over all the steps that count."""
    values = {name: v.astype(np.float64) for name, v in job.trainer.model.parameters.values().items()}
    total, count = 0.0, 0
    center, spread = scale
    for row in rows:
        start, goal = np.atleast_2d(row["start"]), np.atleast_2d(row["goal"])
        turns = len(goal) if len(goal) > 1 else job.config.rollout.steps
        states = [[values[f"layers.{k}.initial"][None, :units], values[f"layers.{k}.initial"][None, units:]]
                  for k, units in enumerate((5, 4))]  # fmt: skip
        state = None
        for t in range(len(start) + turns - 1):
            state = start[t : t + 1] if t < len(start) else state
            x = (state - center) / spread
            for k in range(2):
                W, b = values[f"layers.{k}.W"], values[f"layers.{k}.b"]
                states[k] = reference.lstm_step(x, states[k], states[k][0], W, b, np.tanh)
                x = states[k][0]
            state = cart_step(state, x @ values["output.W"].T + values["output.b"])
            turn = t - (len(start) - 1)
            if turn >= 0:
                wanted = goal[min(turn, len(goal) - 1)]
                error = (state[0, elements] - wanted) / (spread[elements] if np.ndim(spread) else 1.0)
                total, count = total + np.mean(error**2), count + 1
    return total / count


@pytest.mark.parametrize("scale", ["none", "standard"])
def test_the_loss_is_that_of_the_loop_in_numpy_in_the_systems_own_units(world, scale):
    job = randomized_job(world_config(world, precision="float64", data={"scale": scale}))
    (batch, *_) = evaluation_batches(job.config, job.batches.dataset).epoch(0)
    loss, _, _ = job.evaluator(batch, None)
    dataset = job.batches.dataset
    rows = raw_sequences(world, [dataset.ids[k] for k in batch.sequences])
    scaling = dataset.schema.scaling["start"]
    assert (scale == "none") == bool((scaling.spread == 1).all())
    expected = loss_in_numpy(job, rows, elements=[0, 1], scale=(scaling.center, scaling.spread))
    assert loss / batch.loss_divisor == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(
    "changes",
    [
        {"base": CLOSED, "rollout": {"loss_at": [0, 0, 0, 0, 1, 2.5], "warmup": 1}},
        {"base": CLOSED, "rollout": {"loss_on": None, "loss_at": "last"}},
        {"base": ALONE, "rollout": {"teacher_forcing": {"name": "exponential", "start": 0.5}}},
        {"base": ALONE, "rollout": {"steps": None, "teacher_forcing": 0.25}},
    ],
)
def test_a_config_that_is_written_reads_back_equal(world, tmp_path, changes):
    given = world_config(world, **changes)
    (tmp_path / "resolved.yaml").write_text(given.to_yaml())
    again = load_config(tmp_path / "resolved.yaml")
    assert again == given and again.to_yaml() == given.to_yaml()


def test_scale_is_none_unless_the_config_says_otherwise(world):
    assert world_config(world).data.scale == "none"
    assert world_config(world, data={"scale": "standard"}).data.scale == "standard"
    assert world_config(world, ALONE).data.scale == "standard"


@pytest.mark.parametrize("at", ["every", "last", [0, 0, 2.0, 0, 0, 1.0]])
def test_the_steps_that_count_and_how_much(world, at):
    job = randomized_job(world_config(world, rollout={"loss_at": at}))
    (batch, *_) = evaluation_batches(job.config, job.batches.dataset).epoch(0)
    time, column = np.divmod(batch.counted, len(batch.lengths))
    turn = time - (batch.observed[column] - 1)
    assert (turn >= 0).all() and (time < batch.lengths[column]).all()
    if at == "every":
        assert len(batch.counted) == (batch.lengths - batch.observed + 1).sum() and (batch.weight == 1).all()
    elif at == "last":
        assert sorted(column) == list(range(len(batch.lengths))) and (time == batch.lengths[column] - 1).all()
    else:
        assert set(turn) <= {2, 5} and (batch.weight == np.where(turn == 2, 2, 1)).all()
        assert batch.loss_divisor == batch.weight.sum()


@pytest.mark.parametrize("system", ["cart", "linear_algebra"])
def test_a_gradient_of_the_whole_step_is_a_slope(world, system):
    job = randomized_job(world_config(world, precision="float64", rollout={"dynamics": f"cart.py:{system}"}))
    trainer, batch = job.trainer, job.batches.largest()
    flat = trainer.model.parameters.flat
    assert isinstance(trainer.model, ClosedLoop)

    def loss(values):
        flat.set_value(values)
        return trainer.backpropagate(batch, None, divisor=batch.loss_divisor, seed=1, step=0)[0]

    start = flat.get_value()
    loss(start)
    gradient, along = trainer.gradient.get_value(), np.random.default_rng(0).normal(size=start.shape)
    slope = (loss(start + 1e-6 * along) - loss(start - 1e-6 * along)) / 2e-6
    assert gradient @ along == pytest.approx(slope, rel=1e-6)


def test_a_system_may_be_an_object(world):
    job = randomized_job(world_config(world, rollout={"dynamics": "cart.py:winch"}))
    batch = job.batches.largest()
    loss, _ = job.trainer.backpropagate(batch, None, divisor=batch.loss_divisor, seed=1, step=0)
    assert np.isfinite(loss) and job.trainer.gradient_norm() > 0


def test_a_system_may_have_ops_without_numba(world):
    job = randomized_job(world_config(world, rollout={"dynamics": "cart.py:clipped"}, model={"initial_state": "zeros"}))
    plain = randomized_job(world_config(world, model={"initial_state": "zeros"}))
    batch = job.batches.largest()
    losses = [j.trainer.backpropagate(batch, None, divisor=batch.loss_divisor, seed=1, step=0)[0] for j in (job, plain)]
    assert losses[0] == pytest.approx(losses[1], rel=1e-6)
    assert 0 < job.trainer.gradient_norm() < 1e-3 * plain.trainer.gradient_norm()


@pytest.mark.parametrize("base", [CLOSED, ALONE], ids=["system", "alone"])
def test_threads_change_nothing(world, base):
    """So large a network is cut into shards of rows."""
    job = randomized_job(world_config(world, base, model={"layers": [96, 80]}, train={"batch_size": 16}))
    batch, results = job.batches.largest(), []
    for threads in (1, 2):
        set_threads(threads)
        loss, _ = job.trainer.backpropagate(batch, None, divisor=batch.loss_divisor, seed=1, step=0)
        results.append((loss, job.trainer.gradient.get_value()))
    set_threads(1)
    assert results[0][0] == results[1][0]
    np.testing.assert_allclose(results[0][1], results[1][1], rtol=1e-4, atol=1e-6)


def test_dropout_draws_the_same_masks_for_the_same_step(world):
    given = world_config(
        world, model={"dropout": 0.4, "recurrent_dropout": 0.3, "layers": [5, {"size": 4, "cell": "gru"}]}
    )
    trainer, batch = (job := randomized_job(given)).trainer, job.batches.largest()
    losses = [trainer.backpropagate(batch, None, divisor=1.0, seed=1, step=step)[0] for step in (0, 1, 0)]
    assert losses[0] == losses[2] != losses[1]


def test_inputs_that_the_loop_leaves_alone(world):
    given = world_config(world, data={"inputs": ["start", "wish"]}, precision="float64")
    job = randomized_job(given)
    (batch, *_) = evaluation_batches(given, job.batches.dataset).epoch(0)
    before, _, _ = job.evaluator(batch, None)
    batch.numbers[:, :, 3] += 1.0
    after, _, _ = job.evaluator(batch, None)
    assert batch.numbers.shape[2] == 4 and before != after


def test_a_goal_of_every_step_can_be_seen_by_the_network(world):
    given = world_config(world, data={"inputs": ["start", "goal"]})
    dataset = open_data(given).train
    sequence = next(s for s in dataset if len(np.atleast_2d(raw_sequences(world, [s.id])[0]["goal"])) > 1)
    goal = np.array(raw_sequences(world, [sequence.id])[0]["goal"], np.float32)
    seen = sequence.numbers[:, 3:]
    np.testing.assert_allclose(seen[sequence.observed - 1 :], goal, rtol=1e-6)
    np.testing.assert_allclose(seen[: sequence.observed], np.repeat(goal[:1], sequence.observed, axis=0), rtol=1e-6)


def test_the_last_observed_states_are_fed_where_warmup_says_how_many(world, tmp_path):
    rows = [{"id": str(k), "start": [[0.1, 0, 0], [0.2, 0, 0], [0.3, 0, 0]][: 2 + k % 2], "goal": [0, 0]}
            for k in range(8)]  # fmt: skip
    write_world(tmp_path)
    (tmp_path / "drives.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    dataset = open_data(world_config(tmp_path, rollout={"warmup": 2})).train
    assert set(dataset.observed) == {2} and set(dataset.lengths) == {7}
    fed = {tuple(s.numbers[:2, 0].round(3).tolist()) for s in dataset}
    assert fed == {tuple(np.float32(pair).tolist()) for pair in ((0.1, 0.2), (0.2, 0.3))}


def test_windows_of_a_series_are_warm_up_and_loop(world):
    given = world_config(world, ALONE)
    assert given.data.window == 3 + 5 - 1
    assert config_like(given).data.window == 7  # a resolved config says both, and loads again
    for batch in (job := randomized_job(given)).batches.epoch(0):
        time = batch.counted // len(batch.lengths)
        assert time.min() >= 2 and (batch.observed == 3).all() and len(batch.mask) <= 7
    assert not job.batches.carry_state and not job.valid.carry_state


def config_like(given):
    from lstm_cli.config import config_from_mapping

    return config_from_mapping(given.model_dump(mode="json"), given.source.folder)


def test_a_loop_alone_feeds_on_its_own_predictions(world):
    job = randomized_job(world_config(world, ALONE, model={"residual": True}, precision="float64"))
    (batch, *_) = job.valid.epoch(0)
    _, values, _ = job.evaluator(batch, None)
    model = job.trainer.model.parameters.values()
    times, columns = np.divmod(batch.counted, len(batch.lengths))
    for row in range(len(batch.lengths)):
        h, c = np.split(model["layers.0.initial"][None], 2, axis=1)
        found, x = [], None
        for t in range(batch.lengths[row]):
            x = batch.numbers[t, row][None].astype(np.float64) if t < 3 else x
            h, c = reference.lstm_step(x, [h, c], h, model["layers.0.W"], model["layers.0.b"], np.tanh)
            x = x + h @ model["output.W"].T + model["output.b"]
            found.append(x[0])
        own = columns == row
        np.testing.assert_allclose(values[own], np.reshape(found, (-1, 2))[times[own]], rtol=1e-9)


def test_teachers_force_as_often_as_the_schedule_says():
    linear = TeacherForcing(start=0.8, end=0.2, steps=10)
    assert [probability(linear, k) for k in (0, 5, 10, 99)] == pytest.approx([0.8, 0.5, 0.2, 0.2])
    falling = TeacherForcing(name="exponential", start=1.0, end=0.5, steps=10)
    assert [probability(falling, k) for k in (0, 10)] == pytest.approx([1.0, 0.5 + 0.5 / np.e])
    assert probability(TeacherForcing(name="constant", start=0.3), 7) == 0.3
    draws = forced_steps(linear, (200, 50), seed=1, step=5, part=0)
    assert draws.mean() == pytest.approx(0.5, abs=0.02)
    assert (draws == forced_steps(linear, (200, 50), seed=1, step=5, part=0)).all()
    assert (draws != forced_steps(linear, (200, 50), seed=1, step=6, part=0)).any()


def test_always_forced_is_the_open_loop(world):
    forced = randomized_job(world_config(world, ALONE, rollout={"teacher_forcing": {"name": "constant", "start": 1.0}}))
    free = randomized_job(world_config(world, ALONE, rollout={"teacher_forcing": None}))
    batch = forced.batches.largest()
    losses = [
        job.trainer.backpropagate(batch, None, divisor=batch.loss_divisor, seed=1, step=0)[0] for job in (forced, free)
    ]
    from lstm_cli.engine.predictor import Predictor

    open_loop, _ = Predictor(forced.trainer.model)(batch_without_loop(batch))
    expected = float(np.mean((open_loop - batch.target) ** 2))
    assert losses[0] == pytest.approx(expected, rel=1e-5)
    assert losses[1] != pytest.approx(expected, rel=1e-3)


def batch_without_loop(batch):
    from dataclasses import replace

    return replace(batch, observed=None)


def test_a_system_that_is_compiled_leaves_no_files_behind(world, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    randomized_job(world_config(world))
    assert tempfile.tempdir == str(tmp_path)
    assert list(tmp_path.iterdir()) == []
