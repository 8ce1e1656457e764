"""Loops as theano-lstm's scripts write them, run as one Op a layer and as the scan that was written."""

import numpy as np
from pytensor.graph.traversal import ancestors
from pytensor.scan.op import Scan

from lstm_cli.theano_lstm import dense, theano
from lstm_cli.theano_lstm.loops.gru_loop import GRULoop
from lstm_cli.theano_lstm.loops.loop import Loop
from lstm_cli.theano_lstm.theano import scan_module
from tests.support.theano_lstm import randomize

T = theano.tensor


def has(kind, variables):
    """Whether an Op of a kind computes the variables."""
    return any(isinstance(v.owner.op, kind) for v in ancestors(variables) if v.owner is not None)


def scanned(build, monkeypatch):
    """Return what a program builds where no loop is recognised."""
    with monkeypatch.context() as patch:
        patch.setattr(scan_module, "without_scan", lambda *_: None)
        return built(build)


def built(build):
    """Return inputs, outputs and what is learned of a program, its weights the same at each call."""
    dense.np_rng.seed(1)
    inputs, outputs, learned = build()
    randomize([v for v in learned if hasattr(v, "set_value")])
    return inputs, outputs, learned


def graph(inputs, outputs, learned):
    """Return a function of the outputs and of their gradients, each element of an output with a weight of its own."""
    floats = [v for v in outputs if v.dtype.startswith("float")]
    weights = [T.cos(T.arange(v.size) + k).reshape(v.shape) for k, v in enumerate(floats)]
    cost = sum((v * weight).sum() for v, weight in zip(floats, weights, strict=True))
    gradients = T.grad(cost, learned, disconnected_inputs="ignore")
    return theano.function(inputs, [*outputs, *gradients], on_unused_input="ignore")


def assert_loop_is_its_scan(build, values, monkeypatch, recognised=True):
    """Compare values and gradients of a program to 1e-12 of the largest element of each."""
    program, reference = built(build), scanned(build, monkeypatch)
    assert (has(Loop | GRULoop, program[1]), has(Scan, program[1])) == (recognised, not recognised)
    if not recognised:
        return
    for got, expected in zip(graph(*program)(*values), graph(*reference)(*values), strict=True):
        assert got.dtype == expected.dtype
        np.testing.assert_allclose(got, expected, rtol=0, atol=1e-12 * max(1e-300, abs(expected).max(initial=0)))
