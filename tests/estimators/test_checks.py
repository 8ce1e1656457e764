"""scikit-learn's own checks of estimators, on tables, whose columns are steps."""

import pytest

pytest.importorskip("sklearn", reason="scikit-learn is not installed")

from sklearn.utils.estimator_checks import parametrize_with_checks

import lstm_cli

SMALL = {"layers": [8], "dropout": 0.0, "learning_rate": 0.03, "batch_size": 8, "threads": 1, "random_state": 0}
#: What cannot hold, and why.
EXPECTED = {
    "check_sample_weight_equivalence_on_dense_data": "batches, and what is held out, depend on the number of sequences",
}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:invalid value encountered in cast:RuntimeWarning")  # scikit-learn's, on nan in y
@parametrize_with_checks(
    [lstm_cli.SequenceClassifier(epochs=8, **SMALL), lstm_cli.SequenceRegressor(epochs=60, **SMALL)],
    expected_failed_checks=lambda estimator: EXPECTED,
)
def test_check(estimator, check):
    check(estimator)
