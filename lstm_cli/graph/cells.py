"""The recurrent cells by name: their gates, biases and states, in the order of their blocks in memory."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Cell:
    """The make-up of a cell with H units.

    Attributes
    ----------
    name : str
    gates : tuple of str
        Row blocks of W (gates * H, I + H).
    biases : tuple of str
        Blocks of b (biases * H,); the GRU's candidate has one for its input and one for its hidden side.
    states : tuple of str
        What is handed from step to step, each (B, H); the first is the layer's output.
    """

    name: str
    gates: tuple[str, ...]
    biases: tuple[str, ...]
    states: tuple[str, ...]


_LSTM_GATES = ("in_gate", "forget_gate", "out_gate", "in_gate2")
_GRU_GATES = ("reset_gate", "update_gate", "candidate")

CELLS = {
    cell.name: cell
    for cell in (
        Cell("lstm", _LSTM_GATES, _LSTM_GATES, ("h", "c")),
        Cell("gru", _GRU_GATES, (*_GRU_GATES, "candidate_hidden"), ("h",)),
        Cell("rnn", ("hidden",), ("hidden",), ("h",)),
    )
}
