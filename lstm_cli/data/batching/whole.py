"""The batches in which sequences are scored and predicted: whole, from the first step to the last.

Scoring and prediction use the same batches, so that a score is that of the predictions and does not depend on the
batches and windows of training. The batches of each split of a config are chosen here.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Literal, TypeVar

import numpy as np

from lstm_cli.config.config import Config
from lstm_cli.config.model import ModelSpec
from lstm_cli.data.batching.batches import EMPTY_PLAN, Batches, Plan, training_batches
from lstm_cli.data.batching.closed_loops import counted_steps
from lstm_cli.data.batching.windows import Indices, Windows, in_pieces, sliding, whole
from lstm_cli.data.dataset import Dataset
from lstm_cli.data.splits import Split
from lstm_cli.errors import DataError, counted

OUTPUTS_HELD = 1 << 24  # maximum number of output values held at a time
STEPS_HELD, SEQUENCES_HELD = 200_000, 1024  # the same of steps, and of sequences
BATCH_STEPS = 1 << 14  # maximum number of steps of a padded batch, unless a single sequence has more
PIECE_STEPS = 1 << 9  # longer sequences are run piece by piece, carrying the state
WARM_UP = 10  # windows at the start of a stream of `train.valid_streams` that do not count

Item = TypeVar("Item")


def chunks(items: Iterable[Item], steps: Callable[[Item], int], outputs: int) -> Iterator[list[Item]]:
    """Yield sequences in lists of bounded size, in their order; batches are formed within a list.

    Parameters
    ----------
    items
        Sequences, or objects that represent them.
    steps
        Returns how many steps an item has.
    outputs
        K, the number of outputs per step.
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

    Neighbours of similar length share a batch. Where the model allows it, a batch of long sequences is run piece by
    piece, each piece continuing from the final state of the one before. With ``data.scale: window`` every step is the
    last of a window of its own instead.

    Parameters
    ----------
    model
        The section `model` of the config.
    dataset
        The sequences, with targets or without.
    normalize
        What the loss is averaged over: ``step`` or ``sequence``.
    last
        With ``data.scale: window``: only the window that ends with the sequence.
    """

    def __init__(
        self,
        model: ModelSpec,
        dataset: Dataset,
        *,
        normalize: Literal["step", "sequence"] = "step",
        last: bool = False,
    ) -> None:
        target = dataset.schema.target
        self._only_last = last
        super().__init__(dataset, batch_steps=most_steps(target.outputs), shuffle=False, normalize=normalize)
        longest = max(1, int(dataset.lengths.max(initial=1)))
        self._most = most_steps(target.outputs)
        self._piece = min(PIECE_STEPS, self._most) if runs_in_pieces(model, target.per) else longest

    def _make_plan(self, epoch: int) -> Plan:
        lengths, window = self.dataset.lengths, self.dataset.schema.layout.window
        if not len(lengths):
            return EMPTY_PLAN
        if window is not None:
            return self._origins(sliding(lengths, window))
        groups = [group for chunk in self._chunks() for group in self._groups_of(chunk)]
        windows = whole(lengths).take(np.concatenate(groups))
        bounds = np.cumsum([0, *map(len, groups)])
        only_last = self.dataset.schema.target.per == "sequence"
        return Plan.of(in_pieces(windows, bounds, self._piece, only_last=only_last))

    def _origins(self, windows: Windows) -> Plan:
        """Return the plan in which every step that counts is the last of a window."""
        if self._only_last:
            windows = windows.take(windows.starts + windows.lengths == self.dataset.lengths[windows.sequences])
        windows = windows.take(self._counts(windows))
        windows = windows.take(np.argsort(-windows.lengths, kind="stable"))
        return Plan(windows, self._bounds(windows.lengths))

    def _chunks(self) -> Iterator[Indices]:
        lengths = self.dataset.lengths.tolist()
        for chunk in chunks(range(len(lengths)), lengths.__getitem__, self.dataset.schema.target.outputs):
            yield np.array(chunk)

    def _groups_of(self, chunk: Indices) -> Iterator[Indices]:
        """Yield the sequences of each batch of a chunk, the longest first."""
        chunk = chunk[np.argsort(-self.dataset.lengths[chunk], kind="stable")]
        shown = np.minimum(self.dataset.lengths[chunk], self._piece).tolist()
        first = 0
        for place, _ in enumerate(shown):
            if shown[first] * (place + 1 - first) > self._most and place > first:
                yield chunk[first:place]
                first = place
        yield chunk[first:]


def most_steps(outputs: int) -> int:
    """Return the maximum number of steps of a padded batch of several sequences, for K outputs per step."""
    return max(1, min(BATCH_STEPS, OUTPUTS_HELD // outputs))


def runs_in_pieces(model: ModelSpec, per: str) -> bool:
    """Return whether a model can run a sequence piece by piece: nothing in it needs the whole sequence at once."""
    forward = not any(layer.bidirectional for layer in model.layers) and not model.crf
    return forward and (per == "step" or model.pool == "last")


def evaluation_batches(config: Config, dataset: Dataset) -> Batches:
    """Return the batches that sequences are scored in; a closed loop is scored on its training windows.

    Parameters
    ----------
    config
    dataset
        With targets.
    """
    normalize, steps = config.loss.normalize, counted_steps(config)
    if steps is None:
        return WholeBatches(config.model, dataset, normalize=normalize)
    return Batches(
        dataset,
        batch_steps=BATCH_STEPS,
        window=config.data.window,
        shuffle=False,
        normalize=normalize,
        closed_loop=steps,
    )


def valid_batches(config: Config, dataset: Dataset) -> Batches:
    """Return the batches of the validation scores during training: the usual ones, or parallel streams of a series."""
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


_OF_SPLIT: dict[Split, Callable[[Config, Dataset], Batches]] = {
    "train": training_batches,
    "valid": valid_batches,
    "test": evaluation_batches,
}


def split_batches(config: Config, dataset: Dataset, split: Split) -> Batches:
    """Return the batches of a split in a run: for training, for validation during training, or for the final test.

    Raises
    ------
    DataError
        No sequence is long enough for the closed loop.
    """
    batches = _OF_SPLIT[split](config, dataset)
    if not batches.count(0):
        warmup = 1 if config.rollout is None else config.rollout.warmup or 1
        raise DataError(
            f"{dataset.where[0]}: no sequence of {split} has the {counted(warmup, 'observed step')} of rollout.warmup "
            f"and one to predict: give longer sequences, or lower it"
        )
    return batches
