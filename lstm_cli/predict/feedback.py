"""Feeding a model its own outputs: forecasts beyond the end of a series.

Legend: B sequences, K outputs, S state values per sequence.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import cast

import numpy as np

from lstm_cli.data import Batch, Encoded, Schema, memory
from lstm_cli.data.batching.whole import SEQUENCES_HELD
from lstm_cli.errors import ConfigError, DataError, are, counted
from lstm_cli.predict.outputs import Network, Outputs, States

Choice = Callable[[np.ndarray], np.ndarray]
#: Bytes of a number of a forecast as it is written: as an object in a list, and as text.
_PER_WRITTEN = 64
#: Called with the outputs for each sequence.
Listener = Callable[[Outputs], None]


def ignore(outputs: Outputs) -> None:
    """Do nothing with the outputs."""


def forecasts(
    network: Network, sequences: Iterable[Encoded], steps: int, states: States | None, listener: Listener
) -> Iterator[tuple[Encoded, np.ndarray]]:
    """Yield each sequence with its forecast by feedback: indices (steps,), or indicators or numbers (steps, K)."""
    check_feedback(network, "--steps")
    if network.schema.layout.window is not None:
        yield from _slid(network, sequences, steps)
        return
    checked = (check_future(network.schema, sequence, steps) for sequence in sequences)
    yield from continuations(network, network.outputs(checked, states, reduce=last_output), steps, listener)


def last_output(values: np.ndarray) -> np.ndarray:
    """Return the output (1, K) of the last step."""
    return values[-1:]


def continuations(
    network: Network, outputs: Iterable[Outputs], steps: int, listener: Listener = ignore
) -> Iterator[tuple[Encoded, np.ndarray]]:
    """Yield each sequence whose last output and state are given with its forecast by feedback; see `forecasts`."""
    choose, remaining = most_likely(network.schema), iter(outputs)
    while group := list(islice(remaining, SEQUENCES_HELD)):
        check_steps(network.schema, steps, len(group))
        for known in group:
            listener(known)
        last, state = np.concatenate([known.values[-1:] for known in group]), np.stack([o.state for o in group])
        given = [known.sequence for known in group]
        ahead = np.stack(list(islice(continued(network, last, state, choose, given), steps)), axis=1)
        yield from zip(given, ahead, strict=True)


def _slid(network: Network, sequences: Iterable[Encoded], steps: int) -> Iterator[tuple[Encoded, np.ndarray]]:
    """Yield each sequence with its forecast (steps, K), for a model of windows: each step has a window of its own."""
    if network.world.rank:
        return
    schema, remaining = network.schema, iter(sequences)
    window = schema.layout.window or 1
    while group := list(islice(remaining, SEQUENCES_HELD)):
        check_steps(schema, steps, len(group))
        tails = [check_future(schema, item, steps).part(max(0, item.steps - window), item.steps) for item in group]
        chosen: list[np.ndarray] = []
        for step in range(steps):
            chosen.append(network.last_windows(tails))
            inputs = zip(tails, following_numbers(schema, chosen[-1], group, step), strict=True)
            tails = [_moved(tail, numbers, window) for tail, numbers in inputs]
        yield from zip(group, np.stack(chosen, axis=1), strict=True)


def _moved(tail: Encoded, numbers: np.ndarray, window: int) -> Encoded:
    """Return the end of a sequence with one more step of numbers (I,), at most `window` steps in all."""
    tokens = {name: np.concatenate([indices, indices[-1:]])[-window:] for name, indices in tail.tokens.items()}
    held = np.concatenate([cast(np.ndarray, tail.numbers), numbers[np.newaxis]])[-window:]
    return replace(tail, steps=len(held), numbers=held, tokens=tokens)


def direct(
    network: Network, sequences: Iterable[Encoded], states: States | None, listener: Listener
) -> Iterator[tuple[Encoded, np.ndarray]]:
    """Yield each sequence with the output (1, H * D) of its last step, for a model that predicts several at once."""
    checked = (check_future(network.schema, sequence, 1) for sequence in sequences)
    if network.schema.layout.window is None:
        for outputs in network.outputs(checked, states, reduce=last_output):
            listener(outputs)
            yield outputs.sequence, outputs.values[-1:]
        return
    if network.world.rank:
        return
    while group := list(islice(checked, SEQUENCES_HELD)):
        yield from zip(group, network.last_windows(group)[:, np.newaxis], strict=True)


def check_steps(schema: Schema, steps: int, sequences: int) -> None:
    """Raise a `DataError` if forecasts of some steps of several sequences do not fit into memory at once."""
    arrays = steps * sequences * schema.target.size * np.dtype(schema.precision).itemsize
    needed, free = 2 * arrays + steps * (schema.target.size + 1) * _PER_WRITTEN, memory.available()
    if free is not None and needed > free:
        what = f"would take about {memory.readable(needed)} of {memory.readable(free)} free memory"
        raise DataError(f"--steps {steps}: forecasts of {counted(sequences, 'sequence')} {what}: give fewer steps")


def check_future(schema: Schema, sequence: Encoded, steps: int) -> Encoded:
    """Return a sequence, or raise a `ConfigError` if it lacks known inputs for a forecast of some steps."""
    known = schema.layout.known
    given = 0 if sequence.future is None else len(sequence.future)
    needed = schema.target.reach + steps - 1
    if known and given < needed:
        # With times the calendar needs no values.
        names = ", ".join(column.name for column in known if column.known) or schema.layout.time
        where = f"the {counted(needed, 'step')} after the last of {sequence.where}"
        what = f"a forecast needs the values of {names} at {where}"
        there = f"there {are(given)} {given} of them"
        fix = f"{there}, complete the file of --future" if given else "give them with --future FILE"
        raise ConfigError(f"{what}: {fix}")
    return sequence


def check_feedback(network: Network, option: str) -> None:
    """Raise a `ConfigError` unless the model's output at a step is its input at the next."""
    target = network.schema.target
    if not target.is_next or target.ahead != 1 or target.horizon != 1:
        other = ", or with data.target.horizon: N to predict N steps at once" if option == "--steps" else ""
        raise ConfigError(f"{option} needs a model that predicts its next input: train with data.target: next{other}")
    if network.bidirectional:
        raise ConfigError(f"{option} needs a model that reads forward only: train with model.bidirectional: false")


def continued(
    network: Network, output: np.ndarray, state: np.ndarray, choose: Choice, sequences: Sequence[Encoded]
) -> Iterator[np.ndarray]:
    """Yield the choice for the next step of every sequence, without end.

    Parameters
    ----------
    network : Network
    output : array (B, K)
        At the last known step of every sequence.
    state : array (B, S)
        After that step.
    choose : callable
        From outputs (B, K) to the values that are fed back: token indices (B,), or numbers or label indicators (B, K).
    sequences : list of encoded sequences
        They have the inputs that are not predicted.
    """
    step = 0
    while True:
        chosen = choose(output)
        yield chosen
        output, state = network.predictor(one_step(network.schema, chosen, sequences, step), state)
        step += 1


def most_likely(schema: Schema) -> Choice:
    """Return the deterministic choice: the most likely token, the predicted numbers, the labels above one half."""
    match schema.target.kind:
        case "category":
            return lambda output: output.argmax(axis=1)
        case "set":
            return lambda output: (output > 0).astype(output.dtype)
        case _:
            return schema.target.head.point


def one_step(schema: Schema, chosen: np.ndarray, sequences: Sequence[Encoded], step: int) -> Batch:
    """Return the batch of one step that feeds back the choice; each sequence continues from the same column."""
    size = len(chosen)
    numbers = following_numbers(schema, chosen, sequences, step) if schema.numeric_size else None
    return Batch(
        lengths=np.ones(size, np.int64),
        mask=np.ones((1, size), np.float32),
        numbers=None if numbers is None else numbers[np.newaxis],
        tokens=_tokens(schema, chosen, sequences),
        counted=np.arange(size),
        target=None,
        weight=np.ones(size, np.float32),
        loss_divisor=float(size),
        sequences=np.arange(size),
        carry=np.arange(size),
    )


def following_numbers(schema: Schema, chosen: np.ndarray, sequences: Sequence[Encoded], step: int) -> np.ndarray:
    """Return the numeric inputs (B, I) of a step after the last: the choice, and those that are known or static."""
    own = len(schema.fed_numbers) if schema.target.kind != "category" else 0
    if own == schema.numeric_size:
        return np.ascontiguousarray(chosen, schema.precision)
    sources = [
        item.numbers[-1] if item.future is None else item.future[step] for item in sequences if item.numbers is not None
    ]
    numbers = np.stack(sources).astype(schema.precision)
    numbers[:, schema.gap_numbers] = 0
    if own:
        numbers[:, schema.fed_numbers] = chosen
    return numbers


def _tokens(schema: Schema, chosen: np.ndarray, sequences: Sequence[Encoded]) -> dict[str, np.ndarray]:
    """Return the token inputs (1, B) by name: the chosen tokens, those derived from them, and static ones."""
    source = schema.layout.next_columns[0].name if schema.target.kind == "category" else None
    words = schema.tokens[source].decode(chosen) if source is not None else []
    found: dict[str, np.ndarray] = {}
    for column in schema.layout.inputs:
        if column.kind != "tokens":
            continue
        if column.static:
            indices = np.array([item.tokens[column.name][-1] for item in sequences])
        else:
            indices = chosen if column.name == source else schema.tokens[column.name].encode(words)
        found[column.name] = indices.astype(np.int32)[np.newaxis]
    return found
