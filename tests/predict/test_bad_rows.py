"""Sequences that a run cannot predict: the place, the field, what was expected and what was got."""

import pytest

from lstm_cli.errors import DataError
from lstm_cli.predict import predict_run
from tests.support.data import write_jsonl
from tests.support.paths import is_open

_DIMENSION = "give every sequence the dimension that training has"
_SYMBOL = "write strings or whole numbers, or set kind: number for a quantity"
#: By what a run was trained on: the column that is wrong, its value (None: it is missing), and the message.
BAD_ROWS = {
    ("classifier", "missing column"): ("x", None, "the column is missing (there are y): add it"),
    ("classifier", "other dimension"): ("x", [[1, 2, 3]], f"expected 2 numbers, got 3: {_DIMENSION}"),
    ("classifier", "one number a step"): ("x", [1, 2, 3], f"expected 2 numbers, got 1: {_DIMENSION}"),
    ("classifier", "strings"): (
        "x", [[1, 2], ["a", "b"]], "step 2: expected a number, got the string 'a': write it without quotes",
    ),
    ("classifier", "no list"): (
        "x", 5, "expected a list with one value per step, got 5: write a list, [value] for one step",
    ),
    ("classifier", "uneven"): (
        "x",
        [[1, 2], [3]],
        "step 2: expected a list of 2 as in step 1, got a list of 1: give every step as many numbers",
    ),
    ("classifier", "missing number"): (
        "x", [[1, None]], "step 1: a number is missing: fill it in, or say how with data.missing.fill",
    ),
    ("classifier", "empty"): ("x", [], "an empty sequence: give it at least one step, or delete the sequence"),
    ("tagger", "missing column"): ("words", None, "the column is missing (there are y): add it"),
    ("tagger", "other dimension"): (
        "words", ["a", ["a", "b"]], "step 2: expected one token, got a list or an object: write one token",
    ),
    ("tagger", "numbers"): ("words", ["a", 1.5], f"step 2: expected a token, got the number 1.5: {_SYMBOL}"),
    ("sets", "missing column"): ("notes", None, "the column is missing (there are y): add it"),
    ("sets", "other dimension"): (
        "notes", [[60], 61], "step 2: expected a list of labels, got 61: write [] for none and [label] for one",
    ),
    ("sets", "numbers"): ("notes", [[60], [0.5]], f"step 2: expected a label, got the number 0.5: {_SYMBOL}"),
    ("pendulum", "missing column"): ("b", None, "the column is missing (there are run, a): add it"),
    ("pendulum", "other dimension"): ("b", [[1, 2], [3, 4]], f"expected 1 number, got 2: {_DIMENSION}"),
    ("pendulum", "other length"): ("b", [1, 2, 3], "3 steps, but a has 2: make them equally long"),
    ("pendulum", "strings"): (
        "b", ["1", "2"], "step 1: expected a number, got the string '1': write it without quotes",
    ),
    ("names", "numbers"): (
        "text", 5, "expected a list with one value per step, got 5: write a list, [value] for one step",
    ),
}  # fmt: skip
GOOD_ROWS = {
    "classifier": {"x": [[1, 2]]},
    "tagger": {"words": ["a"]},
    "sets": {"notes": [[60]]},
    "pendulum": {"run": 1, "a": [1, 2], "b": [3, 4]},
    "names": {"text": "anna"},
}


@pytest.mark.parametrize(("kind", "case"), BAD_ROWS)
def test_a_row_of_another_kind_names_field_expected_and_got(trained, loaded, tmp_path, kind, case):
    column, value, message = BAD_ROWS[kind, case]
    good = GOOD_ROWS[kind]
    kept = {name: given for name, given in good.items() if name != column}
    row = kept | {column: value} if value is not None else kept or {"y": 1}
    write_jsonl(tmp_path / "in.jsonl", [good, row])
    with pytest.raises(DataError) as caught:
        predict_run(trained(kind) / "run", tmp_path / "in.jsonl", out=tmp_path / "out.jsonl")
    assert str(caught.value) == f"{tmp_path / 'in.jsonl'}:2: {column}: {message}"
    assert not is_open(tmp_path / "in.jsonl")
    with pytest.raises(DataError) as caught:
        loaded(kind).predict([good, row])
    assert str(caught.value) == f"sequence 2: {column}: {message}"
    assert list(tmp_path.iterdir()) == [tmp_path / "in.jsonl"]
