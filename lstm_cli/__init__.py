"""Recurrent networks for sequences, trained from a YAML file or scripted with the API of theano-lstm.

The package has two halves; this module exports the public names of both:

trainer
    `train`, `train_run` and `load`, what ``lstm-train`` and ``lstm-predict`` do, from Python; and `Sink`, which
    receives the `events` of a run.
theano-lstm
    All other names. Layers that take one step at a time (`Layer`, `RNN`, `LSTM`, `GRU`, `Embedding`, `GatedInput`,
    `StackedCells`), dropout masks, masked loss, optimizer updates, shared memory, and `theano`. They are defined in
    `lstm_cli.theano_lstm`, which the trainer does not use.

Names are imported when they are first used, as importing PyTensor takes a second.
"""

import importlib
import sys
from typing import TYPE_CHECKING, Any


class _BeforePytensor:
    """An import hook that finds no module, but sets PyTensor's flags before PyTensor is imported and reads them."""

    @classmethod
    def find_spec(cls, name: str, path: object = None, target: object = None) -> None:
        if name == "pytensor":
            from lstm_cli.ops.flags import set_pytensor_flags

            sys.meta_path = [
                f for f in sys.meta_path if f is not cls
            ]  # a new list: Python is iterating over the old one
            set_pytensor_flags()


if "pytensor" not in sys.modules:
    sys.meta_path.insert(0, _BeforePytensor)

_HOMES = {
    # the trainer
    "lstm_cli.api": ("check", "train", "train_run"),
    "lstm_cli.insight.draft.draft": ("draft_config",),
    "lstm_cli.insight.examples": ("write_example",),
    "lstm_cli.insight.backtest": ("backtest",),
    "lstm_cli.insight.compare": ("compare",),
    "lstm_cli.insight.show": ("show",),
    "lstm_cli.export.export": ("export_run",),
    "lstm_cli.export.importing": ("import_weights",),
    "lstm_cli.predict": ("load",),
    "lstm_cli.insight.evaluate": ("evaluate",),
    "lstm_cli.report.remake": ("make_report",),
    "lstm_cli.training.events": ("events",),
    "lstm_cli.estimators": ("SequenceClassifier", "SequenceRegressor"),
    "lstm_cli.training.sinks.sink": ("Sink",),
    # theano-lstm
    "lstm_cli.theano_lstm.theano": ("theano",),
    "lstm_cli.theano_lstm.dropout": ("Dropout", "MultiDropout", "apply_dropout", "srng"),
    "lstm_cli.theano_lstm.dense": ("Layer", "create_shared", "np_rng", "random_initialization"),
    "lstm_cli.theano_lstm.embedding": ("Embedding",),
    "lstm_cli.theano_lstm.gated_input": ("GatedInput",),
    "lstm_cli.theano_lstm.gru": ("GRU",),
    "lstm_cli.theano_lstm.lstm": ("LSTM",),
    "lstm_cli.theano_lstm.recurrent": ("RNN",),
    "lstm_cli.theano_lstm.masked_loss": ("masked_loss", "masked_loss_dx"),
    "lstm_cli.theano_lstm.shared_memory": ("borrow_all_memories", "borrow_memory", "wrap_params"),
    "lstm_cli.theano_lstm.stacked": ("StackedCells",),
    "lstm_cli.theano_lstm.clip_gradient": ("clip_gradient",),
    "lstm_cli.theano_lstm.updates": ("create_optimization_updates",),
}
if TYPE_CHECKING:  # the same names for type checkers, which do not run `__getattr__`
    from lstm_cli.api import check as check
    from lstm_cli.api import train as train
    from lstm_cli.api import train_run as train_run
    from lstm_cli.estimators import SequenceClassifier as SequenceClassifier
    from lstm_cli.estimators import SequenceRegressor as SequenceRegressor
    from lstm_cli.export.export import export_run as export_run
    from lstm_cli.export.importing import import_weights as import_weights
    from lstm_cli.insight.backtest import backtest as backtest
    from lstm_cli.insight.compare import compare as compare
    from lstm_cli.insight.draft.draft import draft_config as draft_config
    from lstm_cli.insight.evaluate import evaluate as evaluate
    from lstm_cli.insight.examples import write_example as write_example
    from lstm_cli.insight.show import show as show
    from lstm_cli.predict import load as load
    from lstm_cli.report.remake import make_report as make_report
    from lstm_cli.theano_lstm import theano as theano
    from lstm_cli.theano_lstm.clip_gradient import clip_gradient as clip_gradient
    from lstm_cli.theano_lstm.dense import Layer as Layer
    from lstm_cli.theano_lstm.dense import create_shared as create_shared
    from lstm_cli.theano_lstm.dense import np_rng as np_rng
    from lstm_cli.theano_lstm.dense import random_initialization as random_initialization
    from lstm_cli.theano_lstm.dropout import Dropout as Dropout
    from lstm_cli.theano_lstm.dropout import MultiDropout as MultiDropout
    from lstm_cli.theano_lstm.dropout import apply_dropout as apply_dropout
    from lstm_cli.theano_lstm.dropout import srng as srng
    from lstm_cli.theano_lstm.embedding import Embedding as Embedding
    from lstm_cli.theano_lstm.gated_input import GatedInput as GatedInput
    from lstm_cli.theano_lstm.gru import GRU as GRU
    from lstm_cli.theano_lstm.lstm import LSTM as LSTM
    from lstm_cli.theano_lstm.masked_loss import masked_loss as masked_loss
    from lstm_cli.theano_lstm.masked_loss import masked_loss_dx as masked_loss_dx
    from lstm_cli.theano_lstm.recurrent import RNN as RNN
    from lstm_cli.theano_lstm.shared_memory import borrow_all_memories as borrow_all_memories
    from lstm_cli.theano_lstm.shared_memory import borrow_memory as borrow_memory
    from lstm_cli.theano_lstm.shared_memory import wrap_params as wrap_params
    from lstm_cli.theano_lstm.stacked import StackedCells as StackedCells
    from lstm_cli.theano_lstm.updates import create_optimization_updates as create_optimization_updates
    from lstm_cli.training import events as events
    from lstm_cli.training.sinks.sink import Sink as Sink

_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

# Without what needs a library that may be missing: `import *` imports all of these.
__all__ = sorted(name for name, home in _HOME_OF.items() if home != "lstm_cli.estimators")


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module 'lstm_cli' has no attribute {name!r}")
    home = importlib.import_module(_HOME_OF[name])
    return home if name in ("theano", "events") else getattr(home, name)


def __dir__() -> list[str]:
    return [*globals(), *_HOME_OF]
