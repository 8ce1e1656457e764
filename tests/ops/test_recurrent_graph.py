"""Recurrent layers in a graph: what is computed and compiled for it, and what does not fit."""

from typing import get_args

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from pytensor.gradient import DisconnectedInputError

from lstm_cli.config.model import Activation, Cell
from lstm_cli.kernels.cells import CELLS as DECLARED
from lstm_cli.kernels.cells.activations import ACTIVATIONS
from lstm_cli.kernels.runtime.tasks import TaskKernel
from lstm_cli.ops.recurrent import Recurrent, RecurrentGradient, recurrent, recurrent_tokens
from tests.support import recurrent_problem as layers
from tests.support.ops import compiled, ops_of
from tests.support.recurrent_problem import CELLS, KINDS, RAGGED, Kind, close


def test_a_second_model_of_other_sizes_compiles_no_kernel(monkeypatch):
    for cell in CELLS:
        for dtype in ("float32", "float64"):
            layers.run(layers.make(Kind(cell, masked=True), 4, 3, 2, 5).astype(dtype))

    def refuse(kernel, kinds, arguments):
        raise AssertionError(f"{kernel.function.__name__} was compiled for {kinds}")

    monkeypatch.setattr(TaskKernel, "compile", refuse)
    for kind in KINDS:
        for dtype in ("float32", "float64"):
            layers.run(layers.make(kind, 9, 7, 11, 13, [9, 9, 1, 2, 3, 4, 5]).astype(dtype))


def test_the_config_names_the_cells_and_activations_there_are():
    assert set(get_args(Cell)) == set(DECLARED) == set(CELLS)
    assert set(get_args(Activation)) == set(ACTIVATIONS)


def test_what_nothing_reads_is_not_computed():
    kind = Kind()
    inputs, cotangents, (h, *finals), gradients = layers.graph(kind)
    forward = next(op for op in ops_of(compiled(inputs, [h, *finals])) if isinstance(op, Recurrent))
    assert not forward.keeps
    training = compiled([*inputs, *cotangents], [h, gradients[1]])
    backward = next(op for op in ops_of(training) if isinstance(op, RecurrentGradient))
    assert (backward.wanted, backward.inplace) == (False, True)
    assert next(op for op in ops_of(training) if isinstance(op, Recurrent)).keeps


def test_two_gradients_of_one_forward_pass_do_not_disturb_each_other():
    kind = Kind()
    problem = layers.make(kind, 6, 5, 3, 7, RAGGED)
    inputs, (dh, *dfinals), (h, *finals), _ = layers.graph(kind)
    W = inputs[2]
    both = [pytensor.grad(None, W, known_grads={h: dh}), pytensor.grad(None, W, known_grads={finals[0]: dfinals[0]})]
    function = compiled([*inputs, dh, *dfinals], both, on_unused_input="ignore")
    together = function(*problem.inputs, *problem.cotangents)
    alone = [
        compiled([*inputs, dh, *dfinals], g, on_unused_input="ignore")(*problem.inputs, *problem.cotangents)
        for g in both
    ]
    close(together, alone, 1e-15)
    zero = [np.zeros_like(c) for c in problem.cotangents]
    through_h = layers.function(kind)(*problem.inputs, problem.dh, *zero[1:])[4]
    close([together[0]], [through_h])


def test_no_gradient_flows_to_lengths_and_mask():
    inputs, (dh, *_), (h, *_), _ = layers.graph(Kind(masked=True))
    for variable in (inputs[-1], inputs[1]):
        with pytest.raises((DisconnectedInputError, TypeError)):
            pytensor.grad(None, variable, known_grads={h: dh}, disconnected_inputs="raise")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"lengths": np.array([3, 0, 1, 4, 6])}, r"lengths: got \[0\] for sequences \[1\] of 5, expected 1 to 6"),
        ({"lengths": np.array([3, 7, 1, 4, 6])}, r"lengths: got \[7\] for sequences \[1\] of 5, expected 1 to 6"),
        ({"lengths": np.array([3, 6])}, r"lengths: got shape \(2,\), expected \(5,\)"),
        ({"W": np.zeros((28, 11))}, r"W: got shape \(28, 11\), expected \(28, 10\)"),
        ({"b": np.zeros(7)}, r"b: got shape \(7,\), expected \(28,\)"),
        ({"mask": np.zeros((4, 7))}, r"mask: got shape \(4, 7\), expected \(5, 7\)"),
    ],
)
def test_inputs_that_do_not_fit_are_named(change, message):
    problem = layers.make(Kind(masked=True), 6, 5, 3, 7, RAGGED)
    for name, value in change.items():
        setattr(problem, name, value)
    with pytest.raises(ValueError, match=message):
        layers.run(problem)


def test_tokens_outside_the_table_are_refused():
    kind = Kind("rnn")
    problem = layers.make(kind, 2, 2, 3, 4)
    _, lengths, W, b, *initial = layers.graph(kind)[0]
    tokens, rows = pt.imatrix(), pt.dmatrix()
    function = compiled(
        [tokens, rows, lengths, W, b, *initial], recurrent_tokens(tokens, lengths, rows, W, b, initial, cell="rnn")[0]
    )
    with pytest.raises(ValueError, match="ids: got 0 to 9, expected 0 to 6, the rows of the table"):
        function(np.array([[0, 1], [9, 2]], np.int32), np.zeros((7, 3)), *problem.inputs[1:])


def test_kinds_that_do_not_fit_are_refused_when_the_graph_is_built():
    x, lengths, W, b, *initial = layers.graph(Kind("rnn"))[0]
    with pytest.raises(TypeError, match=r"lengths: got .*, expected int64 of 1 dimensions"):
        recurrent(x, pt.ivector(), W, b, initial, cell="rnn")
    with pytest.raises(TypeError, match=r"x: got .*, expected float64 of 3 dimensions"):
        recurrent(pt.ftensor3(), lengths, W, b, initial, cell="rnn")
    with pytest.raises(ValueError, match="cell: got 'mgu', expected one of rnn, lstm, gru"):
        recurrent(x, lengths, W, b, initial, cell="mgu")
    with pytest.raises(ValueError, match="activation: got 'exp', expected one of tanh"):
        recurrent(x, lengths, W, b, initial, cell="rnn", activation="exp")
