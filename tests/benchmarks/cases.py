"""What is measured: layers and small language models, each as a whole training step and as inference."""

from dataclasses import dataclass

import numpy as np

BLOCKS = {"lstm": 4, "gru": 3, "rnn": 1}


@dataclass(frozen=True)
class Case:
    """Recurrent layers and an output layer, over random sequences.

    Attributes
    ----------
    steps, batch : int
    inputs : int
        Numbers at each step, or the width of the embedding.
    units : tuple of int
        Size of each layer.
    outputs : int
        Classes; a language model's vocabulary.
    tokens : bool
        Whether the input is tokens, as many as there are classes.
    shortest : int
        Lengths are spread evenly between this and `steps`; 0: all sequences have all steps.
    training, inference : float or None
        How many times faster than PyTorch it is to be.
    """

    name: str
    steps: int
    batch: int
    inputs: int
    units: tuple[int, ...]
    cell: str = "lstm"
    outputs: int = 10
    tokens: bool = False
    shortest: int = 0
    training: float | None = None
    inference: float | None = None

    @property
    def lengths(self) -> np.ndarray:
        """Steps of each sequence, longest first."""
        return np.linspace(self.steps, self.shortest or self.steps, self.batch).astype(np.int64)

    @property
    def flops(self) -> tuple[float, float]:
        """Operations of the matrix products that a training step and inference need, on real steps alone."""
        forward, entering = 0, self.inputs
        for units in self.units:
            forward += BLOCKS[self.cell] * units * (entering + units)
            entering = units
        forward += self.outputs * entering
        first = 0 if self.tokens else BLOCKS[self.cell] * self.units[0] * self.inputs  # of which no gradient is asked
        steps = int(self.lengths.sum())
        return 2.0 * steps * (3 * forward - first), 2.0 * steps * forward


def layer(
    steps: int, batch: int, inputs: int, units: int, cell: str = "lstm", *, training: float, inference: float
) -> Case:
    """Return the case of one layer."""
    name = f"{cell} T{steps} B{batch} I{inputs} H{units}"
    return Case(name, steps, batch, inputs, (units,), cell, training=training, inference=inference)


CASES = [
    layer(100, 32, 32, 64, training=1.8, inference=1.3),
    layer(100, 32, 128, 256, training=1.35, inference=1.1),
    layer(35, 20, 200, 200, training=1.3, inference=1.1),
    Case("lstm T35 B20 2 x 650", 35, 20, 650, (650, 650), training=1.3, inference=1.1),
    layer(100, 64, 512, 512, training=1.1, inference=1.0),
    layer(100, 1, 64, 128, training=1.5, inference=1.0),
    layer(784, 128, 1, 128, training=1.5, inference=1.2),
    Case("lstm T10-200 B32 I128 H128", 200, 32, 128, (128,), shortest=10, training=2.5, inference=2.0),
    layer(100, 32, 128, 256, "gru", training=1.35, inference=1.1),
    layer(100, 32, 128, 256, "rnn", training=1.0, inference=1.0),
    Case("characters V65 2 x 256 T128 B64", 128, 64, 64, (256, 256), outputs=65, tokens=True, training=1.4),
    Case("words V10000 2 x 200 T35 B20", 35, 20, 200, (200, 200), outputs=10_000, tokens=True, training=1.3),
]
