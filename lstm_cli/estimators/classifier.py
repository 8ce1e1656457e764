"""A label for each sequence.

Legend: N sequences, T steps, I numbers per step, K classes.
"""

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_consistent_length, column_or_1d

from lstm_cli.estimators.base import SequenceEstimator
from lstm_cli.estimators.sequences import sequences_of


class SequenceClassifier(ClassifierMixin, SequenceEstimator):  # type: ignore[misc]
    """A recurrent network that gives each sequence a label, as an estimator of scikit-learn.

    X is a list of arrays (T, I), one for each sequence, of any numbers of steps T; of arrays (T,), with one number at
    each step; or of lists of strings, the tokens of a sequence. An array (N, T, I) has sequences of one length. A table
    (N, T), an array or a data frame, has one number at each step, and its columns are the steps.

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
    class_weight : mapping or "balanced", optional
        Factors of the loss by class: `loss.class_weight`.
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
    classes_ : array (K,)
    n_features_in_ : int
        The columns of a table, or else I.
    run_ : lstm_cli.predict.Run
        The trained run, with all that it can do, such as `hidden`.
    scores_ : dict
        Scores of the best weights, by split.

    Examples
    --------
    >>> model = lstm_cli.SequenceClassifier(layers=[32], random_state=1).fit(sequences, labels)
    >>> model.predict(sequences[:2])
    array(['wave', 'tap'], dtype='<U4')
    """

    _kind = "category"

    def __init__(
        self,
        *,
        cell: str | None = None,
        layers: Any = None,
        bidirectional: bool | None = None,
        dropout: float | None = None,
        pool: str | None = None,
        optimizer: str | None = None,
        learning_rate: float | None = None,
        epochs: int | None = None,
        batch_size: int | None = None,
        valid: Any = None,
        patience: int | None = None,
        class_weight: Any = None,
        config: Mapping[str, Any] | None = None,
        run: Any = None,
        threads: int | None = None,
        random_state: Any = None,
        verbose: int = 0,
    ) -> None:
        super().__init__(
            cell=cell, layers=layers, bidirectional=bidirectional, dropout=dropout, pool=pool, optimizer=optimizer,
            learning_rate=learning_rate, epochs=epochs, batch_size=batch_size, valid=valid, patience=patience,
            config=config, run=run, threads=threads, random_state=random_state, verbose=verbose,
        )  # fmt: skip
        self.class_weight = class_weight

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train on sequences with their labels (N,) and, if given, weights of the loss (N,)."""
        sequences = sequences_of(self, X, fitting=True)
        if y is None:
            raise ValueError("SequenceClassifier requires y to be passed, but the target y is None")
        y = column_or_1d(y, warn=True)
        check_consistent_length(sequences, y)
        check_classification_targets(y)
        self.classes_, codes = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError(f"y has one class, {self.classes_[0]!r}: a classifier needs at least two")
        return self._fit(sequences, codes.astype(np.int64), sample_weight)

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the most likely label of each sequence (N,)."""
        shares = self.predict_proba(X)
        labels: NDArray[Any] = self.classes_[shares.argmax(axis=1)]
        return labels

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Return the probability of each class (N, K), in the order of `classes_`."""
        rows = self.run_.predict(self._sequences(X), probabilities=True)
        found = np.zeros((len(rows), len(self.classes_)))
        for row, own in zip(rows, found, strict=True):
            for label, share in row["probabilities"].items():
                own[int(label)] = share  # a class of which all sequences were held out has none
        return found

    def _loss(self) -> dict[str, Any]:
        weights = self.class_weight
        if weights is None or isinstance(weights, str):
            return {} if weights is None else {"class_weight": weights}
        codes = {label: code for code, label in enumerate(self.classes_.tolist())}
        if unknown := [label for label in weights if label not in codes]:
            raise ValueError(f"class_weight: {unknown[0]!r} is no class of y")
        return {"class_weight": {str(codes[label]): float(weight) for label, weight in weights.items()}}
