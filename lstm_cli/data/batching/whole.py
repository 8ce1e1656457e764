"""The batches in which sequences are scored and predicted: all of them whole, from their first step to their last.

Both walk through the same batches, so that a score is that of the predictions. How the model was trained, in what
batches and windows, changes nothing.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Literal, TypeVar

import numpy as np

from lstm_cli.config.config import Config
from lstm_cli.config.model import ModelSpec
from lstm_cli.data.batching.batches import NOTHING, Batches, Plan
from lstm_cli.data.batching.closed_loops import counted_steps
from lstm_cli.data.batching.windows import Indices, in_pieces, whole
from lstm_cli.data.dataset import Dataset

OUTPUTS_HELD = 1 << 24  # most output values held at a time
STEPS_HELD, SEQUENCES_HELD = 200_000, 1024  # most steps, and most sequences
BATCH_STEPS = 1 << 14  # most steps of a padded batch, if one sequence does not have more
PIECE_STEPS = 1 << 9  # longer sequences are run piece by piece, the state carried
WARM_UP = 10  # windows that a stream of `train.valid_streams` sees before it counts

Item = TypeVar("Item")


def chunks(items: Iterable[Item], steps: Callable[[Item], int], outputs: int) -> Iterator[list[Item]]:
    """Yield sequences in lists of bounded size, in their order; batches are made within a list.

    Parameters
    ----------
    items
        What stands for the sequences.
    steps
        Returns how many one has.
    outputs
        K, for each step.
    """
    most = min(STEPS_HELD, OUTPUTS_HELD // outputs)
    chunk, held = [], 0
    for item in items:
        chunk.append(item)
        held += steps(item)
        if held >= most or len(chunk) >= SEQUENCES_HELD:
            yield chunk
            chunk, held = [], 0
    if chunk:
        yield chunk


class WholeBatches(Batches):
    """The batches in which every sequence is run once.

    Neighbours of similar length go together. Where the model allows it, long sequences are run piece by piece, those
    of a batch side by side, each piece with the state that the one before has left.

    Parameters
    ----------
    model
        The section `model` of the config.
    dataset
        The sequences, with targets or without.
    normalize
        What the loss is averaged over: ``step`` or ``sequence``.
    """

    def __init__(self, model: ModelSpec, dataset: Dataset, *, normalize: Literal["step", "sequence"] = "step") -> None:
        target = dataset.schema.target
        super().__init__(dataset, batch_steps=most_steps(target.size), shuffle=False, normalize=normalize)
        divisible = runs_in_pieces(model, target.per)
        self._piece = min(PIECE_STEPS, self.batch_steps) if divisible else max(1, int(dataset.lengths.max(initial=1)))

    def _make_plan(self, epoch: int) -> Plan:
        lengths = self.dataset.lengths
        if not len(lengths):
            return NOTHING
        groups = [group for chunk in self._chunks() for group in self._groups_of(chunk)]
        windows = whole(lengths).take(np.concatenate(groups))
        bounds = np.cumsum([0, *map(len, groups)])
        only_last = self.dataset.schema.target.per == "sequence"
        return Plan.of(in_pieces(windows, bounds, self._piece, only_last=only_last))

    def _chunks(self) -> Iterator[Indices]:
        lengths = self.dataset.lengths.tolist()
        for chunk in chunks(range(len(lengths)), lengths.__getitem__, self.dataset.schema.target.size):
            yield np.array(chunk)

    def _groups_of(self, chunk: Indices) -> Iterator[Indices]:
        """Yield which sequences of a chunk go together, the longest first."""
        chunk = chunk[np.argsort(-self.dataset.lengths[chunk], kind="stable")]
        shown = np.minimum(self.dataset.lengths[chunk], self._piece).tolist()
        first = 0
        for place, _ in enumerate(shown):
            if shown[first] * (place + 1 - first) > self.batch_steps and place > first:
                yield chunk[first:place]
                first = place
        yield chunk[first:]


def most_steps(outputs: int) -> int:
    """Return the most steps of a padded batch of several sequences, for K outputs a step."""
    return max(1, min(BATCH_STEPS, OUTPUTS_HELD // outputs))


def runs_in_pieces(model: ModelSpec, per: str) -> bool:
    """Return whether a model can run a sequence piece by piece: no layer reads from its end, and nothing pools it."""
    forward = not any(layer.bidirectional for layer in model.layers)
    return forward and (per == "step" or model.pool == "last")


def evaluation_batches(config: Config, dataset: Dataset) -> Batches:
    """Return the batches that sequences are scored in; a closed loop is scored on the windows that it learns on."""
    normalize = config.loss.normalize
    if config.rollout is None:
        return WholeBatches(config.model, dataset, normalize=normalize)
    loop, window = counted_steps(config), config.data.window
    return Batches(dataset, batch_steps=BATCH_STEPS, window=window, shuffle=False, normalize=normalize, loop=loop)


def valid_batches(config: Config, dataset: Dataset) -> Batches:
    """Return the batches that training is watched on: as for every score, or streams of a long series side by side."""
    streams = config.train.valid_streams
    if streams is None:
        return evaluation_batches(config, dataset)
    return Batches(
        dataset,
        batch_size=streams,
        window=config.data.window,
        carry_state=True,
        warm_up=WARM_UP,
        shuffle=False,
        normalize=config.loss.normalize,
    )
