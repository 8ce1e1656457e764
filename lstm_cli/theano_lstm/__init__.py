"""The half of the package for scripts: the API of theano-lstm (Raiman, 2014) on PyTensor, and Theano's names for it.

Scripts written for theano-lstm import their names from `lstm_cli`: `Layer`, `RNN`, `LSTM`, `GRU`, `Embedding`,
`GatedInput` and `StackedCells`, whose `activate` and `forward` take one step inside a `scan`; dropout masks, masked
loss, optimizer updates, and parameters in shared memory. Theano itself is `lstm_cli.theano`, defined in
`lstm_cli.theano_lstm.theano`.

The trainer behind ``lstm-train`` is the other half, from `lstm_cli.cli` down to `lstm_cli.graph`, and uses nothing from
here: no other room imports this one. Both are built on `lstm_cli.ops`.
"""

from lstm_cli.theano_lstm.importing import install

install()
