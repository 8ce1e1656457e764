"""A model that feeds on its own outputs: forecasts beyond the end of a series, text after a prompt.

Legend: B sequences, K outputs, S numbers of state a sequence.
"""

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from lstm_cli.errors import ConfigError
from lstm_cli.sequences import Batch, Schema
from lstm_cli.training.step import Predictor

Choice = Callable[[np.ndarray], np.ndarray]


def check_feedback(schema: Schema, *, bidirectional: bool) -> None:
    """Raise a `ConfigError` unless the model's output at a step is its input at the next."""
    if not schema.target.is_next or schema.target.ahead != 1:
        raise ConfigError("--steps and --generate need a model of its own next input: data.target: next")
    if bidirectional:
        raise ConfigError("--steps and --generate need a model that reads forward only: model.bidirectional: false")


def continued(
    predictor: Predictor, schema: Schema, output: np.ndarray, state: np.ndarray, choose: Choice
) -> Iterator[np.ndarray]:
    """Yield what the model chooses for the next step of every sequence, without end.

    Parameters
    ----------
    predictor : Predictor
    schema : Schema
    output : array (B, K)
        At the last known step of every sequence.
    state : array (B, S)
        After that step.
    choose : callable
        From outputs (B, K) to what is fed back: token indices (B,), or rows (B, K) of numbers or label indicators.
    """
    while True:
        chosen = choose(output)
        yield chosen
        output, state = predictor(_one_step(schema, chosen), state)


def most_likely(schema: Schema) -> Choice:
    """Return the choice without chance: the likeliest token, the expected numbers, the labels more likely than not."""
    match schema.target.kind:
        case "category":
            return lambda output: output.argmax(axis=1)
        case "set":
            return lambda output: (output > 0).astype(output.dtype)
        case "number":
            return lambda output: output


def sampled(random: np.random.Generator, temperature: float) -> Choice:
    """Return the choice by lot: tokens drawn from softmax(output / temperature); at 0 the likeliest."""
    if temperature == 0:
        return lambda output: output.argmax(axis=1)

    def choose(output: np.ndarray) -> np.ndarray:
        # The largest of logits with Gumbel noise is a draw from their softmax (Gumbel 1954).
        noise = random.gumbel(size=output.shape)
        return (output.astype(np.float64) / temperature + noise).argmax(axis=1)

    return choose


def last_outputs(outputs: Sequence[np.ndarray]) -> np.ndarray:
    """Return the output (B, K) at the last step of each sequence's outputs (T, K)."""
    return np.stack([output[-1] for output in outputs])


def _one_step(schema: Schema, chosen: np.ndarray) -> Batch:
    """Return the batch of one step that feeds back what was chosen, each row going on from the same row before."""
    count = len(chosen)
    category = schema.target.kind == "category"
    return Batch(
        lengths=np.ones(count, np.int64),
        mask=np.ones((1, count), np.float32),
        numbers=None if category else np.ascontiguousarray(chosen[None], np.float32),
        tokens=_tokens(schema, chosen) if category else {},
        rows=np.arange(count),
        target=None,
        weight=np.ones(count, np.float32),
        total=float(count),
        sequences=np.arange(count),
        carry=np.arange(count),
    )


def _tokens(schema: Schema, chosen: np.ndarray) -> dict[str, np.ndarray]:
    """Return the token inputs (1, B) by name: the chosen tokens, and what is derived from them."""
    source = schema.layout.next_columns[0].name
    words = schema.tokens[source].decode(chosen)
    derived = {name: vocabulary.encode(words) for name, vocabulary in schema.tokens.items() if name != source}
    return {name: array[None] for name, array in ({source: chosen.astype(np.int32)} | derived).items()}
