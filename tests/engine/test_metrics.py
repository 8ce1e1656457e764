import itertools
import math
import warnings
from statistics import NormalDist
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as reference

from lstm_cli.config.train import METRICS, PER_COLUMN
from lstm_cli.data.schema.heads import GAUSSIAN, VALUES, Head
from lstm_cli.engine.metrics import Numbers, accumulator, direction, improves, scores_of
from lstm_cli.engine.sets import Sets


def empty(kind, size=3, is_next=False, head=VALUES, columns=None):
    columns = columns or ("x",) * size
    return accumulator(SimpleNamespace(kind=kind, size=size, is_next=is_next, output_columns=columns, head=head))


def fed(collector, *arrays, cuts=()):
    """The collector after it has seen the arrays, cut into pieces at the given rows."""
    edges = [0, *sorted(cuts), len(arrays[0])]
    for start, stop in itertools.pairwise(edges):
        collector.update(*(array[start:stop] for array in arrays))
    return collector


def scores(collector, *arrays, cuts=()):
    return fed(collector, *arrays, cuts=cuts).result()


def one_hot(labels, size):
    return np.eye(size, dtype=np.float32)[labels]


CATEGORY_CASES = {
    "ordinary": ([0, 1, 2, 1, 0, 2, 2], [0, 2, 2, 1, 1, 2, 0]),
    "one class": ([0, 0, 0], [0, 0, 0]),
    "one class missed": ([1, 1], [0, 0]),
    "an unused label": ([0, 0, 2], [0, 2, 2]),
    "single row": ([2], [2]),
    "single row missed": ([2], [1]),
    "unknown label": ([0, -1, 1, -1], [0, 1, 1, 0]),
    "only unknown labels": ([-1, -1], [0, 1]),
}


@pytest.mark.parametrize(("truth", "predicted"), CATEGORY_CASES.values(), ids=CATEGORY_CASES)
def test_categories_equal_scikit_learn(truth, predicted):
    result = scores(empty("category"), one_hot(predicted, 3), np.array(truth))
    assert result["accuracy"] == pytest.approx(reference.accuracy_score(truth, predicted), abs=1e-12)
    assert result["macro_f1"] == pytest.approx(reference.f1_score(truth, predicted, average="macro"), abs=1e-12)
    assert result.get("unknown_labels", 0) == truth.count(-1)


def test_perplexity_and_bits_of_even_odds():
    result = scores(empty("category", 8, is_next=True), np.full(5, math.log(8), np.float32), np.arange(5))
    assert result == {"perplexity": pytest.approx(8), "bits": pytest.approx(3)}


def test_perplexity_leaves_unknown_symbols_out_and_counts_them():
    losses, truth = np.array([math.log(2), 50.0, math.log(8)]), np.array([0, -1, 3])
    result = scores(empty("category", 8, is_next=True), losses, truth)
    assert result == {"perplexity": pytest.approx(4), "bits": pytest.approx(2), "unknown_labels": 1}
    nothing = {"perplexity": pytest.approx(math.nan, nan_ok=True), "bits": pytest.approx(math.nan, nan_ok=True)}
    assert scores(empty("category", 8, is_next=True), losses[1:2], truth[1:2]) == nothing | {"unknown_labels": 1}


def test_perplexity_of_a_hopeless_model_is_finite():
    result = scores(empty("category", 2, is_next=True), np.array([1e6]), np.array([1]))
    assert math.isfinite(result["perplexity"])


NUMBER_CASES = {
    "ordinary": (np.array([[1.0], [2.0], [4.0]]), np.array([[1.5], [1.0], [4.5]])),
    "two outputs": (np.array([[1.0, -3], [2, 5], [4, 0]]), np.array([[1.0, -1], [2.5, 4], [3, 0]])),
    "one output constant": (np.array([[0.1, 3], [0.1, 5], [0.1, 1]]), np.array([[0.1, 3], [0.1, 4], [0.1, 1]])),
    "one output constant, missed": (np.array([[7.0, 3], [7, 5], [7, 1]]), np.array([[7.5, 3], [7, 4], [7, 1]])),
}


@pytest.mark.parametrize(("truth", "predicted"), NUMBER_CASES.values(), ids=NUMBER_CASES)
def test_numbers_equal_scikit_learn(truth, predicted):
    result = scores(Numbers(["x"] * truth.shape[1]), predicted, truth)
    assert result["rmse"] == pytest.approx(math.sqrt(reference.mean_squared_error(truth, predicted)))
    assert result["mae"] == pytest.approx(reference.mean_absolute_error(truth, predicted))
    assert result["r2"] == pytest.approx(reference.r2_score(truth, predicted))


COLUMNS = ("load", "wind.speed", "load", "kW")


def test_several_columns_have_their_own_metrics_as_in_scikit_learn():
    draw = np.random.default_rng(5)
    truth = draw.normal(size=(40, 4)) * [1e6, 1e-4, 1e6, 3] + [5e6, 0, 1e6, -7]
    predicted = truth + draw.normal(size=(40, 4)) * [2e5, 1e-5, 3e5, 4]
    result = scores(Numbers(COLUMNS), predicted, truth, cuts=[7, 8, 30])
    assert tuple(result) == Numbers(COLUMNS).names
    assert list(result) == ["r2", *(f"{m}.{c}" for c in ("load", "wind.speed", "kW") for m in PER_COLUMN)]
    assert result["r2"] == pytest.approx(reference.r2_score(truth, predicted))
    for column in set(COLUMNS):
        own = [k for k, name in enumerate(COLUMNS) if name == column]
        pair = truth[:, own], predicted[:, own]
        assert result[f"rmse.{column}"] == pytest.approx(math.sqrt(reference.mean_squared_error(*pair)))
        assert result[f"mae.{column}"] == pytest.approx(reference.mean_absolute_error(*pair))
        assert result[f"r2.{column}"] == pytest.approx(reference.r2_score(*pair))


def test_the_direction_of_a_column_is_that_of_the_metric():
    assert [direction(f"{name}.wind.speed") for name in PER_COLUMN] == [METRICS[name] for name in PER_COLUMN]
    assert improves("rmse.load", 0.9, 1.0)
    assert not improves("r2.load", 0.9, 1.0)


def test_scores_are_told_from_the_other_values_of_an_evaluation():
    entry = {
        "step": 3,
        "split": "valid",
        "loss": 1.0,
        "rmse.step": 2.0,
        "r2": None,
        "seconds": 4.0,
        "unknown_labels": 1,
    }
    assert scores_of(entry) == {"loss": 1.0, "rmse.step": 2.0, "r2": None}


@pytest.mark.parametrize(("predicted", "r2"), [(3.0, 1.0), (3.5, 0.0)])
def test_r2_of_a_single_row_is_defined(predicted, r2):
    assert scores(Numbers(["x"]), np.array([predicted]), np.array([3.0]))["r2"] == r2


def test_constant_truth_that_rounds_is_still_constant():
    truth = np.full((3, 1), 0.1)
    assert np.square(truth - truth.mean()).sum() > 0  # what scikit-learn's formula would divide by
    assert scores(Numbers(["x"]), truth + 0.5, truth)["r2"] == 0


def test_numbers_keep_their_digits_far_from_zero():
    rng = np.random.default_rng(0)
    truth = rng.normal(size=(1000, 1))
    predicted = truth + rng.normal(scale=0.3, size=(1000, 1))
    near, far = (scores(Numbers(["x"]), predicted + by, truth + by, cuts=range(100, 1000, 100)) for by in (0, 2.0**27))
    assert far["r2"] == pytest.approx(near["r2"], abs=1e-6)


SET_CASES = {
    "ordinary": ([[1, 0, 1], [0, 1, 0]], [[1, 1, 0], [0, 1, 0]]),
    "empty predictions": ([[1, 0, 1], [0, 1, 0]], [[0, 0, 0], [0, 0, 0]]),
    "empty truth": ([[0, 0, 0]], [[0, 1, 0]]),
    "one empty row": ([[0, 0, 0], [1, 0, 0]], [[0, 0, 0], [1, 0, 0]]),
    "all right": ([[1, 1, 0]], [[1, 1, 0]]),
}


@pytest.mark.parametrize(("truth", "predicted"), SET_CASES.values(), ids=SET_CASES)
def test_sets_equal_scikit_learn(truth, predicted):
    truth, log_odds = np.array(truth), np.where(np.array(predicted), 1.5, -0.7)
    result = scores(Sets(), log_odds, truth)
    probability = 1 / (1 + np.exp(-log_odds))
    nats_per_label = reference.log_loss(truth.ravel(), probability.ravel(), labels=[0, 1])
    assert result["nll"] == pytest.approx(nats_per_label * truth.shape[1])
    assert result["micro_f1"] == pytest.approx(reference.f1_score(truth, predicted, average="micro", zero_division=0))
    assert result["frame_accuracy"] == pytest.approx(
        reference.jaccard_score(truth, predicted, average="micro", zero_division=0)
    )


def test_sets_with_nothing_to_find_score_zero_as_in_scikit_learn():
    result = scores(Sets(), np.full((2, 3), -1.0), np.zeros((2, 3)))
    assert (result["micro_f1"], result["frame_accuracy"]) == (0, 0)


def test_sets_survive_extreme_scores_without_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = scores(Sets(), np.array([[1e4, -1e4]], np.float32), np.array([[0, 1]]))
    assert result["nll"] == pytest.approx(2e4)


def test_labels_without_a_column_are_missed_labels():
    collector = Sets()
    collector.update(np.array([[2.0, -2.0]]), np.array([[1, 0]]), unknown=1)
    assert collector.result()["frame_accuracy"] == 0.5
    assert collector.result()["unknown_labels"] == 1


TASKS = [("category", False), ("category", True), ("number", False), ("set", True)]


@pytest.mark.parametrize(("kind", "is_next"), TASKS)
def test_no_rows_give_no_metrics(kind, is_next):
    assert empty(kind, 2, is_next).result() == {}


def table(kind, is_next, rows, rng):
    """Random values and truth of a task with three outputs."""
    values = rng.normal(1e3 if kind == "number" else 0, 1, (rows, 3))
    if kind == "category":
        return np.abs(values[:, 0]) if is_next else values.astype(np.float32), rng.integers(-1, 3, rows)
    return values, rng.normal(1e3, 1, (rows, 3)) if kind == "number" else rng.integers(0, 2, (rows, 3))


@pytest.mark.parametrize(("kind", "is_next"), TASKS)
@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_pieces_do_not_matter(kind, is_next, data):
    rows = data.draw(st.integers(1, 40))
    cuts = data.draw(st.lists(st.integers(0, rows), max_size=6))
    arrays = table(kind, is_next, rows, np.random.default_rng(data.draw(st.integers(0, 100))))
    whole, pieces = (scores(empty(kind, 3, is_next), *arrays, cuts=c) for c in ((), cuts))
    assert pieces == pytest.approx(whole, rel=1e-10, nan_ok=True)


@pytest.mark.parametrize(("kind", "is_next"), TASKS)
def test_every_metric_has_a_direction(kind, is_next):
    values, truth = table(kind, is_next, 4, np.random.default_rng(0))
    result = scores(empty(kind, 3, is_next), values, np.abs(truth))
    assert tuple(result) == empty(kind, 3, is_next).names
    assert set(result) <= set(METRICS)


def test_every_metric_of_the_grammar_is_that_of_a_task():
    names = {name for kind, is_next in TASKS for name in empty(kind, 3, is_next).names}
    names |= {name for head in (GAUSSIAN, Head((0.1, 0.5))) for name in empty("number", 3, head=head).names}
    assert names | {"loss"} == set(METRICS)


@pytest.mark.parametrize("columns", [("x", "x"), ("x", "y")], ids="".join)
@pytest.mark.parametrize("head", [Head((0.2, 0.5, 0.9)), Head((0.5,)), GAUSSIAN], ids=str)
def test_the_metrics_of_a_spread(head, columns):
    """Pinball losses are scikit-learn's; whatever the pieces."""
    rng = np.random.default_rng(0)
    curves = np.cumsum(rng.uniform(0.5, 1, size=(head.curves, 50, 2)), axis=0)
    truth = rng.normal(1, 1, size=(50, 2))
    collector = empty("number", 2, head=head, columns=columns)
    for part in (slice(0, 0), slice(0, 7), slice(7, 50)):
        collector.update(curves[:, part], truth[part])
    found, metric = collector.result(), "nll" if head.gaussian else "pinball"
    assert found.keys() == set(collector.names)
    points = scores(empty("number", 2, columns=columns), curves[head.middle], truth)
    assert {name: found[name] for name in points} == pytest.approx(points)
    own = {"x": [0, 1]} if len(set(columns)) == 1 else {"x": [0], "y": [1]}
    for column, places in own.items():
        y, q = truth[:, places].ravel(), curves[:, :, places].reshape(head.curves, -1)
        low, high, expected = q[0], q[-1], None
        if head.gaussian:
            low, high = (q[0] + sign * 1.6448536 * (q[1] - q[0]) for sign in (-1, 1))
            expected = -np.mean([math.log(NormalDist(m, a - m).pdf(one)) for one, m, a in zip(y, *q, strict=True)])
        else:
            losses = [reference.mean_pinball_loss(y, q[k], alpha=level) for k, level in enumerate(head.levels)]
            expected = np.mean(losses)
        suffix = f".{column}" if len(own) > 1 else ""
        assert found[f"{metric}{suffix}"] == pytest.approx(expected)
        if head.level is not None:
            assert found[f"coverage{suffix}"] == pytest.approx(((low <= y) & (y <= high)).mean())


def test_improvement_follows_the_direction():
    assert improves("loss", 1.0, None)
    assert improves("loss", 0.9, 1.0)
    assert not improves("loss", 1.0, 1.0)
    assert improves("accuracy", 0.9, 0.8)
    assert not improves("accuracy", 0.7, 0.8)
