"""Strings to indices and back."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from lstm_cli.data.formats.raw import label_key
from lstm_cli.data.schema.vocabulary import UNKNOWN, Labels, Spelling, Vocabulary

TOKENS = st.lists(st.text(max_size=3), max_size=20)


@given(st.lists(TOKENS, max_size=5), st.integers(1, 3))
def test_frequent_tokens_come_back_and_rare_ones_are_unknown(pieces, min_count):
    vocabulary = Vocabulary.fit(pieces, min_count=min_count)
    every = [token for piece in pieces for token in piece]
    for token, index in zip(every, vocabulary.encode(every), strict=True):
        known = every.count(token) >= min_count and token != UNKNOWN
        assert vocabulary.decode([index]) == [token if known else UNKNOWN]


@given(st.lists(TOKENS, max_size=5), st.integers(1, 3), st.booleans(), st.sampled_from([None, 1, 2]))
def test_a_vocabulary_survives_json(pieces, min_count, lowercase, last):
    vocabulary = Vocabulary.fit(pieces, Spelling(lowercase, last), min_count=min_count)
    again = Vocabulary.from_json(vocabulary.to_json())
    assert vars(again) == vars(vocabulary)


def test_the_most_frequent_come_first_and_equals_in_alphabetical_order():
    assert Vocabulary.fit([["b", "c", "a", "c"]]).tokens == (UNKNOWN, "c", "a", "b")


def test_the_unknown_token_is_known_only_if_training_saw_it():
    assert not Vocabulary.fit([["a", "b"]]).knows_unknown
    assert Vocabulary.fit([["a", "a", "b"]], min_count=2).knows_unknown
    assert Vocabulary.fit([["a", UNKNOWN]]).knows_unknown


def test_spelling_is_applied_when_fitting_and_looking_up():
    vocabulary = Vocabulary.fit([["Walking", "TALKING"]], Spelling(lowercase=True, last=3))
    assert vocabulary.tokens == (UNKNOWN, "ing")
    assert vocabulary.encode(["Ring", "rang"]).tolist() == [1, 0]


@given(st.lists(st.lists(st.sampled_from("abcdef"), unique=True), max_size=6))
def test_indicators_say_which_labels_are_in_a_set(sets):
    labels = Labels.fit([list("abcd")])
    indicators = labels.indicators(sets)
    for elements, row in zip(sets, indicators, strict=True):
        assert {labels.names[k] for k in np.flatnonzero(row)} == set(elements) & set("abcd")
    assert labels.unseen(sets).tolist() == [len(set(elements) & set("ef")) for elements in sets]


def test_equal_labels_of_different_types_are_one():
    assert {label_key(value) for value in (3, 3.0, "3", np.int64(3), np.float32(3))} == {"3"}
    assert (label_key(True), label_key(np.bool_(False)), label_key(2.5)) == ("true", "false", "2.5")
    assert Labels([1, 2, 10]).encode(["10", "2.5", "1"]).tolist() == [2, -1, 0]
