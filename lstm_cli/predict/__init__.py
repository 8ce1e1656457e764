"""Prediction with a trained run: sequences in, predictions out, in original units and label names.

`Run` is the interface from Python; `predict_run` is that of `lstm-predict`, from files to files.
"""

from lstm_cli.predict.ensemble import is_model, load
from lstm_cli.predict.files import predict_run
from lstm_cli.predict.run import Run

__all__ = ["Run", "is_model", "load", "predict_run"]
