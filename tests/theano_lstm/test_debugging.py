"""Modes that watch how a function computes."""

import pickle

import numpy as np
import pytest
from pytensor.compile.debug.debugmode import BadDestroyMap

from lstm_cli import theano
from lstm_cli.theano.compile.debugmode import DebugMode
from lstm_cli.theano.compile.monitormode import detect_nan
from lstm_cli.theano.tensor.shared_randomstreams import RandomStreams

T = theano.tensor
X = np.ones((2, 3))
seen = []


def watch(number, node, fn):
    seen.append((number, type(node.op).__name__, [cell[0].shape for cell in fn.inputs], [c[0] for c in fn.outputs]))


def test_monitor_sees_every_node():
    x = T.matrix("x")
    mode = theano.compile.MonitorMode(post_func=watch)
    for used in (mode, pickle.loads(pickle.dumps(mode))):
        seen.clear()
        theano.function([x], T.exp(x).sum(), mode=used)(X)
        assert [number for number, *_ in seen] == [0, 1]
        assert seen[0][2] == [(2, 3)]
        np.testing.assert_allclose(seen[1][3][0], 6 * np.e)


def test_monitor_detects_nan(capsys):
    x = T.matrix("x")
    mode = theano.compile.MonitorMode(post_func=detect_nan, optimizer="fast_compile").excluding("fusion")
    states, _ = theano.scan(lambda x, h: T.log(x) + h, sequences=x, outputs_info=T.zeros(3))
    function = theano.function([x], [T.log(x).sum(), states[-1]], mode=mode)
    function(X)
    assert "NaN" not in capsys.readouterr().out
    function(-X)
    assert "*** NaN detected ***" in capsys.readouterr().out


class Doubled(theano.gof.Op):
    __props__ = ()

    def make_node(self, x):
        return theano.gof.Apply(self, [x], [x.type()])

    def perform(self, node, inputs, outputs):
        inputs[0][...] *= 2
        outputs[0][0] = inputs[0]


def test_debug_mode_checks_ops_and_runs_what_is_right():
    x, W = T.matrix("x"), theano.shared(np.ones((3, 2)))
    p = T.nnet.softmax(T.dot(x * RandomStreams(1).uniform(x.shape), W))
    states, _ = theano.scan(lambda x, h: T.tanh(x + h), sequences=x, outputs_info=T.zeros(3))
    updates = [(W, W - T.grad(p[0, 0], W))]
    assert np.isfinite(theano.function([x], states.sum() + p.sum(), updates=updates, mode=DebugMode())(X))
    with pytest.raises(BadDestroyMap):
        theano.function([x], Doubled()(x), mode=DebugMode())(X)
