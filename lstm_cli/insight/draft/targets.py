"""What can be predicted from the columns of data, and which of it is meant."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

from lstm_cli.data.formats.split_names import SPLIT_NAMES
from lstm_cli.errors import ConfigError, brief, counted, did_you_mean, listed, nearest
from lstm_cli.insight.draft.columns import Column
from lstm_cli.insight.draft.look import Look
from lstm_cli.insight.draft.names import TREEBANK_TARGET, WORDS, is_target_name, is_text_name

#: A label for each sequence; a label for each step; a number for each sequence or step; later values of numbers;
#: the next token, or set of labels.
Task = Literal["classify", "tag", "regress", "forecast", "language-model"]
TASKS: tuple[Task, ...] = get_args(Task)
#: Columns of a treebank that are structure rather than tags.
_STRUCTURE = {"lemma", "feats", "head", "deps", "misc"}
_PARTS = {name for names in SPLIT_NAMES.values() for name in names}


@dataclass(frozen=True)
class Candidate:
    """Something that can be predicted.

    Attributes
    ----------
    task
    column
        The column; None: the next step of all inputs.
    what
        What it is, in words.
    others
        Columns that were not asked about and may be meant instead, which the draft says.
    """

    task: Task
    column: str | None
    what: str
    others: tuple[str, ...] = ()

    @property
    def shown(self) -> str:
        """The value of ``--target`` that chooses it."""
        return "next" if self.column is None else self.column


class Ambiguous(ConfigError):
    """Several targets fit; `candidates` are they."""

    def __init__(self, name: str, candidates: Sequence[Candidate]) -> None:
        shown = listed([f"{candidate.shown} ({candidate.what})" for candidate in candidates])
        super().__init__(f"{name}: several targets fit: {shown}: choose one with --target")
        self.candidates = tuple(candidates)


def split_column(look: Look) -> Column | None:
    """Return the column that says of each sequence or row whether it is of the training, validation or test data."""
    for column in look.columns:
        found = set(column.values)
        if column.kind in ("label", "text") and 1 < len(found) and found <= _PARTS and found & {"train", "training"}:
            return column
    return None


def usable(look: Look) -> list[Column]:
    """Return the columns that may be inputs or targets."""
    found, said = look.arrangement, split_column(look)
    out = {"id", found.time, found.group, None if said is None else said.name, *(name for name, _ in found.skipped)}
    return [column for column in look.columns if column.name not in out and not column.idle]


def words_of(look: Look) -> Column | None:
    """Return the column of words of tagged or plain sentences: tokens at each step."""
    tokens = [column for column in usable(look) if column.per == "step" and _is_text(column)]
    named = [column for name in WORDS for column in tokens if column.name.lower() == name]
    if named or not tokens:
        return named[0] if named else None
    if any(column.kind == "number" and column.per == "step" for column in usable(look)):
        return None  # a table of numbers, in which texts are labels
    return max(tokens, key=lambda column: column.distinct if column.distinct is not None else column.count)


def text_of(look: Look) -> Column | None:
    """Return the column whose texts are cut into steps, where no column has a value for each step.

    Of several it is one that is named like a text, with the longest ones.
    """
    if any(column.stepwise for column in look.columns):
        return None
    able = [column for column in usable(look) if column.may_be_cut and not is_target_name(column.name)]
    return max(able, key=lambda column: (is_text_name(column.name), column.letters), default=None)


def rivals_of(look: Look, candidate: Candidate, task: Task | None) -> list[Candidate]:
    """Return further columns with a value per sequence that may be meant; none if its name says that it is the target.

    Parameters
    ----------
    look
    candidate
        The likeliest target.
    task
        The task that the user names.
    """
    column = look.column(candidate.column)
    if column is None or column.per == "step" or is_target_name(column.name) or look.form == "conllu":
        return []
    each = [one for tier in _tiers(look) for one in tier if one.column not in (None, candidate.column)]
    columns = {column.name for column in look.columns if column.per != "step"}
    return [one for one in each if one.column in columns and task in (None, one.task)]


def chosen(look: Look, name: str, target: str | None, task: Task | None, *, asked: bool = False) -> Candidate:
    """Return what is to be predicted.

    Parameters
    ----------
    look
        What the data holds.
    name
        The data, for messages.
    target
        The column that the user names, or ``next``.
    task
        The task that the user names.
    asked
        Whether somebody can be asked, so that less likely targets are named, too.

    Raises
    ------
    Ambiguous
        Several targets fit.
    ConfigError
        None does, or what the user names does not.
    """
    every = [candidate for tier in _tiers(look) for candidate in tier]
    if target is not None:
        return _named(look, name, target, task, every)
    fitting = next((tier for tier in _tiers(look) if any(task in (None, one.task) for one in tier)), [])
    fitting = [candidate for candidate in fitting if task in (None, candidate.task)]
    if not fitting and task is not None:
        fits = listed(sorted({candidate.task for candidate in every})) or "none"
        raise ConfigError(f"{name}: nothing to {_verb(task)} in it (tasks that fit: {fits}): choose another --task")
    if not fitting:
        names = listed([column.name for column in look.columns])
        raise ConfigError(f"{name}: no column to predict ({names}): name one with --target")
    rivals = rivals_of(look, fitting[0], task) if len(fitting) == 1 else []
    if asked:
        fitting = [*fitting, *rivals]
    if len(fitting) > 1:
        raise Ambiguous(name, fitting)
    return replace(fitting[0], others=tuple(one.shown for one in rivals))


def _verb(task: Task) -> str:
    return {"language-model": "model as language"}.get(task, task)


def _named(look: Look, name: str, target: str, task: Task | None, every: Sequence[Candidate]) -> Candidate:
    """Return the candidate of a column that the user names."""
    found = [one for one in every if one.shown == target and task in (None, one.task)]
    if found:
        return found[0]
    if target == "next":
        return _next(look, name)
    column = look.column(target)
    if column is None:
        names = [column.name for column in look.columns]
        hint = did_you_mean(nearest(target, names))
        raise ConfigError(f"{name}: --target: no column {brief(target)} (there are {listed(names)}){hint}")
    own = _task_of(look, column)
    if task is not None and task != own and not (column.kind == "number" and task in ("regress", "forecast")):
        raise ConfigError(f"{name}: --task {task} does not fit {brief(target)}, {_what(column)}: use {own}")
    return Candidate(task or own, target, _what(column))


def _next(look: Look, name: str) -> Candidate:
    numbers = [column for column in usable(look) if column.kind == "number" and column.per == "step"]
    found = _language(look) if not numbers else Candidate("forecast", None, "the next step of all numbers")
    if found is None:
        raise ConfigError(f"{name}: --target next: there are no steps whose next could be predicted: name a column")
    return found


def _task_of(look: Look, column: Column) -> Task:
    if column.kind == "number":
        return "forecast" if column.per == "step" and column.width == 1 else "regress"
    return "tag" if column.per == "step" else "classify"


def _tiers(look: Look) -> list[list[Candidate]]:
    """Return what can be predicted, the likeliest first; those in one list are equally likely."""
    columns, words = usable(look), words_of(look)
    labels = [column for column in columns if _is_label(look, column, words)]
    numbers = [column for column in columns if column.kind == "number" and column.per != "step" and look.several]
    if look.form == "conllu":
        labels.sort(key=lambda column: column.name != TREEBANK_TARGET)
        return [[_of(look, column)] for column in labels]
    if look.form == "columns" and labels:
        return [[_of(look, column)] for column in reversed(labels)]
    named = [column for column in (*labels, *numbers) if is_target_name(column.name)]
    texts = [column for column in labels if not column.whole]
    coded = [column for column in labels if column.whole]
    tiers = [[_of(look, column) for column in tier] for tier in (named, texts, coded, numbers)]
    tiers.insert(3, _measured(look))
    tiers += [_series(look), [found] if (found := _language(look)) else []]
    return [tier for tier in tiers if tier]


def _of(look: Look, column: Column) -> Candidate:
    return Candidate(_task_of(look, column), column.name, _what(column))


def _what(column: Column) -> str:
    of = "step" if column.per == "step" else "sequence"
    if column.kind == "number":
        return f"a number per {of}, {column.extent}" if column.width == 1 else f"{column.width} numbers per {of}"
    if column.kind == "set":
        return f"sets of labels per {of}"
    return f"{counted(column.distinct or 0, 'label')} per {of}"


def _is_label(look: Look, column: Column, words: Column | None) -> bool:
    if column.kind != "label" or (words is not None and column.name == words.name) or column == text_of(look):
        return False
    if look.form == "conllu" and (column.name in _STRUCTURE or not column.stepwise):
        return False
    return column.per == "step" or look.several


def _is_text(column: Column) -> bool:
    return column.kind in ("text", "label") and not column.whole


def _series(look: Look) -> list[Candidate]:
    """Return the forecasts of series of numbers."""
    numbers = [column for column in usable(look) if column.kind == "number" and column.per == "step"]
    if len(numbers) == 1:
        return [Candidate("forecast", numbers[0].name, "its later values")]
    found = [Candidate("forecast", None, "the next step of all numbers")] if numbers else []
    if look.arrangement.dates:
        return [*(Candidate("forecast", one.name, f"later values, {one.extent}") for one in numbers), *found]
    return found


def _measured(look: Look) -> list[Candidate]:
    """Return the numbers that are named as targets and measured beside others, from which they can be computed."""
    numbers = [column for column in usable(look) if column.kind == "number" and column.per == "step"]
    axes = {column.name.lower() for column in numbers} & {"x", "z"}  # beside them, y is no target
    named = [column for column in numbers if is_target_name(column.name) and not (axes and column.name.lower() == "y")]
    if look.arrangement.dates or len(named) == len(numbers):
        return []
    return [Candidate("regress", column.name, f"a number per step, {column.extent}") for column in named]


def _language(look: Look) -> Candidate | None:
    """Return the prediction of the next token or set."""
    words = words_of(look)
    sets = [column for column in usable(look) if column.kind == "set" and column.per == "step"]
    text = text_of(look)
    if sets and words is None:
        return Candidate("language-model", None, f"the next set of {sets[0].name}")
    found = words or text
    return None if found is None else Candidate("language-model", None, f"the next token of {found.name}")
