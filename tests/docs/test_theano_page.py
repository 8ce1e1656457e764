"""The page on Theano: its command changes the import statements of a script, in each form that scripts have."""

import subprocess

from tests.support.pages import ROOT, blocks

OLD = """\
import theano
import theano  # the library
import theano; theano.config.floatX = "float32"
import theano.tensor as T
import theano as th
import theano.tensor as tt, os
import theano.tensor.nnet
import theano.printing # too
from theano import tensor, function
from theano.tensor.signal import pool
if True:
\timport theano
\tfrom theano.gof import Op
\ttry:
\t    import theano.sandbox.cuda
\texcept ImportError:
\t    cuda = None
import theano_lstm
import theano_lstm as tl
from theano_lstm import LSTM, StackedCells
theano_version = theano.__version__  # import theano
x = theano.tensor.nnet.sigmoid(tt.vector())
assert x.dtype == "float32" and theano_lstm.LSTM is LSTM is tl.LSTM and T is tt is theano.tensor and th is theano
"""


def test_the_command_changes_every_import(tmp_path, monkeypatch):
    monkeypatch.setattr("pytensor.config.floatX", "float64")  # put back at the end
    [command] = [block.text for block in blocks(ROOT / "docs/guide/theano.md", "shell") if block.text.startswith("sed")]
    (tmp_path / "old.py").write_text(OLD)
    subprocess.run(["sh", "-c", command], cwd=tmp_path, check=True)
    new = (tmp_path / "new.py").read_text()
    names: dict[str, object] = {}
    exec(new, names)
    assert (names["cuda"], names["theano_version"]) == (None, "1.0.5")
    assert new.splitlines()[-3:] == OLD.splitlines()[-3:]
