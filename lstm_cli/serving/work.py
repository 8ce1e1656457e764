"""The work of the service, without the network protocol: from the bodies of requests to the bodies of responses."""

import codecs
import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from lstm_cli.data import Encoded, Schema, encode, read_sequences
from lstm_cli.errors import DataError, LstmError, counted
from lstm_cli.predict.future import extension, known_layout
from lstm_cli.predict.run import Run
from lstm_cli.predict.trajectories import with_steps
from lstm_cli.predict.wording import Row, check_probabilities

#: Names of a request in messages, and of the values of known inputs in one.
_NAME, _FUTURE = "request", "future"


@dataclass(frozen=True)
class Question:
    """A request.

    Attributes
    ----------
    kind
        Predictions for the steps of sequences, or forecasts of those after the last.
    body
        JSON: an array of sequences, an object with one, or an object a line.
    probabilities
        Add the probability of each label.
    steps
        Of a forecast, or of a closed loop around a system; None: as many as the model says.
    lines
        The response is an object a line too.
    """

    kind: Literal["predict", "forecast"]
    body: bytes
    probabilities: bool = False
    steps: int | None = None
    lines: bool = False

    @property
    def key(self) -> tuple[str, bool, int | None]:
        """What requests have in common that one call of the network can respond to."""
        return self.kind, self.probabilities, self.steps


class TooLarge(LstmError):
    """A request has more steps than the service takes."""


class Worker:
    """Responds to several requests together.

    Parameters
    ----------
    run : Run
    most_steps : int
        Steps that a request may have, given and forecast ones together.
    """

    def __init__(self, run: Run, *, most_steps: int) -> None:
        self._run, self._most = run, most_steps

    def __call__(self, questions: Sequence[Question]) -> list[bytes | Exception]:
        """Return the body of each response, or the error that is the response."""
        found: list[bytes | Exception] = []
        together: dict[tuple[Any, ...], list[tuple[int, Question, list[Encoded]]]] = {}
        for place, question in enumerate(questions):
            try:
                question, sequences = self._read(question)
            except Exception as error:
                found.append(error)
            else:
                found.append(b"")
                together.setdefault(question.key, []).append((place, question, sequences))
        for group in together.values():
            responses = self._responses([question for _, question, _ in group], [own for *_, own in group])
            for (place, *_), response in zip(group, responses, strict=True):
                found[place] = response
        return found

    def _responses(
        self, questions: Sequence[Question], sequences: Sequence[list[Encoded]]
    ) -> Iterator[bytes | Exception]:
        """Yield the response to each of several requests with the same key."""
        try:
            rows = iter(list(self._rows(questions[0], [one for own in sequences for one in own])))
            each = [[next(rows) for _ in own] for own in sequences]
        except Exception as error:
            if len(questions) == 1:
                yield error
                return
            for question, own in zip(questions, sequences, strict=True):  # to find whose fault it is
                yield from self._responses([question], [own])
            return
        yield from (_body(question, own) for question, own in zip(questions, each, strict=True))

    def _rows(self, question: Question, sequences: list[Encoded]) -> Iterator[Row]:
        if self._run.drives:
            return self._run.trajectories(sequences)
        if question.kind == "forecast":
            return self._run.forecasts(sequences, question.steps or 1)
        return self._run.predictions(sequences, probabilities=question.probabilities)

    def _read(self, question: Question) -> tuple[Question, list[Encoded]]:
        """Return a request whose steps are known, and its sequences."""
        run, schema, extend = self._run, self._run.schema, None
        body = question.body
        if question.probabilities:
            check_probabilities(schema)
        if run.drives:
            schema = with_steps(schema, question.steps)
        elif question.kind == "forecast":
            body, future = _parts(body) if schema.layout.known else (body, None)
            later = None if future is None else run.future(_sequences(future, _known(schema), _FUTURE), _FUTURE)
            question = replace(question, steps=run.forecast_steps(question.steps, later))
            extend = extension(schema.layout, question.steps, later)
        sequences, total = [], 0
        ahead = question.steps or 0
        for raw in _sequences(body, schema, _NAME):
            # Before a closed loop of many steps is made: those of the start are few.
            self._check_steps(total + ahead)
            sequences.append(encode(schema, raw, extend=extend))
            total += sequences[-1].steps + ahead
            self._check_steps(total)
        return question, sequences

    def _check_steps(self, steps: int) -> None:
        if steps > self._most:
            what = f"{counted(steps, 'step')} or more in one request, and --max-steps is {self._most:,}"
            raise TooLarge(f"{what}: send fewer, in several requests")


def _known(schema: Schema) -> Schema:
    return replace(schema, layout=known_layout(schema.layout))


def _sequences(body: bytes, schema: Schema, name: str) -> Iterator[Any]:
    """Yield the sequences of a body as those of a file of format json are read."""
    body = body.removeprefix(codecs.BOM_UTF8)
    if body.lstrip()[:1] not in (b"[", b"{"):  # which the reader might decompress
        raise DataError(f'{name}: expected JSON, an array of sequences such as [{{"id": "a", "x": [1, 2]}}]: send that')
    stream = io.BytesIO(body)
    stream.name = name
    return read_sequences(stream, schema, form="json")


def _parts(body: bytes) -> tuple[bytes, bytes | None]:
    """Return the sequences of a body, and the later values of known inputs in it."""
    try:
        content = json.loads(body.removeprefix(codecs.BOM_UTF8))
    except (ValueError, RecursionError):
        return body, None  # whose reader names the problem
    if not isinstance(content, dict) or not isinstance(content.get(_FUTURE), list):
        return body, None
    later = json.dumps(content.pop(_FUTURE)).encode()
    return json.dumps(content).encode(), later


def _body(question: Question, rows: list[Row]) -> bytes:
    """Return a response; a lone surrogate, which JSON can represent and UTF-8 cannot, is escaped."""
    if question.lines:
        text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    else:
        text = json.dumps({"predictions": rows}, ensure_ascii=False)
    return text.encode(errors="backslashreplace")
