"""Text that a language model writes after a prompt, symbol by symbol, in one or several samples at a time.

Legend: B samples, K symbols.

References
----------
A. Fan, M. Lewis, Y. Dauphin (2018). Hierarchical neural story generation. ACL.
A. Holtzman, J. Buys, L. Du, M. Forbes, Y. Choi (2020). The curious case of neural text degeneration. ICLR.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from lstm_cli.data import Encoded, Schema
from lstm_cli.data.batching.whole import SEQUENCES_HELD
from lstm_cli.data.schema.vocabulary import UNKNOWN
from lstm_cli.errors import ConfigError
from lstm_cli.predict.feedback import check_feedback, one_step
from lstm_cli.predict.outputs import Network


@dataclass(frozen=True)
class Sampling:
    """How a symbol is drawn from the model's probabilities p: from those left, in proportion to p^(1 / temperature).

    Attributes
    ----------
    temperature : float
        Below 1 more predictable text, above 1 more surprising text; 0: always the most likely symbol.
    top_k : int or None
        Only the k likeliest symbols are left (Fan et al. 2018).
    top_p : float or None
        Only the fewest of the likeliest symbols whose probabilities together reach p are left (Holtzman et al. 2020):
        of those that `temperature` and `top_k` give.
    """

    temperature: float = 1.0
    top_k: int | None = None
    top_p: float | None = None

    def __post_init__(self) -> None:
        if not (math.isfinite(self.temperature) and self.temperature >= 0):
            raise ConfigError(f"temperature: got {self.temperature}, expected a number of 0 or more")
        if self.top_k is not None and self.top_k < 1:
            raise ConfigError(f"top_k: got {self.top_k}, expected a number of 1 or more")
        if self.top_p is not None and not 0 < self.top_p <= 1:
            raise ConfigError(f"top_p: got {self.top_p}, expected a number above 0 and at most 1")

    def choice(self, logits: np.ndarray, noise: Sequence[np.random.Generator]) -> np.ndarray:
        """Return a symbol (B,) for each row of logits (B, K), drawn with the generator of its sample."""
        if self.temperature == 0:
            likeliest: np.ndarray = logits.argmax(axis=1)
            return likeliest
        scaled = logits.astype(np.float64)
        with np.errstate(over="ignore"):  # near a temperature of 0 all but the largest become -inf
            scaled = self._left((scaled - scaled.max(axis=1, keepdims=True)) / self.temperature)
        # The largest of logits with Gumbel noise is a draw from their softmax (Gumbel 1954).
        drawn: np.ndarray = (scaled + [own.gumbel(size=scaled.shape[1]) for own in noise]).argmax(axis=1)
        return drawn

    def _left(self, logits: np.ndarray) -> np.ndarray:
        """Return logits (B, K) with -inf for the symbols that are not drawn."""
        if self.top_k is None and self.top_p is None:
            return logits
        order = np.argsort(-logits, axis=1, kind="stable")
        ranked = np.take_along_axis(logits, order, axis=1)
        if self.top_k is not None:
            ranked[:, self.top_k :] = -np.inf
        if self.top_p is not None and self.top_p < 1:
            shares = np.exp(ranked)
            shares /= shares.sum(axis=1, keepdims=True)
            ranked[np.cumsum(shares, axis=1) - shares >= self.top_p] = -np.inf
        left = np.empty_like(logits)
        np.put_along_axis(left, order, ranked, axis=1)
        return left


def generated(
    network: Network, prompt: str, count: int, *, sampling: Sampling, seed: int, stop: Sequence[str] = ()
) -> Iterator[str]:
    """Return `count` symbols that continue a prompt; a model of lines starts every line afresh.

    They end before the first text of `stop`.
    """
    _check(network, stop)
    steps = _steps(network, prompt, count, sampling, _random(seed, range(1)))
    return _stopped((symbols[0] for symbols in steps), stop)


def samples(
    network: Network, prompt: str, count: int, number: int, *, sampling: Sampling, seed: int, stop: Sequence[str] = ()
) -> Iterator[str]:
    """Return a number of texts, each of them `count` symbols that continue a prompt; see `generated`.

    Each has random numbers of its own: the first is what `generated` gives, and more samples change none.
    """
    _check(network, stop)
    return _samples(network, prompt, count, number, sampling, seed, stop)


def _samples(
    network: Network, prompt: str, count: int, number: int, sampling: Sampling, seed: int, stop: Sequence[str]
) -> Iterator[str]:
    for first in range(0, number, SEQUENCES_HELD):
        random = _random(seed, range(first, min(first + SEQUENCES_HELD, number)))
        texts, ended = [""] * len(random), [False] * len(random)
        for symbols in _steps(network, prompt, count, sampling, random):
            for place, symbol in enumerate(symbols):
                if not ended[place]:
                    texts[place] += symbol
                    ended[place] = _stop_in(texts[place], stop, len(symbol)) is not None
            if all(ended):
                break
        yield from ("".join(_stopped(iter([text]), stop)) for text in texts)


def fresh_seed() -> int:
    """Return a seed that no call returned before, but by chance."""
    return int(np.random.SeedSequence().generate_state(1)[0])


def _check(network: Network, stop: Sequence[str]) -> None:
    """Raise a `ConfigError` if the model writes no text, or a stop has none."""
    check_feedback(network, "--generate")
    if network.schema.layout.format != "text":
        raise ConfigError("--generate needs a text model: train with data.format: text, or forecast with --steps")
    if not all(stop):
        raise ConfigError("stop: got an empty text, expected one to stop before")


def _random(seed: int, numbers: range) -> list[np.random.Generator]:
    """Return the random numbers of some samples."""
    return [np.random.default_rng([seed, number] if number else seed) for number in numbers]


def _steps(
    network: Network, prompt: str, count: int, sampling: Sampling, random: Sequence[np.random.Generator]
) -> Iterator[list[str]]:
    """Yield the next symbol of each sample, `count` times; all samples are one batch."""
    schema = network.schema
    given, output, state = _start(network, prompt)
    output, state = np.repeat(output, len(random), axis=0), np.repeat(state, len(random), axis=0)
    symbols, fresh = [prompt] * len(random), None
    for left in range(count, 0, -1):
        chosen = sampling.choice(_without_unknown(schema, output), random)
        symbols = [schema.text([index], after=before) for index, before in zip(chosen, symbols, strict=True)]
        yield symbols
        if left == 1:
            return
        output, state = network.predictor(one_step(schema, chosen, [given] * len(random), 0), state)
        if any(ended := [schema.ends_line(int(index)) for index in chosen]):
            fresh = fresh or _start(network, "")
            output, state = output.copy(), state.copy()
            output[ended], state[ended] = fresh[1], fresh[2]


def _start(network: Network, prompt: str) -> tuple[Encoded, np.ndarray, np.ndarray]:
    """Return a prompt encoded, the output (1, K) at its last step and the state (1, S) after it."""
    given = network.schema.prompt(prompt)
    (outputs,) = network.outputs([given])
    return given, outputs.values[-1:], outputs.state[np.newaxis]


def _without_unknown(schema: Schema, output: np.ndarray) -> np.ndarray:
    """Return logits (B, K) that never select the unknown token, which represents no text."""
    labels = schema.target.labels or ()
    if UNKNOWN not in labels:
        return output
    output = output.copy()
    output[:, labels.index(UNKNOWN)] = -np.inf
    return output


def _stopped(pieces: Iterator[str], stop: Sequence[str]) -> Iterator[str]:
    """Yield pieces of text up to the first of the stops; what could begin one is held back until that is known."""
    held, longest = "", max(map(len, stop), default=1) - 1
    for piece in pieces:
        held += piece
        found = _stop_in(held, stop, len(held))
        if found is not None:
            held = held[:found]
            break
        if not longest:
            yield held
            held = ""
        elif len(held) > longest:
            yield held[:-longest]
            held = held[-longest:]
    if held:
        yield held


def _stop_in(text: str, stop: Sequence[str], new: int) -> int | None:
    """Return where the first stop begins that ends within the last `new` characters; None if there is none."""
    places = [text.find(end, max(0, len(text) - new - len(end) + 1)) for end in stop]
    return min((place for place in places if place >= 0), default=None)
