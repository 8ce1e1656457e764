"""Which columns feed the network for a target, and with which settings."""

from dataclasses import dataclass, field
from typing import Any

from lstm_cli.errors import counted
from lstm_cli.insight.draft.columns import LONG_TEXT, Column
from lstm_cli.insight.draft.look import Look
from lstm_cli.insight.draft.targets import Candidate, text_of, usable, words_of

#: Sequences from which on values per sequence are worth reading; labels at each step that are worth an embedding.
_FOR_STATIC, _LABELS = 20, 500
#: Tokens, and texts, from which on a rare word is better read as unknown; last letters that tag words, too.
_FOR_RARE, _TEXTS_FOR_RARE, _LAST = 2000, 200, 3


@dataclass(frozen=True)
class Input:
    """An input: its column's name, its settings in the config, and what it is."""

    name: str
    settings: dict[str, Any] = field(default_factory=dict)
    why: str = ""


def inputs_for(look: Look, candidate: Candidate) -> list[Input]:
    """Return the inputs for a target; none where the format names its own."""
    if look.form == "text":
        return []
    if look.arrangement.wide:
        return [
            Input(look.arrangement.input, {"columns": look.arrangement.wide}, "columns of the steps of a row"),
            *_rest(look, candidate),
        ]
    if candidate.column is None:
        return _next_inputs(look, candidate)
    if candidate.task == "tag" and (words := words_of(look)) is not None and words.name != candidate.column:
        rest = [] if look.form in ("conllu", "columns") else _numbers(look, candidate)
        return [*_words(words, tagged=True), *(item for item in rest if item.name != words.name)]
    stepwise = _numbers(look, candidate)
    return [*stepwise, *_rest(look, candidate, texts=not stepwise)]


def _next_inputs(look: Look, candidate: Candidate) -> list[Input]:
    columns = [column for column in usable(look) if column.per == "step"]
    if candidate.task == "forecast":
        return [Input(column.name, {}, _shown(column)) for column in columns if column.kind == "number"]
    sets = [column for column in columns if column.kind == "set"]
    words = words_of(look)
    if words is None and sets:
        return [Input(sets[0].name, {"kind": "set"}, "any number of labels at each step")]
    if words is not None:
        return _words(words, tagged=False)
    text = text_of(look)
    return [] if text is None else [_characters(text)]


def _words(words: Column, *, tagged: bool) -> list[Input]:
    rare = {"min_count": 2} if words.count >= _FOR_RARE and (words.distinct or words.count) > 100 else {}
    why = f"{counted(words.distinct, 'different token') if words.distinct else 'very many different tokens'}"
    why += "; those seen once train the unknown token" if rare else ""
    found = [Input(words.name, {"kind": "tokens", **rare}, why)]
    if tagged:
        settings = {"kind": "tokens", "of": words.name, "last": _LAST}
        found.append(Input("suffix", settings, "last letters, which unknown words share with known ones"))
    return found


def _numbers(look: Look, candidate: Candidate) -> list[Input]:
    """Return the inputs with a value at each step, for a target that is a column."""
    own = candidate.column if candidate.task != "forecast" else None
    found = []
    for column in usable(look):
        if column.per != "step" or column.name == own:
            continue
        if column.kind == "number" or column.whole:
            found.append(Input(column.name, {}, _shown(column)))
        elif column.kind == "set":
            found.append(Input(column.name, {"kind": "set"}, "any number of labels at each step"))
        elif column.distinct is not None and column.distinct <= _LABELS:
            found.append(Input(column.name, {"kind": "tokens"}, counted(column.distinct, "different token")))
    if not found and (words := words_of(look)) is not None and words.name != own:
        return _words(words, tagged=False)
    return found


def _rest(look: Look, candidate: Candidate, *, texts: bool = False) -> list[Input]:
    """Return the inputs with one value per sequence, and with `texts` those that are cut into steps."""
    found, text = [], text_of(look) if texts else None
    for column in usable(look):
        if column.per == "step" or column.name == candidate.column:
            continue
        if column == text:
            found.append(_text(column))
        elif len(look.lengths) >= _FOR_STATIC and (column.kind == "number" or column.whole):
            found.append(Input(column.name, {"static": True}, f"one value per sequence, {column.extent}"))
    return found


def _characters(column: Column) -> Input:
    return Input(column.name, {"unit": "char"}, "each text is a sequence of characters")


def _text(column: Column) -> Input:
    """Return the input of texts, which are cut into words, or into characters where no words are to be learned.

    That is where there are no blanks, and where short texts hardly repeat, such as first and last names.
    """
    if column.blanks <= 0.5 or (column.kind == "text" and column.letters < LONG_TEXT):
        return _characters(column)
    rare = {"min_count": 2} if column.count >= _TEXTS_FOR_RARE else {}
    return Input(column.name, {"unit": "word", "lowercase": True, **rare}, "each text is a sequence of words")


def _shown(column: Column) -> str:
    size = f"{counted(column.width, 'number')} per step, " if column.width > 1 else ""
    return f"{size}{column.extent}"
