"""``lstm init`` on rows that hold a sequence in a cell, and on rows that look like that but are steps."""

import json
import random
import re

import pytest
from click.testing import CliRunner

from lstm_cli import draft_config
from lstm_cli.cli.group import main
from lstm_cli.config import load_config
from lstm_cli.data import open_data

SENTENCES = (
    "a joy to watch", "dull and long", "not bad at all", "the worst of all", "great fun for all", "a waste of time",
    "really very good", "it was fine", "too long by half", "never again please", "well acted", "boring from the start",
    "my new favourite", "could not finish it", "simply wonderful", "an honest film", "poor sound", "good light",
)  # fmt: skip
ALPHABETS = {
    "dna": ("ACGT", 20, 60),
    "peptide": ("acdefghiklmnpqrstvwy", 8, 14),
    "smiles": ("CNO()=c1n2", 10, 40),
    "payload": ("0123456789abcdef", 32, 32),
    "name": ("abcdeilmnorst", 4, 9),
    "文": ("的一是不了在人有我他这中大来上个国到说们", 6, 30),
}


def table(folder, head, rows, name="mine.csv"):
    path = folder / name
    path.write_text("\n".join([",".join(head), *(",".join(map(str, row)) for row in rows)]) + "\n", encoding="utf-8")
    return path


def config_of(path, **options):
    """The draft for a file, and the config that it loads as."""
    made = path.parent / "made.yaml"
    draft = draft_config(path, path=made, **options)
    made.write_text(draft.text, encoding="utf-8")
    return draft, load_config(made)


def strings(symbols, low, high, count):
    rng = random.Random(4)
    return ["".join(rng.choices(symbols, k=rng.randint(low, high))) for _ in range(count)]


@pytest.mark.parametrize("name", ALPHABETS)
def test_strings_are_sequences_of_characters(tmp_path, name):
    rows = [(cell, "no yes".split()[k % 2]) for k, cell in enumerate(strings(*ALPHABETS[name], 60))]
    draft, config = config_of(table(tmp_path, [name, "kind"], rows))
    assert (draft.task, draft.target, config.data.table.row) == ("classify", "kind", "sequence")
    assert {name: spec.unit for name, spec in config.data.inputs.items()} == {name: "char"}


def test_an_id_or_the_number_of_a_row_beside_strings(tmp_path):
    cells = strings("ACGT", 20, 60, 60)
    for number, first in enumerate(["id", "index", "Unnamed: 0", ""]):
        rows = [(k, cell, "ab"[k % 2]) for k, cell in enumerate(cells)]
        draft, config = config_of(table(tmp_path, [first, "sequence", "class"], rows, f"{number}.csv"), task="classify")
        assert (draft.target, list(config.data.inputs)) == ("class", ["sequence"])
        data = open_data(config)
        assert len(data.train) + len(data.valid) == 60
    rows = [(f"S{k}", cell, k / 7) for k, cell in enumerate(cells)]
    draft, config = config_of(table(tmp_path, ["name", "sequence", "level"], rows))
    assert (draft.task, draft.target, list(config.data.inputs)) == ("regress", "level", ["sequence"])
    assert "not read: name (one text is read)" in draft.text


def test_names_of_several_words_are_read_by_their_letters(tmp_path):
    firsts, lasts = strings("abcdeimnorst", 3, 5, 120), strings("abcdeimnorst", 3, 6, 130)[10:]
    rows = [(f"{first} {last}", "ab"[k % 2]) for k, (first, last) in enumerate(zip(firsts, lasts, strict=True))]
    _, config = config_of(table(tmp_path, ["full name", "country"], rows))
    assert config.data.inputs["full name"].unit == "char"


def test_strings_that_repeat_or_stand_in_objects_or_alone(tmp_path):
    cells = strings("ACGT", 20, 60, 60)
    rows = [(k, cells[k % 30], "ab"[k % 2]) for k in range(90)]
    _, config = config_of(table(tmp_path, ["id", "sequence", "class"], rows))
    assert (config.data.id, list(config.data.inputs)) == (("id",), ["sequence"])
    objects = [json.dumps({"id": k, "sequence": cell, "class": "ab"[k % 2]}) for k, cell in enumerate(cells)]
    (tmp_path / "mine.jsonl").write_text("\n".join(objects))
    draft, config = config_of(tmp_path / "mine.jsonl")
    assert (draft.task, config.data.table.row, list(config.data.inputs)) == ("classify", "auto", ["sequence"])
    draft, _ = config_of(table(tmp_path, ["dna"], [[cell] for cell in cells]))
    assert draft.task == "language-model"
    assert draft.seen.endswith("mine.csv: csv, 60 sequences")


@pytest.mark.parametrize("head", [["text", "sentiment"], ["sentence", "label"], ["id", "review", "stars"]])
def test_sentences_are_sequences_of_words_however_often_they_repeat(tmp_path, head):
    rows = [(k, SENTENCES[k % 18], k % 2 if "stars" in head else "ab"[k % 2])[-len(head) :] for k in range(200)]
    draft, config = config_of(table(tmp_path, head, rows))
    assert (draft.task, draft.target, config.data.table.row) == ("classify", head[-1], "sequence")
    assert {name: spec.unit for name, spec in config.data.inputs.items()} == {head[-2]: "word"}
    objects = [json.dumps(dict(zip(head, row, strict=True))) for row in rows]
    (tmp_path / "mine.jsonl").write_text("\n".join(objects))
    draft, config = config_of(tmp_path / "mine.jsonl")
    assert (draft.task, config.data.inputs[head[-2]].unit) == ("classify", "word")


def doors(k):
    return f"door {'open' if k // 7 % 2 else 'closed'}"


LOGS = {
    "time": (["time", "state", "alarm"], [(k, doors(k), "no yes".split()[k // 5 % 2]) for k in range(120)]),
    "id": (["session", "state", "alarm"], [(k // 12, doors(k), "ny"[k // 5 % 2]) for k in range(120)]),
    "runs": (["state", "alarm"], [(doors(k), "ny"[k // 5 % 2]) for k in range(120)]),
    "numbers": (["temp", "state", "alarm"], [(k * 37 % 97 / 8, doors(k * 5), "ny"[k // 5 % 2]) for k in range(120)]),
    "tags": (["word", "pos"], [(f"w{chr(97 + k % 26)}{chr(97 + k // 26)}rd", "NV"[k % 2]) for k in range(120)]),
    "periods": (["quarter", "gdp"], [(f"Q{k % 4 + 1}/{1950 + k // 4}", k * 37 % 97 / 8) for k in range(120)]),
    "unread dates": (["day", "load"], [(f"the {k % 28 + 1} of {2000 + k // 28}", k * 37 % 97 / 8) for k in range(120)]),
    "hashes": (["time", "hash", "ok"], [(k, f"{k * 7919:08x}", "ny"[k // 5 % 2]) for k in range(120)]),
}


@pytest.mark.parametrize("log", LOGS)
def test_the_rows_of_a_log_are_steps(tmp_path, log):
    head, rows = LOGS[log]
    target = None if log in ("periods", "unread dates") else head[-1]
    draft, config = config_of(table(tmp_path, head, rows), target=target)
    assert draft.task == ("tag" if target else "forecast")
    assert config.data.table.row == "auto"
    objects = [json.dumps(dict(zip(head, row, strict=True))) for row in rows]
    if log not in ("runs", "tags", "unread dates"):  # objects of texts alone are sequences
        (tmp_path / "mine.jsonl").write_text("\n".join(objects))
        assert config_of(tmp_path / "mine.jsonl", target=target)[1].data.table.row == "step"


def test_a_column_named_like_a_text_may_name_recordings(tmp_path):
    rows = [(f"{k // 10 * 7919:032x}-{k // 10:04d}", k * 37 % 97 / 8, "ab"[k // 10 % 2]) for k in range(250)]
    draft, config = config_of(table(tmp_path, ["sequence", "x", "label"], rows))
    assert (draft.task, config.data.id, list(config.data.inputs)) == ("classify", ("sequence",), ["x"])


def test_few_steps_and_ends_without_a_known_label_are_all_trained_on(tmp_path):
    draft, config = config_of(table(tmp_path, ["id", "x", "label"], [("a", 1, "u"), ("a", 2, "u"), ("b", 3, "v")]))
    assert config.data.valid is None
    assert "nothing is held out of 3 steps" in draft.text
    assert "column id has 2 values in 3 rows, too many to tell series apart" in draft.text
    rows = [(k * 37 % 97 / 8, "a" if k < 80 else "b") for k in range(100)]
    draft, config = config_of(table(tmp_path, ["x", "label"], rows))
    assert config.data.valid is None
    assert "the end of the data has none of the labels before it" in draft.text
    same = [(7, k / 3) for k in range(20)]
    assert "column id has the same value in all" in config_of(table(tmp_path, ["id", "x"], same))[0].text
    rows = [(k, k * 37 % 97 / 8) for k in range(20)]
    assert "column id has another value in each" in config_of(table(tmp_path, ["id", "x"], rows))[0].text


def scored(folder):
    rows = [{"x": [0.1, 0.2, 0.3], "state": "ab"[k % 2], "score": k * 37 % 97 / 8} for k in range(30)]
    (folder / "multi.jsonl").write_text("\n".join(map(json.dumps, rows)))
    return folder / "multi.jsonl"


def test_a_second_column_that_may_be_the_target_is_asked_about_or_said(tmp_path, monkeypatch):
    draft, _ = config_of(scored(tmp_path))
    assert (draft.task, draft.target) == ("classify", "state")
    assert "a 50%, b 50%; score would fit, too: --target" in draft.text
    assert "would fit" not in config_of(tmp_path / "multi.jsonl", target="state")[0].text
    assert "would fit" not in config_of(tmp_path / "multi.jsonl", task="classify")[0].text
    draft, _ = config_of(tmp_path / "multi.jsonl", choose=lambda candidates: candidates[1])
    assert (draft.task, draft.target) == ("regress", "score")
    rows = (tmp_path / "multi.jsonl").read_text().replace('"state"', '"label"')
    (tmp_path / "named.jsonl").write_text(rows)
    draft, _ = config_of(tmp_path / "named.jsonl", choose=lambda candidates: pytest.fail("asked"))
    assert draft.target == "label"


@pytest.mark.parametrize(
    "answers, target, said",
    [
        ("score\n", "score", ""),
        ("SCORE \n", "score", ""),
        ("1\n", "state", ""),
        ("scor\n2\n", "score", r"scor is none of them: give a number from 1 to 2, or a name \(did you mean score\?\)"),
        ("7\nstate\n", "state", "7 is none of them"),
    ],
)
def test_the_question_takes_a_number_or_a_name(tmp_path, monkeypatch, answers, target, said):
    scored(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("lstm_cli.cli.init._is_terminal", lambda: True)
    done = CliRunner().invoke(main, ["init", "multi.jsonl"], input=answers)
    assert done.exit_code == 0, done.output
    assert re.search(said, done.stderr)
    assert load_config("multi.yaml").data.target.column == target


def test_the_end_of_a_line_counts_as_in_check(tmp_path):
    (tmp_path / "names.txt").write_text("anna\nbertram\ncilla\n" * 8)
    draft, config = config_of(tmp_path / "names.txt")
    assert draft.seen.endswith("24 sequences of 5 to 8 steps")
    data = open_data(config)
    assert {*data.train.lengths, *data.valid.lengths} == {5, 6, 8}
