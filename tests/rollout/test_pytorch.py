"""The benchmark's two sides compute the same: a loop through the pendulum here and in eager PyTorch."""

import inspect

import numpy as np
import pytest

from tests.benchmarks import closed_loop

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
UNITS = closed_loop.UNITS


def reordered(blocks):
    """Gate blocks i f o z as i f z o, and back."""
    i, f, o, z = np.split(blocks, 4)
    return np.concatenate([i, f, z, o])


def test_loss_and_gradients_are_those_of_pytorch():
    trainer, batch = (inspect.getclosurevars(closed_loop.ours(1)).nonlocals[name] for name in ("trainer", "batch"))
    step = closed_loop.pytorch(1)
    theirs = inspect.getclosurevars(step).nonlocals
    weights = trainer.model.parameters.values()
    cells = {"layers.0": theirs["first"], "layers.1": theirs["second"]}
    with torch.no_grad():
        for name, cell in cells.items():
            W = reordered(weights[f"{name}.W"])
            cell.weight_ih.copy_(torch.tensor(W[:, :-UNITS]))
            cell.weight_hh.copy_(torch.tensor(W[:, -UNITS:]))
            cell.bias_ih.copy_(torch.tensor(reordered(weights[f"{name}.b"])))
            cell.bias_hh.zero_()
        theirs["output"].weight.copy_(torch.tensor(weights["output.W"]))
        theirs["output"].bias.copy_(torch.tensor(weights["output.b"]))
    loss, _ = trainer.backpropagate(batch, None, divisor=batch.loss_divisor, seed=1, step=0)
    assert step() == pytest.approx(loss, rel=1e-5)
    trainer.model.parameters.flat.set_value(trainer.gradient.get_value())  # read the gradient by name
    gradients = trainer.model.parameters.values()
    for name, cell in cells.items():
        found = np.concatenate([cell.weight_ih.grad.numpy(), cell.weight_hh.grad.numpy()], axis=1)
        np.testing.assert_allclose(reordered(gradients[f"{name}.W"]), found, rtol=1e-3, atol=1e-6)
        np.testing.assert_allclose(reordered(gradients[f"{name}.b"]), cell.bias_ih.grad.numpy(), rtol=1e-3, atol=1e-6)
    np.testing.assert_allclose(gradients["output.W"], theirs["output"].weight.grad.numpy(), rtol=1e-3, atol=1e-6)
