"""Numbers for each sequence.

Legend: N sequences, T steps, I numbers per step, D numbers of the target.
"""

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import RegressorMixin
from sklearn.utils.validation import check_array, check_consistent_length

from lstm_cli.estimators.base import SequenceEstimator
from lstm_cli.estimators.sequences import sequences_of


class SequenceRegressor(RegressorMixin, SequenceEstimator):  # type: ignore[misc]
    """A recurrent network that gives each sequence a number, or several, as an estimator of scikit-learn.

    X is as for `SequenceClassifier`.

    Parameters
    ----------
    cell, layers, bidirectional, dropout, pool : optional
        The network: keys of the config's section `model`. None stands for the trainer's default, here and below.
    optimizer, learning_rate : optional
        Its name, and its learning rate.
    epochs, batch_size, patience : optional
        Keys of the section `train`.
    valid : optional
        The share or number of sequences to hold out, by whose loss the best weights are chosen: `data.valid`.
    config : mapping, optional
        Any other keys of a config, by section, such as ``{"model": {"recurrent_dropout": 0.1}}``; they win.
    run : str or Path, optional
        A new folder, in which the run is kept with its report; None: none is left.
    threads : int, optional
        To compute with; 1 where scikit-learn runs several fits side by side (`n_jobs`).
    random_state : int, numpy.random.RandomState or None
        Seed of the weights, the order of sequences, dropout, and of what is held out.
    verbose : int
        What is shown on stderr: 0 warnings only, 1 progress, 2 more.

    Attributes
    ----------
    n_features_in_ : int
        The columns of a table, or else I.
    run_ : lstm_cli.predict.Run
        The trained run, with all that it can do, such as `hidden`.
    scores_ : dict
        Scores of the best weights, by split.

    Examples
    --------
    >>> model = lstm_cli.SequenceRegressor(cell="gru", layers=[32], random_state=1).fit(sequences, totals)
    >>> model.score(others, their_totals)
    0.97
    """

    _kind = "number"

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train on sequences with their numbers (N,) or (N, D) and, if given, weights of the loss (N,)."""
        sequences = sequences_of(self, X, fitting=True)
        if y is None:
            raise ValueError("SequenceRegressor requires y to be passed, but the target y is None")
        y = check_array(y, ensure_2d=False, dtype=np.float64, input_name="y", estimator=self)
        check_consistent_length(sequences, y)
        self._shape = y.shape[1:]
        return self._fit(sequences, y, sample_weight)

    def predict(self, X: Any) -> NDArray[np.float64]:
        """Return the numbers of each sequence, (N,) or (N, D) as `y` was."""
        rows = self.run_.predict(self._sequences(X))
        return np.array([row["prediction"] for row in rows], np.float64).reshape(-1, *self._shape)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags

    def _loss(self) -> dict[str, Any]:
        return {}
