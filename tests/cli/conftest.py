import sys
import types

import pytest
from click.testing import CliRunner


class Calls(list):
    """Stand-ins for the functions that the commands call; each call is noted with its arguments."""

    def __init__(self, monkeypatch):
        super().__init__()
        self._monkeypatch = monkeypatch

    def stand_in(self, module, name, result=None):
        def function(*args, **options):
            self.append((name, args, options))
            if isinstance(result, BaseException):
                raise result
            return result

        self._monkeypatch.setitem(sys.modules, module, types.SimpleNamespace(**{name: function}))


@pytest.fixture
def calls(monkeypatch):
    noted = Calls(monkeypatch)
    noted.stand_in("lstm_cli.api", "train_run")
    noted.stand_in("lstm_cli.training.check", "check", "the model")
    noted.stand_in("lstm_cli.predict", "predict_run")
    noted.stand_in("lstm_cli.predict.texts", "generate_run")
    return noted


@pytest.fixture
def invoke(tmp_path, monkeypatch):
    """Run a command in an empty folder with one good config, c.yaml."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "c.yaml").write_text("data: {train: a.jsonl, target: y}\ntrain:\n  epochs: 3\n")
    return lambda command, *args: CliRunner().invoke(command, args)
