"""The embedding: a vector for each symbol of a vocabulary, a row of a table."""

from collections.abc import Sequence
from typing import Any

from pytensor.graph.basic import Variable

from lstm_cli.ops.embedding import embedding
from lstm_cli.theano_lstm.dense import Layer, copy_values, create_shared


class Embedding(Layer):
    """A table of vectors: ``y = E[x]``.

    Parameters
    ----------
    vocabulary_size : int
        V.
    hidden_size : int
        H.

    Attributes
    ----------
    embedding_matrix : E (V, H)
    """

    def __init__(self, vocabulary_size: int, hidden_size: int) -> None:
        self.vocabulary_size = vocabulary_size
        self.hidden_size = hidden_size
        self.create_variables()

    def create_variables(self) -> None:
        """Create E."""
        self.embedding_matrix = create_shared(self.vocabulary_size, self.hidden_size, name="Embedding.embedding_matrix")

    def activate(self, x: Variable) -> Variable:
        """Return the vectors (…, H) of the symbols x (…), integers."""
        return self.embedding_matrix[x]

    def sequence(self, x: Variable) -> Variable:
        """Return the vectors (T, B, H) of the symbols x (T, B) as one Op."""
        return embedding(self.embedding_matrix, x)

    @property
    def params(self) -> list[Variable]:
        """The table."""
        return [self.embedding_matrix]

    @params.setter
    def params(self, values: Sequence[Any]) -> None:
        copy_values(type(self).__name__, self.params, values)
