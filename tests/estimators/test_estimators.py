"""Estimators of scikit-learn: sequences of any lengths in, and what its tools do with them."""

import pickle
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("sklearn", reason="scikit-learn is not installed")

from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_val_predict, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

import lstm_cli
from lstm_cli.errors import ConfigError
from tests.support.data import write_jsonl

SMALL = {"layers": [6], "dropout": 0.0, "learning_rate": 0.03, "batch_size": 8, "threads": 1, "random_state": 1}


def waves(count=36, seed=0):
    """Sequences of two numbers a step, of different lengths, with labels that they show, and a sum."""
    rng = np.random.default_rng(seed)
    labels = np.array(["low", "mid", "high"])[np.arange(count) % 3]
    heights = {"low": -2, "mid": 0, "high": 2}
    X = [rng.normal(size=(3 + 5 * k % 7, 2)) * 0.3 + heights[label] for k, label in enumerate(labels)]
    return X, labels, np.array([x.mean() for x in X])


def classifier(**changes):
    return lstm_cli.SequenceClassifier(**{**SMALL, "epochs": 8, **changes})


def regressor(**changes):
    return lstm_cli.SequenceRegressor(**{**SMALL, "epochs": 8, **changes})


@pytest.fixture(scope="module")
def fitted():
    X, labels, _ = waves()
    return classifier().fit(X, labels)


def test_labels_and_probabilities(fitted):
    X, labels, _ = waves(seed=1)
    shares = fitted.predict_proba(X)
    assert fitted.classes_.tolist() == ["high", "low", "mid"] and fitted.n_features_in_ == 2
    np.testing.assert_allclose(shares.sum(axis=1), 1, atol=1e-6)
    assert (fitted.predict(X) == fitted.classes_[shares.argmax(axis=1)]).all()
    assert fitted.score(X, labels) > 0.9
    assert fitted.scores_["valid"].keys() == {"loss", "accuracy", "macro_f1"}


def test_the_network_is_that_of_the_command(fitted, tmp_path):
    """The same data and keys in files give the same probabilities, bit for bit."""
    X, labels, _ = waves()
    codes = np.unique(labels, return_inverse=True)[1]
    rows = [{"x": x.tolist(), "y": int(code)} for x, code in zip(X, codes, strict=True)]
    write_jsonl(tmp_path / "train.jsonl", rows)
    config = {
        "seed": fitted.run_.config.seed,
        "threads": 1,
        "data": {"train": str(tmp_path / "train.jsonl"), "inputs": ["x"],
                 "target": {"column": "y", "kind": "category", "per": "sequence"}},
        "model": {"layers": [6], "dropout": 0.0},
        "optimizer": {"name": "adam", "learning_rate": 0.03},
        "train": {"epochs": 8, "batch_size": 8},
    }  # fmt: skip
    result = lstm_cli.train(config, run=tmp_path / "run", verbosity=-1)
    assert dict(result.scores) == fitted.scores_
    for row, own in zip(
        lstm_cli.load(result.folder).predict(rows, probabilities=True), fitted.predict_proba(X), strict=True
    ):
        assert list(row["probabilities"].values()) == own[[int(label) for label in row["probabilities"]]].tolist()


def test_a_pickled_one_and_a_saved_one_predict_the_same(fitted, tmp_path):
    X, _, _ = waves()
    content = pickle.dumps(fitted)
    again = pickle.loads(content)
    np.testing.assert_array_equal(again.predict_proba(X), fitted.predict_proba(X))
    assert pickle.loads(pickle.dumps(again)).predict(X[:2]).tolist() == fitted.predict(X[:2]).tolist()
    fitted.save_run(tmp_path / "run")
    with pytest.raises(ConfigError, match="run: is there already: choose another folder"):
        fitted.save_run(tmp_path / "run")
    (row,) = lstm_cli.load(tmp_path / "run").predict([{"x": X[0]}], probabilities=True)
    assert list(row["probabilities"].values()) == fitted.predict_proba(X[:1])[0].tolist()
    assert fitted.run_.hidden([{"x": X[0]}])[0]["hidden"].shape == (len(X[0]), 6)


def test_a_clone_trains_alike_and_no_folder_is_left(fitted, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    X, labels, _ = waves()
    again = clone(fitted)
    assert not hasattr(again, "classes_") and again.get_params() == fitted.get_params()
    np.testing.assert_array_equal(again.fit(X, labels).predict_proba(X), fitted.predict_proba(X))
    assert [path for path in tmp_path.iterdir() if path.name.startswith("lstm-cli-")] == []


def test_numbers_and_several_of_them():
    X, _, means = waves()
    model = regressor(epochs=15).fit(X, means)
    assert model.predict(X).shape == (36,) and model.score(X, means) > 0.9
    both = np.stack([means, -100 * means], axis=1)
    model = regressor(cell="gru", epochs=15).fit(X, both)
    assert model.predict(X).shape == (36, 2) and model.score(X, both) > 0.9
    assert model.run_.config.model.cell == "gru"


def test_tables_and_arrays_are_sequences(fitted):
    """A column is a step of one number; (N, T, I) is a list of sequences of one length; so are objects of them."""
    rng = np.random.default_rng(2)
    table, y = rng.normal(size=(20, 4)), np.arange(20) % 2
    table[y == 1] += 2
    model = classifier(epochs=2).fit(table, y)
    expected = model.predict_proba(table)
    assert model.n_features_in_ == 4
    for same in (table.tolist(), table[:, :, np.newaxis], list(table[:, :, np.newaxis])):
        np.testing.assert_array_equal(model.predict_proba(same), expected)
    others = [table[:, :, np.newaxis], np.array([*table, np.zeros(3)], dtype=object)[:20]]
    for same in others:
        found = classifier(epochs=2).fit(same, y)
        np.testing.assert_array_equal(found.predict_proba(table), expected)
        assert found.n_features_in_ == 1
    frame = pd.DataFrame(table, columns=list("abcd"))
    named = classifier(epochs=2).fit(frame, y)
    assert named.feature_names_in_.tolist() == list("abcd")
    with pytest.raises(ValueError, match="Feature names unseen at fit time"):
        named.predict(frame.rename(columns={"d": "e"}))
    with pytest.raises(ValueError, match="X has 3 features, but SequenceClassifier is expecting 4"):
        model.predict(table[:, :3])
    assert model.predict([table[0, :3], table[1]]).shape == (2,)  # sequences of other lengths are no table


def test_one_step_each():
    X, y = [np.full((1, 2), k % 2) for k in range(20)], np.arange(20) % 2
    assert classifier(epochs=12).fit(X, y).score(X, y) == 1


def test_tokens():
    words = [["to", "be"], ["or", "not", "to"], ["be"]] * 8
    y = np.array(["short", "long", "short"] * 8)
    model = classifier(epochs=12, config={"model": {"embedding": 4}}).fit(words, y)
    assert model.score(words, y) == 1 and model.predict([["unknown"]]).shape == (1,)
    with pytest.raises(ValueError, match="X has 2 numbers at each step, but SequenceClassifier is expecting a token"):
        model.predict([np.zeros((3, 2))])


def test_weights_and_classes_weigh_the_loss():
    """Of equal sequences with two labels the heavier one wins."""
    X, y = [np.zeros((2, 1))] * 20, np.arange(20) % 2
    assert set(classifier(epochs=6).fit(X, y, sample_weight=1 + 4 * y).predict(X)) == {1}
    assert set(classifier(epochs=6, class_weight={0: 5}).fit(X, y).predict(X)) == {0}
    with pytest.raises(ValueError, match="class_weight: 7 is no class of y"):
        classifier(class_weight={7: 2}).fit(X, y)


def test_pipelines_and_searches():
    X, labels, means = waves()
    scaled = make_pipeline(FunctionTransformer(lambda X: [x * 10 for x in X]), classifier(epochs=1))
    assert cross_val_score(scaled, X, labels, cv=2).shape == (2,)
    search = GridSearchCV(regressor(epochs=1), {"cell": ["rnn", "gru"], "layers": [[4]]}, cv=2).fit(X, means)
    assert search.best_estimator_.run_.config.model.layers[0].size == 4
    table = np.array([x[:3, 0] for x in X])
    assert cross_val_predict(make_pipeline(StandardScaler(), classifier(epochs=1)), table, labels, cv=2).shape == (36,)


@pytest.mark.slow
def test_fits_run_side_by_side():
    X, labels, _ = waves()
    one = cross_val_score(classifier(epochs=3), X, labels, cv=2)
    np.testing.assert_array_equal(cross_val_score(classifier(epochs=3), X, labels, cv=2, n_jobs=2), one)


def test_a_run_can_be_kept(tmp_path):
    X, labels, _ = waves()
    model = classifier(epochs=1, run=tmp_path / "run").fit(X, labels)
    assert (tmp_path / "run" / "report.html").exists()
    row = lstm_cli.load(tmp_path / "run").predict([{"x": X[0]}], probabilities=True)[0]
    assert list(row["probabilities"].values()) == model.predict_proba(X[:1])[0].tolist()
    with pytest.raises(ConfigError, match="--overwrite"):
        model.fit(X, labels)


@pytest.mark.parametrize(
    ("X", "message"),
    [
        ([np.zeros((3, 2)), np.zeros((2, 3))] * 5, "sequence 1 has 3 numbers at each step, sequence 0 2 numbers"),
        ([np.zeros((3, 2)), np.zeros((0, 2))] * 5, "sequence 1 has no steps: leave it out"),
        ([np.zeros((3, 2)), np.full((3, 2), np.nan)] * 5, "Input sequence 1 contains NaN"),
        ([np.zeros((3, 2)), np.zeros((3, 2, 2))] * 5, r"sequence 1: expected numbers \(steps, inputs\)"),
        (np.zeros((10, 2, 2)) * 1j, "Complex data not supported"),
        (["some", "text"] * 5, "sequence 0 is a text: give a list of tokens"),
    ],
)  # fmt: skip
def test_what_is_no_sequence_is_named(X, message):
    with pytest.raises(ValueError, match=message):
        classifier().fit(X, np.arange(10) % 2)


def test_parameters_are_checked_as_keys_of_a_config():
    X, labels, _ = waves()
    with pytest.raises(ConfigError, match=r"model.cell: got 'lstmm', expected one of .*did you mean lstm"):
        classifier(cell="lstmm").fit(X, labels)
    with pytest.raises(ConfigError, match=r"train.epoch: unknown key \(did you mean epochs\?\)"):
        classifier(config={"train": {"epoch": 3}}).fit(X, labels)
    with pytest.raises(ValueError, match=r"config: data.train is set by the estimator: leave it out"):
        classifier(config={"data": {"train": "x.csv"}}).fit(X, labels)


def test_without_scikit_learn_the_message_says_so():
    script = """if True:
        import sys
        sys.modules["sklearn"] = None
        import lstm_cli
        try:
            lstm_cli.SequenceClassifier
        except ImportError as error:
            print(error)
    """
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip().endswith("are estimators of scikit-learn: pip install 'lstm-cli[sklearn]'")
    assert "SequenceClassifier" not in lstm_cli.__all__  # which `from lstm_cli import *` imports
