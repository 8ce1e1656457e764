"""``train.valid_streams``: a long series scored in streams side by side, and every such score marked."""

import re
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

import lstm_cli
from lstm_cli.data import read_dataset
from lstm_cli.errors import ConfigError
from lstm_cli.training.events import Evaluated
from tests.support.data import read_jsonl
from tests.support.runs import Whole, small_config, train

STREAMS, WINDOW = 3, 5


@pytest.fixture
def text(tmp_path: Path) -> Path:
    draw = np.random.default_rng(0)
    for name, size in (("text", 300), ("valid", 400)):
        (tmp_path / f"{name}.txt").write_text("".join(draw.choice(list("abc de"), size)))
    return tmp_path


def settings(folder: Path, **train: object):
    data = {"train": "text.txt", "valid": "valid.txt", "test": "valid.txt", "target": "next", "window": WINDOW}
    return small_config(folder, data=data, train={"epochs": 1, "valid_streams": STREAMS, **train})


def test_each_stream_is_warmed_up_on_ten_windows(text: Path) -> None:
    """Against the outputs of every stream run by itself from fifty steps before it."""
    run = text / "run"
    (event,) = [e for e in train(settings(text), run).of(Evaluated) if e.split == "valid"]
    loaded = lstm_cli.load(run)
    (sequence,) = read_dataset(text / "valid.txt", loaded.schema)
    cuts = [0, 399 // 3, 2 * 399 // 3, 399]
    nats = []
    for begin, stop in pairwise(cuts):
        first = max(0, begin - 10 * WINDOW)
        (outputs,) = loaded.outputs([sequence.part(first, stop)])
        logits = outputs.values[begin - first :].astype(np.float64)
        shares = logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)
        nats += (-shares[np.arange(stop - begin), sequence.target[begin:stop]]).tolist()
    assert len(nats) == 399
    assert event.loss == pytest.approx(np.mean(nats), rel=1e-5)
    assert event.metrics["perplexity"] == pytest.approx(np.exp(np.mean(nats)), rel=1e-5)
    exact = loaded.evaluate(text / "valid.txt")
    assert event.metrics["perplexity"] != exact["perplexity"]
    (tested,) = read_jsonl(run / "metrics.jsonl")[1:]
    assert (tested["split"], tested["perplexity"]) == ("test", exact["perplexity"])


def test_one_stream_is_exact(text: Path) -> None:
    run = text / "run"
    train(settings(text, valid_streams=1), run)
    lines = read_jsonl(run / "metrics.jsonl")
    assert lines[0]["perplexity"] == pytest.approx(lines[1]["perplexity"], rel=1e-6)
    assert ": valid in 1 stream: loss " in (run / "train.log").read_text()


def test_there_are_no_more_streams_than_windows(text: Path) -> None:
    run = text / "run"
    train(settings(text, valid_streams=1000), run)
    # Of 399 steps, five to a window, there are 80 windows; no stream begins within a window of either end of the text.
    assert ": valid in 78 streams: loss " in (run / "train.log").read_text()


def test_every_line_with_such_a_score_names_the_streams(text: Path) -> None:
    run = text / "run"
    train(settings(text, epochs=2), run)
    log = (run / "train.log").read_text()
    assert log.count(": valid in 3 streams: loss ") == 2
    assert ": valid: " not in log
    assert log.count(": test: loss ") == 1
    lines = read_jsonl(run / "metrics.jsonl")
    assert [(line["split"], line.get("streams")) for line in lines] == [("valid", 3), ("valid", 3), ("test", None)]
    page = re.sub("</?span[^>]*>|<wbr>", "", (run / "report.html").read_text())  # which keep words whole
    assert "<dt>Validation in 3 streams perplexity</dt>" in page  # the card
    assert len(re.findall(r"<th[^>]*>\s*validation in 3 streams\s*</th>", page)) == 1  # the scores
    assert page.count('<td class="text">validation in 3 streams</td>') == 2  # the history
    assert page.count('<td class="text">test</td>') == 1


def test_a_resumed_run_keeps_its_streams(whole: Whole) -> None:
    data = {"train": "text.txt", "valid": 0.25, "window": 6}
    run = whole.new()
    train(small_config(whole.folder, data=data, train={"valid_streams": 2}), run)
    with pytest.raises(ConfigError, match=r"train\.valid_streams: 2 -> None"):
        train(small_config(whole.folder, data=data), run, resume=True)
