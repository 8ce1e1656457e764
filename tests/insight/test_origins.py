"""Where the forecasts of a backtest begin: over the series, and after what has trained the run."""

import pytest

from lstm_cli.config import config_from_mapping
from lstm_cli.config.data import HeldOutSpec
from lstm_cli.insight.origins import room, spaced
from lstm_cli.run.seen import Seen, note_on_seen, seen_of
from tests.support.data import write


@pytest.mark.parametrize(
    ("first", "last", "count", "periods", "expected"),
    [
        (10, 20, 3, (), [10, 15, 20]),
        (10, 12, 20, (), [10, 11, 12]),
        (10, 10, 5, (), [10]),
        (10, 9, 5, (), []),
        (0, 100, 1, (), [100]),
    ],
)
def test_origins_are_spread(first, last, count, periods, expected):
    assert spaced(first, last, count, periods) == expected


def test_origins_fall_on_all_hours():
    found = spaced(0, 24 * 19, 20, (24,))
    assert len({step % 24 for step in found}) >= 10
    assert found[-1] == 24 * 19
    assert len(found) == 20
    assert found[0] <= 50


@pytest.mark.parametrize(
    ("steps", "reach", "count", "history", "seen", "expected"),
    [
        (100, 10, 20, 1, None, (50, 90)),
        (100, 40, 20, 1, None, (41, 60)),
        (100, 40, 20, 50, None, (50, 60)),
        (100, 40, 20, 70, None, (41, 60)),
        (100, 10, 20, 1, (70, 80), (80, 90)),
        (100, 25, 20, 1, (70, 80), (70, 75)),
    ],
)
def test_room_for_origins(steps, reach, count, history, seen, expected):
    found = room(steps, reach, count, least=2, history=history, seen=seen)
    assert (found.first, found.last) == expected


def test_what_a_run_has_seen_of_a_file():
    by_time = Seen({"valid": HeldOutSpec(share=10, by="time"), "test": HeldOutSpec(share=0.2, by="time")})
    assert by_time.ends(100, alone=False, least=2) == (70, 80)
    assert by_time.ends(12, alone=False, least=2) == (12, 12)
    one = Seen({"test": HeldOutSpec(share=30)})
    assert one.ends(100, alone=True, least=2) == (70, 70)
    assert one.ends(100, alone=False, least=2) == (100, 100)


@pytest.mark.parametrize(
    ("data", "chosen"),
    [
        ({"train": "a.csv"}, False),
        ({"train": ["a.csv", "b.csv"]}, True),  # whole files
        ({"train": ["a.csv", "b.csv"], "valid": {"share": 0.2, "by": "time"}}, False),
        ({"train": "a.csv", "split": "part", "valid": None}, True),
        ({"train": "b.csv"}, None),
    ],
)
def test_the_file_does_not_tell_which_series_were_chosen(tmp_path, monkeypatch, data, chosen):
    for name in ("a.csv", "b.csv"):
        write(tmp_path / name, "x,part\n" + "1,train\n" * 30)
    config = config_from_mapping({"data": {"inputs": ["x"], "target": "next", "valid": 0.2, **data}}, tmp_path)
    monkeypatch.setattr("lstm_cli.run.seen.config_of", lambda folder: config)
    seen = seen_of(tmp_path / "run", tmp_path / "a.csv")
    assert (seen and seen.chosen) is chosen


@pytest.mark.parametrize(
    ("data", "words", "advice"),
    [
        ({"valid": None}, "this data", "those of other data say how good it is"),
        ({"valid": 0.2, "test": 0.1}, "about 70 % of this data", "scores the part that was held out"),
        ({"valid": {"share": 0.2, "by": "part"}, "test": "b.csv"}, "about 80 % of this data", "the run's test data"),
        (
            {"valid": 5},
            "all of this data except what was held out (data.valid: 5)",
            "scores the part that was held out",
        ),
        (
            {"valid": None, "split": "part"},
            "the part of this data that data.split: part says",
            "scores the part that was held out",
        ),
        ({"valid": "b.csv"}, "this data", "the run's validation data"),
    ],
)
def test_how_much_of_a_file_a_run_has_seen(tmp_path, monkeypatch, data, words, advice):
    for name in ("a.csv", "b.csv"):
        write(tmp_path / name, "x,part\n" + "1,train\n" * 30)
    source = {"data": {"train": "a.csv", "inputs": ["x"], "target": "next", **data}}
    if data["valid"] is None and "split" not in data:
        source["train"] = {"monitor": "train.loss"}
    config = config_from_mapping(source, tmp_path)
    monkeypatch.setattr("lstm_cli.run.seen.config_of", lambda folder: config)
    seen = seen_of(tmp_path / "my run", tmp_path / "a.csv")
    note = note_on_seen(tmp_path / "my run", config, "a.csv", seen)
    assert note.startswith(f"a.csv: the model was trained on {words}: the scores are ")
    assert note.endswith(advice)
    assert ("mostly" in note, "partly" in note) == ("%" in words, " part" in words or "except" in words)
    assert (seen.extent == "all") == (words == "this data")
    assert ("my run'" in note) == ("lstm evaluate" in note)
