"""A trained run in use: sequences in, predictions out, in original units and label names.

From Python it is a `Run`; for `lstm-predict`, from files to files, `predict_run`.
"""

from lstm_cli.predict.files import predict_run
from lstm_cli.predict.outputs import Outputs
from lstm_cli.predict.run import Run, load

__all__ = ["Outputs", "Run", "load", "predict_run"]
