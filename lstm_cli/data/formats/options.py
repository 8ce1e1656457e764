"""What a reader has to know beside the file."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Options:
    """How rows are read.

    Attributes
    ----------
    id
        Column that names a sequence. A csv file without a column of this name is one long series.
    id_required
        The user named the id column, so a file without it is wrong.
    unique_ids
        Format csv: an id that comes back after others is an error. Costs memory for every id.
    columns
        The columns that are needed; others are not kept. None keeps all.
    input
        The column that feeds the network: format npz reads off it how many sequences and steps there are.
    unit
        Format text: what a token is, ``char`` or ``word``.
    lines
        Format text: each line is a sequence.
    """

    id: str = "id"
    id_required: bool = False
    unique_ids: bool = True
    columns: frozenset[str] | None = None
    input: str = "x"
    unit: str = "char"
    lines: bool = False

    def wants(self, column: str) -> bool:
        """Return whether a column is needed."""
        return self.columns is None or column in self.columns
