"""Text of language models: what is drawn, where it ends, several samples, and the files it is written to."""

import json

import numpy as np
import pytest

from lstm_cli.errors import ConfigError
from lstm_cli.predict import generation
from lstm_cli.predict.generation import Sampling
from lstm_cli.predict.texts import generate_run


@pytest.mark.parametrize("kind", ["plays", "names", "words"])
def test_the_same_seed_writes_the_same_text(loaded, kind):
    texts = ["".join(loaded(kind).generate("", 60, seed=seed)) for seed in (1, 1, 2)]
    assert texts[0] == texts[1] != texts[2]


def test_a_high_temperature_is_more_surprising(loaded):
    run = loaded("names")
    most_likely = "".join(run.generate("", 200, temperature=0))
    cool, hot = (len(set("".join(run.generate("", 200, temperature=t, seed=1)).split("\n"))) for t in (0.05, 5))
    assert len(set(most_likely.split("\n"))) <= 2 <= cool < hot


def test_symbols_come_as_often_as_the_model_says(loaded):
    run = loaded("plays")
    probabilities = run.predict([{"text": "ab"}], probabilities=True)[0]["probabilities"][-1]
    drawn = [next(run.generate("ab", 1, seed=seed)) for seed in range(400)]
    known = {label: p for label, p in probabilities.items() if label != "<unk>"}
    for label, p in known.items():
        share = p / sum(known.values())
        assert drawn.count(label) / 400 == pytest.approx(share, abs=4 * np.sqrt(share * (1 - share) / 400))


def test_each_line_begins_afresh_where_lines_were_learned(loaded, monkeypatch):
    """Whatever the line before was, what may follow its end is what may begin a text."""
    run, script, seen = loaded("names"), iter("na\nim\n"), []
    labels = run.schema.target.labels

    def choose(output):
        seen.append(output[0])
        return np.array([labels.index(next(script))])

    monkeypatch.setattr(generation.Sampling, "choice", lambda self, output, random: choose(output))
    assert "".join(run.generate("an", 6)) == "na\nim\n"
    start = run.predict([{"text": "a"}], probabilities=True)[0]["probabilities"][0]
    shares, expected = np.exp(seen[3]), np.array([p * (label != "<unk>") for label, p in start.items()])
    np.testing.assert_allclose(shares / shares.sum(), expected / expected.sum(), rtol=1e-5)
    assert not np.allclose(seen[0][1:], seen[3][1:])


def test_words_are_set_apart(loaded):
    run = loaded("words")
    text = "to be" + "".join(run.generate("to be", 20, seed=1))
    words = text.split(" ")
    assert len(words) == 22
    assert set(words) <= {"to", "be", "or", "not"}
    assert not "".join(run.generate("", 5, seed=1)).startswith(" ")


def test_the_count_is_of_symbols(loaded):
    assert len(list(loaded("plays").generate("a", 17))) == 17
    assert len(list(loaded("names").generate("a", 17))) == 17


@pytest.mark.parametrize("temperature", [float("nan"), float("inf"), -1.0])
def test_a_temperature_that_is_none(loaded, temperature):
    with pytest.raises(ConfigError, match=r"^temperature: got .*, expected a number of 0 or more$"):
        loaded("plays").generate("a", 3, temperature=temperature)


def test_next_to_zero_a_temperature_is_zero(loaded):
    run = loaded("plays")
    coldest = "".join(run.generate("a", 20, temperature=0))
    assert "".join(run.generate("a", 20, temperature=1e-320)) == coldest
    assert "".join(run.generate("a", 20, temperature=-0.0)) == coldest


def test_what_training_never_saw_of_a_prompt_is_named(trained, tmp_path):
    notes = []
    for prompt in ("a cab", "a♥b♥Ü"):
        generate_run(trained("plays") / "run", 3, prompt=prompt, seed=1, out=tmp_path / "text.txt", note=notes.append)
    assert notes == ["--prompt: unknown tokens: '♥', 'Ü'"]
    assert (tmp_path / "text.txt").read_text().startswith("a♥b♥Ü")


LOGITS = np.log([[0.5, 0.2, 0.2, 0.06, 0.04], [0.04, 0.06, 0.3, 0.2, 0.4]])


@pytest.mark.parametrize(
    ("sampling", "left"),
    [
        (Sampling(), [[0, 1, 2, 3, 4], [0, 1, 2, 3, 4]]),
        (Sampling(top_k=1), [[0], [4]]),
        (Sampling(top_k=2), [[0, 1], [2, 4]]),
        (Sampling(top_k=9, top_p=1.0), [[0, 1, 2, 3, 4], [0, 1, 2, 3, 4]]),
        (Sampling(top_p=1e-9), [[0], [4]]),
        (Sampling(top_p=0.45), [[0], [2, 4]]),
        (Sampling(top_p=0.75), [[0, 1, 2], [2, 3, 4]]),
        (Sampling(top_k=3, top_p=0.75), [[0, 1], [2, 4]]),
        (Sampling(temperature=0.25, top_p=0.9), [[0], [2, 4]]),
    ],
)
def test_what_is_left_is_drawn_in_proportion(sampling, left):
    """Counted over draws; of the first three symbols alone (5/9, 2/9, 2/9) two reach 0.75."""
    draws, random = 4000, np.random.default_rng(1)
    for row, kept in enumerate(left):
        drawn = sampling.choice(LOGITS[[row] * draws], [random] * draws)
        shares = np.zeros(5)
        shares[kept] = np.exp(LOGITS[row, kept] / sampling.temperature)
        shares /= shares.sum()
        found = np.bincount(drawn, minlength=5) / draws
        np.testing.assert_allclose(found, shares, atol=0.035)
        assert not found[shares == 0].any()


def test_one_likeliest_symbol_is_temperature_zero(loaded):
    run = loaded("plays")
    coldest = "".join(run.generate("a", 20, temperature=0))
    assert "".join(run.generate("a", 20, top_k=1, seed=3)) == coldest
    assert "".join(run.generate("a", 20, top_p=1e-9, seed=3)) == coldest


@pytest.mark.parametrize("options", [{"top_k": 0}, {"top_p": 0.0}, {"top_p": 1.5}, {"top_p": float("nan")}])
def test_what_leaves_nothing_to_draw_is_refused(loaded, options):
    (name,) = options
    with pytest.raises(ConfigError, match=rf"^{name}: got .*, expected a number"):
        loaded("plays").generate("a", 3, **options)


@pytest.mark.parametrize("kind", ["plays", "names", "words"])
def test_samples_are_texts_of_their_own_whatever_their_number(loaded, kind):
    run = loaded(kind)
    four = list(run.samples("ab", 40, 4, seed=5, temperature=1.5))
    assert four[:2] == list(run.samples("ab", 40, 2, seed=5, temperature=1.5))
    assert four[0] == "".join(run.generate("ab", 40, seed=5, temperature=1.5))
    assert len(set(four)) == 4


def test_samples_beyond_a_batch(loaded, monkeypatch):
    whole = list(loaded("names").samples("a", 5, 7, seed=2))
    monkeypatch.setattr(generation, "SEQUENCES_HELD", 3)
    assert list(loaded("names").samples("a", 5, 7, seed=2)) == whole


def test_a_seed_that_is_not_given_is_another_one(loaded):
    run = loaded("plays")
    assert len({"".join(run.generate("a", 80)) for _ in range(3)}) == 3


@pytest.mark.parametrize("kind", ["plays", "names", "words"])
def test_a_text_ends_before_the_first_stop(loaded, kind):
    run, options = loaded(kind), {"seed": 3, "temperature": 2.0}
    whole = "".join(run.generate("", 80, **options))
    for stops in ([whole[30:33]], [whole[40]], [whole[50:54], whole[20:22]], ["never written"], [whole]):
        places = [whole.find(stop) for stop in stops if stop in whole]
        expected = whole[: min(places)] if places else whole
        assert "".join(run.generate("", 80, stop=stops, **options)) == expected
        assert next(run.samples("", 80, 2, stop=stops, **options)) == expected


def test_a_stop_in_the_prompt_stops_nothing(loaded):
    run = loaded("plays")
    assert "".join(run.generate("abc ", 1, stop=["c "], seed=1)) == "".join(run.generate("abc ", 1, seed=1))
    with pytest.raises(ConfigError, match="stop: got an empty text"):
        run.generate("a", 3, stop=["b", ""])


def test_only_the_end_that_could_begin_a_stop_is_held_back():
    pieces = list(generation._stopped(iter("abcabd-"), ["abd"]))
    assert pieces == ["a", "b", "c"]
    assert list(generation._stopped(iter("abca"), ["abd"])) == ["a", "b", "ca"]
    assert list(generation._stopped(iter(["ab", "cd"]), [])) == ["ab", "cd"]


def test_files_of_several_texts(trained, loaded, tmp_path):
    folder, notes = trained("names") / "run", []
    options = {"prompt": "an", "samples": 3, "temperature": 1.5}
    generate_run(folder, 20, **options, out=tmp_path / "x.jsonl", note=notes.append)
    rows = [json.loads(line) for line in (tmp_path / "x.jsonl").read_text().splitlines()]
    assert notes == [f"--seed {rows[0]['seed']} draws the same again"]
    texts = ["an" + text for text in loaded("names").samples("an", 20, 3, seed=rows[0]["seed"], temperature=1.5)]
    assert rows == [{"sample": k, "seed": rows[0]["seed"], "text": text} for k, text in enumerate(texts, start=1)]
    generate_run(folder, 20, **options, out=tmp_path / "x.txt", seed=rows[0]["seed"], note=notes.append)
    expected = "\n".join(f"==> {k} <==\n{text}\n" for k, text in enumerate(texts, start=1))
    assert (tmp_path / "x.txt").read_text() == expected
    assert len(notes) == 1  # a seed that was given is no news
    generate_run(folder, 20, temperature=0, out=tmp_path / "one.jsonl", note=notes.append)
    assert json.loads((tmp_path / "one.jsonl").read_text())["sample"] == 1 and len(notes) == 1


@pytest.mark.parametrize("name", ["x.csv", "x.conllu", "x.json", "x.parquet", "x.txt.gz", "x.jsonl.zst", "x.NPZ"])
def test_a_text_is_no_table(trained, tmp_path, name):
    with pytest.raises(ConfigError, match=r"--generate writes text: expected a name that ends in \.txt or \.jsonl"):
        generate_run(trained("plays") / "run", 3, out=tmp_path / name)
