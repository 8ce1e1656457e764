"""Lines of text for a model of tokens: ``echo "i want a flight" | lstm-predict RUN -``."""

import io
import json
from pathlib import Path

import pytest

from lstm_cli.errors import DataError
from lstm_cli.predict import predict_run
from tests.support.runs import small_config, train

SENTENCES = [
    [("i", "PRON"), ("want", "VERB"), ("a", "DET"), ("flight", "NOUN")],
    [("show", "VERB"), ("me", "PRON")],
] * 4
TEXT = "i want a flight\n\nshow me\n"


def conllu(words):
    return (
        "".join(
            f"{place}\t{word}\t_\t{tag}{chr(9) + '_'}{chr(9) + '_' * 1}\t0\t_\t_\t_\n"
            for place, (word, tag) in enumerate(words, 1)
        )
        + "\n"
    )


WRITTEN = {
    "train.jsonl": lambda: "".join(
        json.dumps({"form": [word for word, _ in words], "upos": [tag for _, tag in words]}) + "\n"
        for words in SENTENCES
    ),
    "train.conllu": lambda: "".join(map(conllu, SENTENCES)),
    "train.conll": lambda: "".join("".join(f"{word} {tag}\n" for word, tag in words) + "\n" for words in SENTENCES),
    "train.csv": lambda: (
        "id,form,upos\n"
        + "".join(f"{number},{word},{tag}\n" for number, words in enumerate(SENTENCES) for word, tag in words)
    ),
}


@pytest.fixture(scope="module")
def taggers(tmp_path_factory):
    """A folder with a run, and its training data, for every format."""
    folder = tmp_path_factory.mktemp("taggers")
    for name, content in WRITTEN.items():
        (folder / name).write_text(content())
        columns = {"columns": ["form", "upos"]} if name == "train.conll" else {}
        data = {
            "train": name,
            "inputs": ["form"],
            "target": {"column": "upos", "per": "step"},
            "valid": None,
            "table": columns,
        }
        train(
            small_config(folder, data=data, train={"epochs": 1, "monitor": "train.loss"}),
            folder / name.partition(".")[2],
        )
    return folder


def predicted(run, text, monkeypatch, data="-", **options):
    """What predict_run writes for a text on standard input, and the notes."""
    notes, out = [], io.TextIOWrapper(io.BytesIO())
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BufferedReader(io.BytesIO(text.encode()))))
    monkeypatch.setattr("sys.stdout", out)
    predict_run(run, Path(data), note=notes.append, **options)
    return [json.loads(line) for line in out.buffer.getvalue().splitlines()], notes


@pytest.mark.parametrize("form", ["jsonl", "conllu", "conll", "csv"])
def test_every_line_is_a_sequence_whose_words_are_beside_their_labels(taggers, monkeypatch, form):
    rows, notes = predicted(taggers / form, TEXT, monkeypatch)
    assert [(row["id"], row["form"], len(row["prediction"])) for row in rows] == [
        (1, ["i", "want", "a", "flight"], 4),
        (3, ["show", "me"], 2),
    ]
    assert notes == ["standard input: read as text, each line a sequence of form: --format says otherwise"]


@pytest.mark.parametrize("form", ["jsonl", "conllu", "conll", "csv"])
def test_the_training_datas_format_is_read_as_before(taggers, monkeypatch, form):
    text = (taggers / f"train.{form}").read_text()
    rows, notes = predicted(taggers / form, text, monkeypatch)
    assert len(rows) == len(SENTENCES) and notes == []
    assert all(row.keys() == {"id", "prediction"} for row in rows)
    words, _ = predicted(taggers / form, TEXT, monkeypatch)
    assert [row["prediction"] for row in words] == [row["prediction"] for row in rows[:2]], "text and data differ"


def test_a_brace_is_jsonl_whatever_the_training_data_was(taggers, monkeypatch):
    rows, notes = predicted(taggers / "conllu", '{"id": "a", "form": ["show", "me"]}\n', monkeypatch)
    assert (rows[0]["id"], len(rows[0]["prediction"]), notes) == ("a", 2, [])


def test_a_file_named_as_text_is_read_alike(taggers, tmp_path, monkeypatch):
    (tmp_path / "new.txt").write_text(TEXT)
    (tmp_path / "train.txt").write_text((taggers / "train.conllu").read_text())
    rows, _ = predicted(taggers / "conllu", "", monkeypatch, tmp_path / "new.txt")
    assert [row["form"] for row in rows] == [["i", "want", "a", "flight"], ["show", "me"]]
    rows, _ = predicted(taggers / "conllu", "", monkeypatch, tmp_path / "train.txt")
    assert len(rows) == len(SENTENCES)


def test_a_table_has_the_words(taggers, tmp_path, monkeypatch):
    predicted(taggers / "conllu", TEXT, monkeypatch, out=tmp_path / "out.csv")
    lines = (tmp_path / "out.csv").read_text().splitlines()
    assert lines[0] == "id,step,form,prediction"
    assert lines[1].startswith("1,0,i,") and lines[5].startswith("3,0,show,")


def test_format_text_says_so_and_others_say_otherwise(taggers, monkeypatch):
    rows, _ = predicted(taggers / "conllu", "{ me\n", monkeypatch, form="text")
    assert rows[0]["form"] == ["{", "me"]
    with pytest.raises(DataError, match="<stdin>:1: expected 10 cells, got 1"):
        predicted(taggers / "conllu", TEXT, monkeypatch, form="conllu")
    with pytest.raises(DataError, match="empty"):
        predicted(taggers / "conllu", "", monkeypatch)
    with pytest.raises(DataError, match="empty"):
        predicted(taggers / "conllu", "\n \n", monkeypatch, form="text")


def test_a_model_of_numbers_reads_no_text(tmp_path, monkeypatch):
    (tmp_path / "x.jsonl").write_text('{"x": [[1.0], [2.0]], "y": "a"}\n{"x": [[2.0]], "y": "b"}\n')
    config = small_config(tmp_path, data={"train": "x.jsonl", "inputs": ["x"], "target": "y", "valid": None},
                          train={"epochs": 1, "monitor": "train.loss"})  # fmt: skip
    train(config, tmp_path / "run")
    with pytest.raises(DataError, match="<stdin>:1: "):
        predicted(tmp_path / "run", TEXT, monkeypatch)
    with pytest.raises(
        DataError, match="no sequence here, as the model reads other inputs than the tokens of one column"
    ):
        predicted(tmp_path / "run", TEXT, monkeypatch, form="text")


def test_characters_are_cut_as_in_training(tmp_path, monkeypatch):
    (tmp_path / "names.jsonl").write_text('{"name": "Anna", "from": "x"}\n{"name": "Bo", "from": "y"}\n' * 3)
    data = {"train": "names.jsonl", "inputs": ["name"], "target": "from", "valid": None}
    train(small_config(tmp_path, data=data, train={"epochs": 1, "monitor": "train.loss"}), tmp_path / "run")
    rows, notes = predicted(tmp_path / "run", "Anna\nBob\n", monkeypatch)
    assert [row.keys() for row in rows] == [{"id", "prediction"}] * 2
    assert "unknown tokens in name: 0" not in " ".join(notes) and len(notes) == 2  # how it is read, and the letter b
