"""Naive predictors of small data, and the positions that they are scored at."""

from lstm_cli.config import config_from_mapping
from lstm_cli.engine.memory import open_checked_data
from lstm_cli.scores.baselines import baselines, observed
from lstm_cli.scores.naive import Naive
from lstm_cli.training.session import _scored as scored_batches


def opened(folder, train, data, **sections):
    """The naive predictors of a config's training data, and the batches in which its splits are scored."""
    data = {"train": str(train), "valid": None, **({"inputs": ["x"]} if "jsonl" in str(train) else {}), **data}
    settings = {"threads": 1, "model": {"layers": [2]}, "data": data, **sections}
    config = config_from_mapping(settings, folder)
    scored = scored_batches(config, open_checked_data(config))
    return Naive.fitted(scored["train"]), scored


def scores(naive, scored, split="valid"):
    """The metrics of each predictor on a split."""
    return {b.name: b.metrics for b in baselines({"": naive}, None, scored) if b.split == split}


def positions(batches):
    """All counted positions, with their truth in place of predictions."""
    (only,) = observed(batches)
    return only
