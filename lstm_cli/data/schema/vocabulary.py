"""From strings to indices and back: the tokens that feed the network, and the labels that it predicts."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain, filterfalse, repeat
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstm_cli.data.formats.raw import label_key

#: The unknown token: replaces every token that is not in the vocabulary; always at index 0.
UNKNOWN = "<unk>"


@dataclass(frozen=True)
class Spelling:
    """How a token is written before it is looked up.

    Attributes
    ----------
    lowercase
        Capital letters are made small.
    last
        Only the last characters are kept: a suffix.
    """

    lowercase: bool = False
    last: int | None = None

    def apply(self, tokens: Sequence[str]) -> Sequence[str]:
        """Return tokens as they are looked up."""
        if self.lowercase:
            tokens = [token.lower() for token in tokens]
        if self.last is not None:
            tokens = [token[-self.last :] for token in tokens]
        return tokens


class Vocabulary:
    """The tokens of one input column. Index 0 is the unknown token.

    Parameters
    ----------
    tokens
        All tokens, `UNKNOWN` first.
    spelling
        How tokens are written before they are looked up.
    knows_unknown
        The unknown token occurred in training, so that a model can predict it.
    """

    def __init__(self, tokens: Iterable[str], spelling: Spelling | None = None, *, knows_unknown: bool = False) -> None:
        self.tokens = tuple(tokens)
        self.spelling = spelling or Spelling()
        self.knows_unknown = knows_unknown
        self._index = {token: index for index, token in enumerate(self.tokens)}

    @classmethod
    def fit(
        cls, pieces: Iterable[Sequence[str]], spelling: Spelling | None = None, *, min_count: int = 1
    ) -> "Vocabulary":
        """Collect the tokens that occur `min_count` times: the most frequent first, equals in alphabetical order."""
        spelling = spelling or Spelling()
        counts: Counter[str] = Counter()
        for piece in pieces:
            counts.update(spelling.apply(piece))
        rare = counts.pop(UNKNOWN, 0) > 0 or any(count < min_count for count in counts.values())
        kept = [token for token, count in counts.items() if count >= min_count]
        return cls((UNKNOWN, *sorted(kept, key=lambda token: (-counts[token], token))), spelling, knows_unknown=rare)

    def __len__(self) -> int:
        return len(self.tokens)

    def encode(self, tokens: Sequence[str]) -> NDArray[np.int32]:
        """Return the index of every token (T,), 0 for those that are not known."""
        spelled = self.spelling.apply(tokens)
        return np.fromiter(map(self._index.get, spelled, repeat(0)), np.int32, len(spelled))

    def missing(self, tokens: Sequence[str]) -> list[str]:
        """Return the tokens that are not known."""
        return list(filterfalse(self._index.__contains__, self.spelling.apply(tokens)))

    def decode(self, indices: Iterable[int]) -> list[str]:
        """Return the tokens of indices."""
        return [self.tokens[index] for index in indices]

    def to_json(self) -> dict[str, Any]:
        """Return everything, for vocabulary.json."""
        return {
            "tokens": list(self.tokens),
            "knows_unknown": self.knows_unknown,
            "lowercase": self.spelling.lowercase,
            "last": self.spelling.last,
        }

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> "Vocabulary":
        """Return what `to_json` described."""
        spelling = Spelling(content["lowercase"], content["last"])
        return cls(content["tokens"], spelling, knows_unknown=content["knows_unknown"])


class Labels:
    """The labels of a category or the elements of a set, as training saw them.

    Parameters
    ----------
    names
        Labels as predictions show them: strings, whole numbers or booleans.
    """

    def __init__(self, names: Iterable[str | int | bool]) -> None:
        self.names = tuple(names)
        self._index = {label_key(name): index for index, name in enumerate(self.names)}

    @classmethod
    def fit(cls, pieces: Iterable[Sequence[str]], type_name: str = "str") -> "Labels":
        """Collect labels given as keys; `type_name` is their type in the data: ``str``, ``int`` or ``bool``."""
        names: list[Any] = sorted(set(chain.from_iterable(pieces)))
        if type_name == "bool" and set(names) <= {"false", "true"}:
            names = [name == "true" for name in names]
        elif all(name.removeprefix("-").isdecimal() for name in names):
            names.sort(key=lambda name: (int(name), name))
            if type_name == "int":
                names = [int(name) for name in names]
        return cls(names)

    def __len__(self) -> int:
        return len(self.names)

    def encode(self, keys: Sequence[str]) -> NDArray[np.int32]:
        """Return the index of every label (T,), -1 for those that training never saw."""
        return np.fromiter(map(self._index.get, keys, repeat(-1)), np.int32, len(keys))

    def missing(self, keys: Sequence[str]) -> list[str]:
        """Return the labels that training never saw."""
        return list(filterfalse(self._index.__contains__, keys))

    def indicators(self, sets: Sequence[Sequence[str]]) -> NDArray[np.float32]:
        """Return 1 where a label (K) is in a step's set (T) and else 0; elements that are not known are left out."""
        steps, columns = self._flat(sets)
        indicators = np.zeros((len(sets), len(self)), np.float32)
        indicators[steps[columns >= 0], columns[columns >= 0]] = 1
        return indicators

    def unseen(self, sets: Sequence[Sequence[str]]) -> NDArray[np.int32]:
        """Return how many elements of every set (T,) training never saw."""
        steps, columns = self._flat(sets)
        return np.bincount(steps[columns < 0], minlength=len(sets)).astype(np.int32)

    def _flat(self, sets: Sequence[Sequence[str]]) -> tuple[NDArray[np.intp], NDArray[np.int32]]:
        steps = np.repeat(np.arange(len(sets)), [len(elements) for elements in sets])
        return steps, self.encode(list(chain.from_iterable(sets)))
