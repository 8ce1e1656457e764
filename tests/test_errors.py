"""The phrases that messages share."""

import pytest

from lstm_cli.errors import and_more, are, counted, did_you_mean, duration, listed, nearest


@pytest.mark.parametrize(
    ("word", "choices", "meant"),
    [
        ("epoch", ["seed", "epochs"], "epochs"),
        ("Prise", ["price", "PRICE list"], "price"),
        ("xyz", ["price"], None),
        ("x", [], None),
        (3, ["33"], "33"),
        ("l" * 5000, ["lstm"], None),
    ],
)
def test_the_nearest_choice_is_suggested(word, choices, meant):
    assert nearest(word, choices) == meant


def test_a_suggestion_is_the_end_of_a_message():
    assert did_you_mean("epochs") == " (did you mean epochs?)"
    assert did_you_mean(None) == ""


def test_a_list_is_cut_and_counts_the_rest():
    assert listed([]) == ""
    assert listed(["a", 1]) == "a, 1"
    assert listed(range(10)) == "0, 1, 2, 3, 4, 5, 6, 7, 8, 9"
    assert listed(range(12), 2) == "0, 1 and 10 more"
    assert and_more(0) == and_more(-3) == ""
    assert and_more(1, "\n… ") == "\n… and 1 more"


def test_names_stay_on_one_line():
    names = ["a\nb", "c\0", "\x1b[31md", "größe", "\u2028"]
    assert listed(names, 4) == r"a\nb, c\x00, \x1b[31md, größe and 1 more"
    assert did_you_mean("a\nb") == r" (did you mean a\nb?)"
    assert listed(["a" * 10**6, "b"]) == "a" * 200 + "…, b"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.2, "0 s"), (59.4, "59 s"), (65, "1 min 05 s"), (3599.7, "1 h 00 min"), (7800, "2 h 10 min")],
)
def test_durations(seconds, text):
    assert duration(seconds) == text


@pytest.mark.parametrize(("count", "text"), [(0, "0 steps are"), (1, "1 step is"), (1200, "1,200 steps are")])
def test_a_count_agrees_with_its_noun_and_verb(count, text):
    assert f"{counted(count, 'step')} {are(count)}" == text
