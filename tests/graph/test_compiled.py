"""What is in the compiled functions: a few fat Ops, no loop in Python, nothing compiled for a size."""

from collections import Counter

import pytest
from numba.core import caching

from lstm_cli.ops.elementwise import NumpyElementwise
from tests.support.graph import network, random_batch

NETWORKS = {
    "tagger": {"tokens": {"w": 9}, "numbers": 0, "dropout": 0.1, "recurrent_dropout": 0.2},
    "tagger both ways": {"tokens": {"w": 9}, "dropout": 0.1, "recurrent_dropout": 0.2, "bidirectional": True},
    "classifier": {"per": "sequence", "dropout": 0.1, "recurrent_dropout": 0.2},
    "mean of a gru": {"per": "sequence", "pool": "mean", "cell": "gru", "bidirectional": True},
    "attention": {"kind": "number", "per": "sequence", "pool": "attention", "cell": "rnn"},
    "largest": {"kind": "set", "per": "sequence", "pool": "max", "initial_state": "zeros"},
    "forecaster": {"kind": "number", "loss": {"distance": "huber"}},
    "forecaster of changes": {"kind": "number", "outputs": 3, "residual": True},
    "language model": {"numbers": 0, "tokens": {"w": 9}},
    **{f"output {name}": {"kind": "number", "output_activation": name} for name in ("tanh", "relu", "softsign")},
}
every_network = pytest.mark.parametrize("case", NETWORKS)

# Ops of PyTensor that return a view, a shape or a single number.
FREE = {"DimShuffle", "MakeVector", "Reshape", "ScalarFromTensor", "Shape", "Subtensor"}
# Those that copy, where there is more than one part: inputs side by side, both directions, all states.
COPYING = {"Join", "Split"}


def functions(case):
    """Return every compiled function of a network by name."""
    built = network(precision="float32", **NETWORKS[case])
    return {
        "first gradient": built.trainer._set_gradient,
        "further gradient": built.trainer._add_gradient,
        "update": built.trainer._update,
        "norm": built.trainer._norm,
        "evaluation": built.evaluator._function,
        "prediction": built.predictor._function,
    }


def nodes(function):
    return function.__wrapped__.maker.fgraph.toposort()


@every_network
def test_only_our_ops_work_on_arrays(case):
    """No scan, no copy, nothing that calls Python for every element."""
    for name, function in functions(case).items():
        arrays = [node for node in nodes(function) if node.outputs[0].type.ndim]
        foreign = {type(n.op).__name__ for n in arrays if not type(n.op).__module__.startswith("lstm_cli.ops")}
        assert foreign <= FREE | COPYING, f"{name}: {foreign}"


@every_network
def test_elementwise_ops(case):
    """They are what the output (N, K) goes through, with its gradient, and sums of two gradients (T, B, H).

    A value has two gradients where both directions read it, and where attention does beside the pooling.
    """
    options = NETWORKS[case]
    reads_twice = options.get("bidirectional") or options.get("pool") == "attention"
    for name, function in functions(case).items():
        for node in nodes(function):
            if isinstance(node.op, NumpyElementwise) and (dimensions := node.outputs[0].type.ndim):
                sums = dimensions == 3 and str(node.op.scalar_op) == "add" and reads_twice
                output = dimensions == 2 and options.keys() & {"output_activation", "residual"}
                assert sums or output, f"{name}: {node.op}"


def test_a_step_is_few_ops():
    """Each layer takes its pass, its dropout and their gradients."""

    def count(layers, **options):
        built = network(layers=layers, tokens={"w": 9}, numbers=0, **options)
        return len(built.trainer._set_gradient.__wrapped__.maker.fgraph.apply_nodes)

    assert count([5]) <= 20
    assert count([5, 5]) - count([5]) == 2
    assert count([5, 5], dropout=0.1) - count([5], dropout=0.1) <= 5
    assert count([5, 5], dropout=0.1, recurrent_dropout=0.1) - count([5], dropout=0.1, recurrent_dropout=0.1) <= 8


def test_dropout_before_the_output_acts_only_on_what_reaches_it():
    for case in ("tagger", "classifier", "tagger both ways"):
        found = nodes(functions(case)["first gradient"])
        (dense,) = (node for node in found if type(node.op).__name__ == "Dense")
        dropout = dense.inputs[0].owner
        assert (type(dropout.op).__name__, dropout.inputs[0].type.ndim) == ("Dropout", 2)
        assert Counter(type(node.op).__name__ for node in found)["Dropout"] == 2 * (3 if "tagger" in case else 2)


def use(network, lengths):
    """Train, evaluate and predict once."""
    batch = random_batch(network, lengths)
    network.gradient(batch)
    network.gradient(batch, part=1)
    network.trainer.gradient_norm()
    network.trainer.update(0.1)
    network.loss(batch)
    network.outputs(batch)


@pytest.mark.parametrize(("cell", "per"), [("lstm", "step"), ("gru", "sequence"), ("rnn", "step")])
def test_a_model_of_other_sizes_compiles_no_kernel(cell, per, monkeypatch):
    """For each kernel and choice of dtypes numba asks once whether it is on disk: never from the second model on."""
    options = {"cell": cell, "per": per, "dropout": 0.1, "recurrent_dropout": 0.1, "bidirectional": True}
    use(network(precision="float32", tokens={"w": 9}, layers=[16, 16], **options), [30] * 40)
    wanted = []
    monkeypatch.setattr(caching.Cache, "load_overload", lambda self, signature, context: wanted.append(self._name))
    other = network(precision="float32", tokens={"w": 500}, numbers=1, layers=[3, 65, 17], outputs=2, **options)
    for lengths in ([1], [7, 3, 1], [50] * 70):
        use(other, lengths)
    assert wanted == []
