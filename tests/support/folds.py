"""Cross-validations in this process: the folds one by one, then the predictions of what each held out."""

from pathlib import Path
from typing import Any

from click.testing import CliRunner

from lstm_cli.cli.group import predict
from lstm_cli.config import config_from_mapping
from lstm_cli.insight.out_of_fold import OutOfFold, out_of_fold
from tests.support.config import merged
from tests.support.data import read_csv, read_jsonl
from tests.support.runs import train


def cross_validated(folder: Path, mapping: dict[str, Any], count: int, target: Path) -> OutOfFold:
    """Train the folds of a config into a folder, and predict."""
    runs = [target / f"fold-{number}" for number in range(1, count + 1)]
    for number, run in enumerate(runs, start=1):
        train(config_from_mapping(merged(mapping, {"data": {"fold": f"{number}/{count}"}}), folder), run)
    return out_of_fold(runs, target)


def rows_of(path: Path) -> list[dict[str, Any]]:
    return read_csv(path) if path.suffix == ".csv" else read_jsonl(path)


def predicted(run: Path, data: Path, out: Path, *options: str) -> list[dict[str, Any]]:
    """The rows that ``lstm-predict`` writes."""
    result = CliRunner().invoke(predict, [str(run), str(data), "-o", str(out), *options])
    assert result.exit_code == 0, result.output
    return rows_of(out)
