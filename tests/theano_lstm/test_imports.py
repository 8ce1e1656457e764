"""The statements with which public Theano programs import it, `theano` replaced by `lstm_cli.theano`.

``imports.txt`` beside this module lists them, as found in programs, libraries and Theano's documentation: what each
gives (a module, class, other callable or value; "names" for a star), or "absent" where PyTensor has nothing like it.
"""

import importlib
import inspect
import pickle
import re
import subprocess
import sys
import types
from pathlib import Path

import pytest

import lstm_cli.theano
from lstm_cli.theano_lstm.modules import ABSENT, MODULES

LINES = [line.split(maxsplit=1) for line in Path(__file__).with_name("imports.txt").read_text("utf-8").splitlines()]
GIVEN = [(kind, statement) for kind, statement in LINES if kind != "absent"]
KINDS = {
    "module": lambda found: isinstance(found, types.ModuleType),
    "class": lambda found: isinstance(found, type),
    "callable": callable,
    "value": lambda found: found is not None,
}
HOME, ALIAS = "lstm_cli.theano_lstm.theano", "lstm_cli.theano"


def execute(statement):
    names = {}
    exec(statement.replace("theano", ALIAS, 1), names)
    return names


@pytest.mark.parametrize(("kind", "statement"), GIVEN, ids=[statement for _, statement in GIVEN])
def test_a_statement_gives_what_it_gave(kind, statement):
    names = execute(statement)
    if kind == "names":
        assert len(names) > 2
    elif statement.startswith("import"):
        module = importlib.import_module(statement.split()[1].replace("theano", HOME, 1))
        assert importlib.import_module(statement.split()[1].replace("theano", ALIAS, 1)) is module
    else:
        assert KINDS[kind](names[statement.split()[-1]])


@pytest.mark.parametrize("statement", [statement for kind, statement in LINES if kind == "absent"])
def test_what_there_is_not_names_what_serves(statement):
    place = statement.removeprefix("from ").removeprefix("import ").replace(" import ", ".")
    with pytest.raises(ImportError) as caught:
        execute(statement)
    (reason,) = {ABSENT[part] for part in ABSENT if f"{place}.".startswith(f"theano.{part}.")}
    assert str(caught.value).endswith(f": {reason}")
    assert str(caught.value).split(":")[0] in place


def test_what_there_is_not_is_no_attribute_of_its_parent():
    """Such as an Op that has the name of one of Theano's, and other arguments."""
    for place, serves in ABSENT.items():
        parent, _, name = place.rpartition(".")
        if parent in MODULES and place not in MODULES:
            with pytest.raises(AttributeError, match=re.escape(f"theano.{place}: {serves}")):
                getattr(importlib.import_module(f"{HOME}.{parent}".rstrip(".")), name)


def test_each_row_is_a_module_and_an_attribute_of_its_parent():
    for place in filter(None, MODULES):
        module = importlib.import_module(f"{ALIAS}.{place}")
        assert module is importlib.import_module(f"{HOME}.{place}")
        parent, _, name = f"{ALIAS}.{place}".rpartition(".")
        function = getattr(importlib.import_module(parent), name)
        assert function is module or callable(function)


def test_the_modules_have_both_names_in_either_order_and_need_no_kernels():
    code = (
        "import sys\nfrom lstm_cli.theano_lstm.theano.tensor import nnet as first\nimport lstm_cli.theano.tensor.nnet\n"
        "from lstm_cli import theano\nprint(theano is lstm_cli.theano, theano.tensor.nnet is first, "
        "sys.modules['lstm_cli.theano.tensor'] is theano.tensor, theano.tensor.__spec__.name, "
        "'lstm_cli.kernels.recurrent' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "True True True lstm_cli.theano_lstm.theano.tensor False\n"


def test_functions_keep_the_names_that_their_modules_have_too():
    T = lstm_cli.theano.tensor
    modules = [
        importlib.import_module(f"{ALIAS}.{place}") for place in ("tensor.sort", "tensor.var", "compile.function")
    ]
    assert [isinstance(module, types.ModuleType) for module in modules] == [True] * 3
    assert [inspect.isfunction(f) for f in (T.sort, T.var, lstm_cli.theano.compile.function)] == [True] * 3


def test_a_star_takes_the_names_of_theano_and_leaves_pythons():
    names = execute("from theano.tensor import *")
    assert {"dot", "grad", "matrix", "nnet", "max", "sum", "shared_randomstreams", "alloc", "TensorType"} <= {*names}
    assert names.keys() & {"abs", "type", "random", "function", "np", "Any", "Sequence", "pt"} == set()
    assert {"function", "shared", "tensor", "scan", "config"} <= set(execute("from theano import *"))


@pytest.mark.parametrize(
    "statement", ["import theano.sandbox.cuda", "from theano.sandbox import cuda", "import theano.gpuarray"]
)
def test_scripts_that_try_a_gpu_go_on_without(statement):
    names = execute(f"try:\n    {statement.replace('theano', ALIAS, 1)}\nexcept ImportError:\n    cuda = None")
    assert names["cuda"] is None
    assert not hasattr(lstm_cli.theano.sandbox, "cuda")


def test_a_name_that_nobody_knows():
    with pytest.raises(ImportError, match=r"theano\.tensor\.perceptron: neither PyTensor nor lstm_cli"):
        execute("from theano.tensor import perceptron")
    with pytest.raises(ModuleNotFoundError, match=r"theano\.perceptrons: neither PyTensor nor lstm_cli"):
        execute("import theano.perceptrons")


def test_modules_can_be_read_reloaded_and_pickled_from():
    tensor = lstm_cli.theano.tensor
    assert "def stack" in inspect.getsource(tensor)
    assert importlib.reload(tensor) is tensor
    assert importlib.reload(sys.modules["lstm_cli.theano.printing"]) is lstm_cli.theano.printing
    x = tensor.dmatrix("x")
    cost = (x * lstm_cli.theano.shared(2.0)).sum()
    assert pickle.loads(pickle.dumps(cost)).type == cost.type
    for thing in (tensor.stack, lstm_cli.theano.OrderedUpdates, tensor.shared_randomstreams.RandomStreams):
        assert pickle.loads(pickle.dumps(thing)) is thing
