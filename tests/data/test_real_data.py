"""The public data sets, read whole: as many sequences, steps and labels as their descriptions say."""

import pytest

from lstm_cli.data import evaluation_batches, open_data, training_batches
from tests.support.data import SHARED, data_config

pytestmark = pytest.mark.skipif(not SHARED.is_dir(), reason=f"the public data is not at {SHARED}")

# name: data, sequences of train, valid, test, counted targets of train, size of the target, kind of the target
SETS = {
    "japanese_vowels": (
        {"train": "JapaneseVowels_TRAIN.ts", "test": "JapaneseVowels_TEST.ts", "target": "label"},
        (270, 0, 370), 270, 9, "category",
    ),
    "ud_english_atis": (
        {"train": "en_atis-ud-train.conllu", "valid": "en_atis-ud-dev.conllu", "test": "en_atis-ud-test.conllu",
         "inputs": ["form"], "target": "upos"},
        (4274, 572, 586), 48655, 13, "category",
    ),
    "tiny_shakespeare": (
        {"train": "train.txt", "valid": "valid.txt", "window": 128, "carry_state": True},
        (1, 1, 0), 1003853, 66, "category",
    ),
    "names": (
        {"train": "train.txt", "valid": "valid.txt", "test": "test.txt", "lines": True},
        (30033, 1000, 1000), 213938, 28, "category",
    ),
    "jsb_chorales": (
        {"train": "train.jsonl", "valid": "valid.jsonl", "test": "test.jsonl", "inputs": ["notes"], "target": "next"},
        (229, 76, 77), None, 51, "set",
    ),
    "series": (
        {"train": "daily-min-temperatures.csv", "test": 730, "inputs": ["Temp"], "target": "next"},
        (1, 0, 1), 2919, 1, "number",
    ),
    "double_pendulum": (
        {"train": "train.csv", "valid": "valid.csv", "id": "run", "inputs": ["sin1", "cos1", "sin2", "cos2"],
         "target": "next", "window": 200},
        (17, 2, 0), None, 4, "number",
    ),
    "embedded_reber": (
        {"train": "train2000.txt", "test": "test256.txt", "lines": True},
        (2000, 0, 256), 26278, 9, "category",
    ),
    "adding_problem": (
        {"train": "test_T100.npz", "target": "y"},
        (1000, 0, 0), 1000, 1, "number",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SETS)
def test_a_public_data_set_is_read_whole(name):
    data, counts, targets, size, kind = SETS[name]
    given = data_config(SHARED / name, **data)
    opened = open_data(given)
    assert tuple(len(split) if split else 0 for split in (opened.train, opened.valid, opened.test)) == counts
    assert (opened.schema.target.size, opened.schema.target.kind) == (size, kind)
    counted = sum(len(batch.counted) for batch in training_batches(given, opened.train).epoch(0))
    assert targets is None or counted == targets
    for split in filter(None, (opened.valid, opened.test)):
        expected = split.target.shape[0] if split.weight is None else int((split.weight > 0).sum())
        assert sum(len(batch.counted) for batch in evaluation_batches(given, split).epoch(0)) == expected


def test_lengths_are_as_described():
    given = {"train": "JapaneseVowels_TEST.ts", "target": "label"}
    lengths = open_data(data_config(SHARED / "japanese_vowels", **given)).train.lengths
    assert (lengths.min(), lengths.max()) == (7, 29)
    given = {"train": "en_atis-ud-train.conllu", "inputs": ["form"], "target": "upos"}
    lengths = open_data(data_config(SHARED / "ud_english_atis", **given)).train.lengths
    assert sorted(lengths)[len(lengths) // 2] == 11
    assert lengths.max() == 46


def test_a_tag_that_only_the_development_set_has_is_noted():
    given = {"train": "en_atis-ud-train.conllu", "valid": "en_atis-ud-dev.conllu", "inputs": ["form"], "target": "upos"}
    notes = open_data(data_config(SHARED / "ud_english_atis", **given)).notes
    assert any("valid: targets that training never saw" in note and "'SYM'" in note for note in notes)


def test_the_last_four_years_of_the_airline_are_the_test():
    given = {"train": "airline-passengers.csv", "test": 48, "inputs": ["Passengers"], "target": "next"}
    given["transform"] = {"Passengers": ["log", "difference", "seasonal_difference(12)"]}
    opened = open_data(data_config(SHARED / "series", **given))
    (batch,) = evaluation_batches(data_config(SHARED / "series", **given), opened.test).epoch(0)
    truth = opened.test.truth(batch)[:, 0]
    assert (len(truth), round(truth[0]), round(truth[-1])) == (48, 315, 432)
