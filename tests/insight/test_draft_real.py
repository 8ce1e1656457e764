"""``lstm init`` on the public data sets: what is predicted from what, and the vowels trained without an edit."""

import pytest

from lstm_cli import train
from tests.support.data import SHARED
from tests.support.drafts import drafted

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not SHARED.is_dir(), reason=f"the public data is not at {SHARED}"),
]

# file: task, target, inputs, and of which splits there are files
FILES = {
    "japanese_vowels/JapaneseVowels_TRAIN.ts": ("classify", "label", ["x"], {"test"}),
    "ud_english_atis/en_atis-ud-train.conllu": ("tag", "upos", ["form", "suffix"], {"valid", "test"}),
    "tiny_shakespeare/train.txt": ("language-model", None, [], {"valid"}),
    "names/train.txt": ("language-model", None, [], {"valid", "test"}),
    "embedded_reber/train2000.txt": ("language-model", None, [], set()),
    "jsb_chorales/train.jsonl": ("language-model", None, ["notes"], {"valid", "test"}),
    "series/airline-passengers.csv": ("forecast", "Passengers", ["Passengers"], set()),
    "series/daily-min-temperatures.csv": ("forecast", "Temp", ["Temp"], set()),
    "double_pendulum/train.csv": ("forecast", None, ["sin1", "cos1", "sin2", "cos2"], {"valid"}),
    "adding_problem/test_T100.npz": ("regress", "y", ["x"], set()),
}


@pytest.mark.parametrize("name", FILES)
def test_every_public_data_set_gets_a_config(tmp_path, name):
    draft, config, _ = drafted(SHARED / name, tmp_path)
    files = {key for key in ("valid", "test") if isinstance(getattr(config.data, key), str)}
    assert (draft.task, draft.target, list(config.data.inputs), files) == FILES[name]


def test_the_vowels_train_without_an_edit(tmp_path):
    _, config, _ = drafted(SHARED / "japanese_vowels/JapaneseVowels_TRAIN.ts", tmp_path)
    result = train(config, run=tmp_path / "run", verbosity=-1)
    assert result.scores["test"]["accuracy"] > 0.9  # by hand .987, always the same speaker .084
