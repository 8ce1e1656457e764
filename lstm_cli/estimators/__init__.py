"""Estimators of scikit-learn that are trained recurrent networks: of a label or of numbers for each sequence."""

try:
    import sklearn  # noqa: F401
except ImportError:
    raise ImportError(
        "SequenceClassifier and SequenceRegressor are estimators of scikit-learn: pip install 'lstm-cli[sklearn]'"
    ) from None

from lstm_cli.estimators.classifier import SequenceClassifier
from lstm_cli.estimators.regressor import SequenceRegressor

__all__ = ["SequenceClassifier", "SequenceRegressor"]
