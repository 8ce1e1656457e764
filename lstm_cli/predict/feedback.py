"""Feeding a model its own outputs: forecasts beyond the end of a series, text after a prompt.

Legend: B sequences, K outputs, S state values per sequence.
"""

from collections.abc import Callable, Iterable, Iterator
from itertools import islice

import numpy as np

from lstm_cli.data import Batch, Encoded, Schema
from lstm_cli.data.batching.whole import SEQUENCES_HELD
from lstm_cli.data.schema.vocabulary import UNKNOWN
from lstm_cli.errors import ConfigError
from lstm_cli.predict.outputs import Network, Outputs, States

Choice = Callable[[np.ndarray], np.ndarray]
#: Called with the outputs for each sequence.
Listener = Callable[[Outputs], None]


def ignore(outputs: Outputs) -> None:
    """Do nothing with the outputs."""


def forecasts(
    network: Network, sequences: Iterable[Encoded], steps: int, states: States | None, listener: Listener
) -> Iterator[tuple[Encoded, np.ndarray]]:
    """Yield each sequence with its forecast: indices (steps,), or indicators or numbers (steps, K)."""
    check_feedback(network, "--steps")
    choose = most_likely(network.schema)
    outputs = network.outputs(sequences, states, reduce=lambda values: values[-1:])
    while group := list(islice(outputs, SEQUENCES_HELD)):
        for known in group:
            listener(known)
        last, state = np.concatenate([known.values[-1:] for known in group]), np.stack([o.state for o in group])
        ahead = np.stack(list(islice(continued(network, last, state, choose), steps)), axis=1)
        yield from zip([known.sequence for known in group], ahead, strict=True)


def generated(network: Network, prompt: str, count: int, *, temperature: float, seed: int) -> Iterator[str]:
    """Return `count` symbols that continue a prompt; a model of lines starts every line afresh."""
    check_feedback(network, "--generate")
    schema = network.schema
    if schema.layout.format != "text":
        raise ConfigError("--generate needs a text model: train with data.format: text, or forecast with --steps")
    choose = sampled(np.random.default_rng(seed), temperature)
    return _lines(network, prompt, count, _without_unknown(schema, choose))


def _lines(network: Network, prompt: str, count: int, choose: Choice) -> Iterator[str]:
    """Yield symbols; for a model of lines, line by line."""
    schema, before = network.schema, prompt
    while count > 0:
        (outputs,) = network.outputs([schema.prompt(prompt)])
        for chosen in islice(continued(network, outputs.values[-1:], outputs.state[np.newaxis], choose), count):
            before = schema.text(chosen, after=before)
            count -= 1
            yield before
            if schema.ends_line(int(chosen[0])):
                break
        prompt = ""


def check_feedback(network: Network, option: str) -> None:
    """Raise a `ConfigError` unless the model's output at a step is its input at the next."""
    target = network.schema.target
    if not target.is_next or target.ahead != 1:
        raise ConfigError(f"{option} needs a model that predicts its next input: train with data.target: next")
    if network.bidirectional:
        raise ConfigError(f"{option} needs a model that reads forward only: train with model.bidirectional: false")


def continued(network: Network, output: np.ndarray, state: np.ndarray, choose: Choice) -> Iterator[np.ndarray]:
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
    """
    while True:
        chosen = choose(output)
        yield chosen
        output, state = network.predictor(_one_step(network.schema, chosen), state)


def most_likely(schema: Schema) -> Choice:
    """Return the deterministic choice: the most likely token, the expected numbers, the labels above one half."""
    match schema.target.kind:
        case "category":
            return lambda output: output.argmax(axis=1)
        case "set":
            return lambda output: (output > 0).astype(output.dtype)
        case "number":
            return lambda output: output


def sampled(random: np.random.Generator, temperature: float) -> Choice:
    """Return the random choice: tokens drawn from softmax(output / temperature); at 0 the most likely one."""
    if temperature == 0:
        return lambda output: output.argmax(axis=1)

    def choose(output: np.ndarray) -> np.ndarray:
        # The largest of logits with Gumbel noise is a draw from their softmax (Gumbel 1954).
        noise = random.gumbel(size=output.shape)
        drawn: np.ndarray = (output.astype(np.float64) / temperature + noise).argmax(axis=1)
        return drawn

    return choose


def _without_unknown(schema: Schema, choose: Choice) -> Choice:
    """Return a choice that never selects the unknown token, which represents no text."""
    labels = schema.target.labels or ()
    if UNKNOWN not in labels:
        return choose
    unknown = labels.index(UNKNOWN)

    def known(output: np.ndarray) -> np.ndarray:
        output = output.copy()
        output[:, unknown] = -np.inf
        return choose(output)

    return known


def _one_step(schema: Schema, chosen: np.ndarray) -> Batch:
    """Return the batch of one step that feeds back the choice; each sequence continues from the same column."""
    count = len(chosen)
    category = schema.target.kind == "category"
    return Batch(
        lengths=np.ones(count, np.int64),
        mask=np.ones((1, count), np.float32),
        numbers=None if category else _numbers(schema, chosen),
        tokens=_tokens(schema, chosen) if category else {},
        counted=np.arange(count),
        target=None,
        weight=np.ones(count, np.float32),
        loss_divisor=float(count),
        sequences=np.arange(count),
        carry=np.arange(count),
    )


def _numbers(schema: Schema, chosen: np.ndarray) -> np.ndarray:
    """Return the numeric inputs (1, B, I): the chosen values; predictions are no gaps that were filled."""
    numbers = np.zeros((1, len(chosen), schema.numeric_size), schema.precision)
    numbers[0][:, schema.predicted_numbers or slice(chosen.shape[1])] = chosen
    return numbers


def _tokens(schema: Schema, chosen: np.ndarray) -> dict[str, np.ndarray]:
    """Return the token inputs (1, B) by name: the chosen tokens, and those derived from them."""
    source = schema.layout.next_columns[0].name
    words = schema.tokens[source].decode(chosen)
    derived = {name: vocabulary.encode(words) for name, vocabulary in schema.tokens.items() if name != source}
    return {name: array[np.newaxis] for name, array in ({source: chosen.astype(np.int32)} | derived).items()}
