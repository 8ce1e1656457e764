"""Embeddings that start from files of word vectors."""

import gzip
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file

from lstm_cli.config import Config, config_from_mapping
from lstm_cli.data.vectors import read_vectors, width_of
from lstm_cli.engine.memory import open_checked_data
from lstm_cli.errors import ConfigError, DataError
from lstm_cli.run.checkpoint import identity_of
from lstm_cli.training.job import Job
from lstm_cli.training.session import build_job
from lstm_cli.training.starting import started_from
from tests.support.runs import train, train_in_sessions

GLOVE = "the 0.5 1 -2\ncat 3 4.25 5\nsat 1e-2 0 7\ncat 9 9 9\n. . 1 2 3\n"
WORDS = {"the": [0.5, 1, -2], "cat": [3, 4.25, 5], "sat": [0.01, 0, 7]}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "text.txt").write_text("The cat sat on the mat . " * 12)
    (tmp_path / "glove.txt").write_text(GLOVE)
    (tmp_path / "words.vec").write_text("5 3\n" + GLOVE)
    return tmp_path


def config_of(folder: Path, file: str = "glove.txt", *, epochs: int = 2, **model: Any) -> Config:
    data = {"train": "text.txt", "unit": "word", "valid": 0.25, "window": 6}
    return config_from_mapping(
        {
            "threads": 1,
            "data": data,
            "model": {"layers": [4], "pretrained": {"text": file}, **model},
            "train": {"epochs": epochs, "batch_size": 3},
        },
        folder,
    )


def job_of(config: Config) -> Job:
    config, start = started_from(config)
    return build_job(open_checked_data(config), start)


def test_both_kinds_of_files_are_read_compressed_too(folder):
    with gzip.open(folder / "words.vec.gz", "wt") as file:
        file.write("5 3\n" + GLOVE)
    for name in ("glove.txt", "words.vec", "words.vec.gz"):
        assert width_of(folder / name) == 3
        found = read_vectors(folder / name, {"the", "cat", "dog", ". ."})
        assert found.of.keys() == {"the", "cat", ". ."}
        assert found.of["cat"].tolist() == WORDS["cat"] and found.width == 3
    plain, packed = (read_vectors(folder / name, set()).digest for name in ("words.vec", "words.vec.gz"))
    assert plain == packed != read_vectors(folder / "glove.txt", set()).digest


@pytest.mark.parametrize("file", ["glove.txt", "words.vec"])
def test_rows_of_known_tokens_are_the_vectors_and_the_width_is_theirs(folder, file):
    job = job_of(config_of(folder, file))
    assert job.config.model.embedding == 3
    rows = job.trainer.model.parameters.values()["embedding.text"]
    tokens = job.data.schema.tokens["text"].tokens
    assert set(tokens) == {"<unk>", "The", "cat", "sat", "on", "the", "mat", "."}
    for token, vector in {**WORDS, "The": WORDS["the"]}.items():
        np.testing.assert_allclose(rows[tokens.index(token)], vector, rtol=1e-6)
    others = rows[[tokens.index(token) for token in ("<unk>", "on", "mat")]]
    assert len(np.unique(others)) == 9 and np.isfinite(others).all()
    assert f"text: 4 of 7 tokens have a vector in {file}, 1 of them in lower case" in job.notes


def test_a_run_resumes_bit_for_bit_without_the_file_whose_digest_it_keeps(folder):
    config = config_of(folder)
    train(config, folder / "whole")
    assert train_in_sessions(config, folder / "parts", [3]) == 2
    whole, parts = (load_file(folder / name / "last" / "model.safetensors") for name in ("whole", "parts"))
    assert all((whole[name] == parts[name]).all() for name in whole)
    digest = read_vectors(folder / "glove.txt", set()).digest
    (folder / "glove.txt").unlink()
    train(config_of(folder, epochs=3), folder / "whole", resume=True)
    identity = identity_of(folder / "whole" / "last")
    assert identity is not None and identity["vectors"] == {"text": digest}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "glove.txt: the file is empty"),
        ("word\n", "glove.txt:1: expected a token and its numbers, or two counts"),
        ("the 1 2\ncat 1\n", "glove.txt:2: expected a token and 2 numbers"),
        ("the 1 2\ncat 1 x\n", "glove.txt:2: could not convert string to float: 'x'"),
        ("the 1 nan\n", "glove.txt:1: a number that is not finite"),
        ("dog 1 2\n", "glove.txt: has no vector of the 7 tokens of text"),
    ],
)
def test_a_file_that_cannot_be_used_is_an_error_with_its_line(folder, content, message):
    (folder / "glove.txt").write_text(content)
    with pytest.raises(DataError) as caught:
        job_of(config_of(folder))
    assert message in str(caught.value)


def test_another_size_or_input_is_refused(folder):
    with pytest.raises(ConfigError, match=r"has vectors of 3 numbers, but model\.embedding is 8: leave"):
        job_of(config_of(folder, embedding=8))
    assert job_of(config_of(folder, embedding={"text": 3})).config.model.embedding == {"text": 3}
    config = config_of(folder)
    with pytest.raises(ConfigError, match="no such token input, expected one of text"):
        job_of(
            config_from_mapping(
                {**config.model_dump(mode="json"), "model": {"pretrained": {"word": "glove.txt"}}}, folder
            )
        )
    with pytest.raises(DataError, match=r"absent\.vec: no such file"):
        job_of(config_of(folder, "absent.vec"))
