"""What the tests of prediction share, beside the trained runs of all tests."""

import pytest

from tests.support.data import read_jsonl


@pytest.fixture
def raw_sequences(trained):
    """The training sequences of a kind of run that learns from jsonl."""
    return lambda kind: read_jsonl(trained(kind) / "train.jsonl")
