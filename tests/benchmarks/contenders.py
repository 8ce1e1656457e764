"""The same training step and the same inference, by this project and by others.

A contender takes a case and returns two functions without arguments: one training step (forward, loss, backward, clip,
Adam) and the outputs of a batch.
"""

from collections.abc import Callable
from itertools import pairwise

import numpy as np

from tests.benchmarks.cases import BLOCKS, Case

Step = Callable[[], object]
CLIP, RATE = 5.0, 1e-3


def arrays(case: Case) -> tuple[np.ndarray, np.ndarray]:
    """Return random inputs (T, B, I) or tokens (T, B), and classes (T, B)."""
    rng = np.random.default_rng(0)
    shape = (case.steps, case.batch)
    classes = rng.integers(case.outputs, size=shape)
    if case.tokens:
        return rng.integers(case.outputs, size=shape, dtype=np.int32), classes
    return rng.normal(size=(*shape, case.inputs)).astype(np.float32), classes


def ours(case: Case, threads: int) -> tuple[Step, Step]:
    """Return this project's functions, built as a run builds them."""
    from lstm_cli.config import config_from_mapping
    from lstm_cli.data import Batch
    from lstm_cli.engine.predictor import Predictor
    from lstm_cli.engine.trainer import Trainer
    from lstm_cli.graph.model import Model
    from lstm_cli.graph.objectives import objective
    from lstm_cli.graph.plan import Sizes
    from lstm_cli.kernels.runtime.threads import set_threads

    set_threads(threads)
    spec = {"embedding": case.inputs, "cell": case.cell, "layers": list(case.units), "dropout": 0.0}
    optimizer = {"name": "adam", "learning_rate": RATE, "clip_norm": CLIP}
    data = {"train": "none.jsonl", "target": "y"}
    config = config_from_mapping({"data": data, "model": {**spec, "initial_state": "zeros"}, "optimizer": optimizer})
    sizes = Sizes(*((0, {"x": case.outputs}) if case.tokens else (case.inputs, {})), case.outputs, "step")
    model = Model(config.model, sizes)
    trainer, predictor = Trainer(model, objective("category", config.loss), config.optimizer), Predictor(model)
    x, classes = arrays(case)
    real = np.arange(case.steps)[:, None] < case.lengths
    rows = np.flatnonzero(real)
    batch = Batch(
        lengths=case.lengths,
        mask=real.astype(np.float32),
        numbers=None if case.tokens else x,
        tokens={"x": x} if case.tokens else {},
        counted=rows,
        target=classes.reshape(-1)[rows],
        weight=np.ones(len(rows), np.float32),
        loss_divisor=float(len(rows)),
        sequences=np.arange(case.batch),
    )

    def train() -> None:
        trainer.backpropagate(batch, None, divisor=batch.loss_divisor, seed=0, step=0)
        trainer.gradient_norm()
        trainer.update(RATE)

    return train, lambda: predictor(batch)


def pytorch(case: Case, threads: int) -> tuple[Step, Step]:
    """Return what one would write with PyTorch: packed sequences where lengths differ."""
    import torch
    from torch import nn

    torch.set_num_threads(threads)
    torch.manual_seed(0)
    kind = {"lstm": nn.LSTM, "gru": nn.GRU, "rnn": nn.RNN}[case.cell]
    recurrent = kind(case.inputs, case.units[0], len(case.units))
    embedding = [nn.Embedding(case.outputs, case.inputs)] if case.tokens else []
    output = nn.Linear(case.units[-1], case.outputs)
    parameters = nn.ModuleList([*embedding, recurrent, output])
    optimizer = torch.optim.Adam(parameters.parameters(), RATE, fused=True)
    x, classes = arrays(case)
    lengths = torch.tensor(case.lengths)
    packing = nn.utils.rnn.pack_padded_sequence
    x, classes = torch.tensor(x), torch.tensor(classes)
    target = packing(classes, lengths).data if case.shortest else classes.flatten()

    def forward() -> torch.Tensor:
        h = embedding[0](x) if embedding else x
        h = packing(h, lengths) if case.shortest else h
        h, _ = recurrent(h)
        return output(h.data if case.shortest else h.flatten(0, 1))

    def train() -> None:
        optimizer.zero_grad(set_to_none=True)
        nn.functional.cross_entropy(forward(), target).backward()
        nn.utils.clip_grad_norm_(parameters.parameters(), CLIP)
        optimizer.step()

    def infer() -> None:
        with torch.inference_mode():
            forward()

    return train, infer


def _weights(case: Case) -> dict[str, np.ndarray]:
    """Return random weights of every layer; the output's are zeros."""
    rng, sizes = np.random.default_rng(0), [case.inputs, *case.units]
    weights = {"table": rng.normal(size=(case.outputs, case.inputs)), "V": np.zeros((case.outputs, sizes[-1]))}
    for k, (inputs, units) in enumerate(pairwise(sizes)):
        weights[f"W{k}"] = rng.normal(scale=0.1, size=(BLOCKS[case.cell] * units, inputs + units))
    return weights


def _jax_cell(kind: str) -> Callable[..., tuple[tuple, object]]:
    """Return one step of a layer for `lax.scan`: from weights, state and input to the next state and the output."""
    import jax
    from jax import numpy as jnp

    def cell(W: jax.Array, state: tuple, x: jax.Array) -> tuple[tuple, jax.Array]:
        h, c = state
        inputs, units = x.shape[1], h.shape[1]
        wx, wh = x @ W[:, :inputs].T, h @ W[:, inputs:].T
        if kind == "rnn":
            h = jnp.tanh(wx + wh)
        elif kind == "gru":
            r, u = jnp.split(jax.nn.sigmoid((wx + wh)[:, : 2 * units]), 2, 1)
            n = jnp.tanh(wx[:, 2 * units :] + r * wh[:, 2 * units :])
            h = (1 - u) * n + u * h
        else:
            i, f, o = jnp.split(jax.nn.sigmoid((wx + wh)[:, : 3 * units]), 3, 1)
            c = f * c + i * jnp.tanh((wx + wh)[:, 3 * units :])
            h = o * jnp.tanh(c)
        return (h, c), h

    return cell


def jax(case: Case, threads: int) -> tuple[Step, Step]:
    """Return a `lax.scan` under `jit`, as one writes it; padding is computed and masked. `threads` is XLA's affair."""
    import jax
    from jax import numpy as jnp

    parameters = jax.tree.map(lambda a: jnp.asarray(a, jnp.float32), _weights(case))
    x, classes = arrays(case)
    weight = (np.arange(case.steps)[:, None] < case.lengths).astype(np.float32)
    cell = _jax_cell(case.cell)

    def forward(p: dict) -> jax.Array:
        h = p["table"][x] if case.tokens else jnp.asarray(x)
        for k, units in enumerate(case.units):
            zeros = jnp.zeros((case.batch, units))
            _, h = jax.lax.scan(lambda s, x, k=k: cell(p[f"W{k}"], s, x), (zeros, zeros), h)
        return h @ p["V"].T

    def loss(p: dict) -> jax.Array:
        chosen = jnp.take_along_axis(jax.nn.log_softmax(forward(p)), jnp.asarray(classes)[..., None], 2)[..., 0]
        return -(chosen * weight).sum() / weight.sum()

    @jax.jit
    def update(p: dict, m: dict, v: dict) -> tuple[dict, dict, dict]:
        g = jax.grad(loss)(p)
        norm = jnp.sqrt(sum((a * a).sum() for a in jax.tree.leaves(g)))
        g = jax.tree.map(lambda a: a * jnp.minimum(1.0, CLIP / norm), g)
        m = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, m, g)
        v = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, v, g)
        return jax.tree.map(lambda p, m, v: p - RATE * m / (jnp.sqrt(v) + 1e-8), p, m, v), m, v

    held = [parameters, *(jax.tree.map(jnp.zeros_like, parameters) for _ in range(2))]

    def train() -> None:
        held[:] = jax.block_until_ready(update(*held))

    infer = jax.jit(forward)
    return train, lambda: jax.block_until_ready(infer(parameters))


def sgemm(case: Case, threads: int) -> tuple[Step, Step]:
    """Return a large product by the BLAS under numpy: what the processor gives at best."""
    from threadpoolctl import threadpool_limits

    threadpool_limits(threads)
    square = np.ones((SQUARE, SQUARE), np.float32)
    return lambda: square @ square, lambda: square @ square


SQUARE = 2048
CONTENDERS = {"ours": ours, "pytorch": pytorch, "jax": jax, "sgemm": sgemm}
