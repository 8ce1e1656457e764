"""The recurrent cells, one file each, by name.

To add one, declare it in a file of its own and put it into `CELLS`.
"""

from lstm_cli.kernels.cells.cell import Cell, with_layer_norm
from lstm_cli.kernels.cells.gru import GRU
from lstm_cli.kernels.cells.lstm import LSTM
from lstm_cli.kernels.cells.rnn import RNN

__all__ = ["CELLS", "GRU", "LSTM", "RNN", "Cell", "cell_of"]

CELLS: dict[str, Cell] = {cell.name: cell for cell in (RNN, LSTM, GRU)}


def cell_of(name: str, *, normalized: bool = False) -> Cell:
    """Return a cell by its name, with layer normalisation or without."""
    return with_layer_norm(CELLS[name]) if normalized else CELLS[name]
