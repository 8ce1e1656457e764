"""From strings to indices and back: tokens as inputs of the network, and labels that it predicts."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain, filterfalse, repeat
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstm_cli.data.formats.raw import label_key
from lstm_cli.typed_json import WrongValue, built, expected, shown

#: The unknown token: replaces every token that is not in the vocabulary; always at index 0.
UNKNOWN = "<unk>"


@dataclass(frozen=True)
class Spelling:
    """How a token is normalized before it is looked up.

    Attributes
    ----------
    lowercase
        Convert to lower case.
    last
        Keep only the last characters: a suffix.
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
        How tokens are normalized before they are looked up.
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
        """Collect the tokens that occur `min_count` times: the most frequent first, ties in alphabetical order."""
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
        """Return the index of every token (T,), 0 for unknown ones."""
        spelled = self.spelling.apply(tokens)
        return np.fromiter(map(self._index.get, spelled, repeat(0)), np.int32, len(spelled))

    def missing(self, tokens: Sequence[str]) -> list[str]:
        """Return the unknown tokens."""
        return list(filterfalse(self._index.__contains__, self.spelling.apply(tokens)))

    def decode(self, indices: Iterable[int]) -> list[str]:
        """Return the tokens of indices."""
        return [self.tokens[index] for index in indices]

    def following(self, base: "Vocabulary") -> "Vocabulary":
        """Return the tokens of another vocabulary at their indices, then those that are new here.

        Where the two have no token in common, this vocabulary stays as it is.
        """
        known = set(base.tokens[1:])
        new = [token for token in self.tokens[1:] if token not in known]
        if len(new) == len(self.tokens) - 1:
            return self
        unknown = self.knows_unknown or base.knows_unknown
        return Vocabulary((*base.tokens, *new), self.spelling, knows_unknown=unknown)

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
        """Return the vocabulary that `to_json` described, or raise the `WrongValue` that says what is wrong."""
        stored = built(_Stored, content)
        if stored.tokens[:1] != (UNKNOWN,) or len(set(stored.tokens)) < len(stored.tokens):
            raise WrongValue(f"expected {UNKNOWN} and then different tokens", "tokens")
        if stored.last is not None and stored.last < 1:
            raise WrongValue(f"expected 1 or more, got {shown(stored.last)}", "last")
        return cls(stored.tokens, Spelling(stored.lowercase, stored.last), knows_unknown=stored.knows_unknown)


@dataclass(frozen=True)
class _Stored:
    """A vocabulary as JSON."""

    tokens: tuple[str, ...]
    knows_unknown: bool
    lowercase: bool
    last: int | None


class Labels:
    """The labels of a category or of a set that occurred in training.

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

    @classmethod
    def from_json(cls, content: Any, type_name: str = "str") -> "Labels":
        """Return the labels of a list, of strings or of the type in the data; else raise the `WrongValue`."""
        if type(content) is not list:
            raise expected("a list", content)
        types = {type(name).__name__ for name in content}
        if len(types) > 1 or not types <= {"str", type_name}:
            raise WrongValue(f"expected labels of type {type_name}, got {', '.join(sorted(types))}")
        labels = cls(content)
        if len(labels._index) < len(content):
            raise WrongValue("a label is listed twice")
        return labels

    def following(self, base: "Labels") -> "Labels":
        """Return the labels of others at their indices, then those that are new here; all as text if types differ.

        Where the two have no label in common, these stay as they are.
        """
        new = [name for key, name in zip(self._index, self.names, strict=True) if key not in base._index]
        if len(new) == len(self.names):
            return self
        names = (*base.names, *new)
        return Labels(names if len({type(name) for name in (*names, *self.names)}) == 1 else map(label_key, names))

    def __len__(self) -> int:
        return len(self.names)

    def encode(self, keys: Sequence[str]) -> NDArray[np.int32]:
        """Return the index of every label (T,), -1 for those that training never saw."""
        return np.fromiter(map(self._index.get, keys, repeat(-1)), np.int32, len(keys))

    def missing(self, keys: Sequence[str]) -> list[str]:
        """Return the labels that training never saw."""
        return list(filterfalse(self._index.__contains__, keys))

    def indicators(self, sets: Sequence[Sequence[str]]) -> NDArray[np.float32]:
        """Return 1 where a label (K) is in a step's set (T) and else 0; unknown labels are left out."""
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
