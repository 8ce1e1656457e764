"""The parameters of a model: declared by name and shape, stored in one flat vector, used as views of it.

The optimizer, the gradient's norm and a checkpoint therefore each work on one block of memory.
"""

import math
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pytensor
from pytensor.graph.basic import Variable

from lstm_cli.ops.parameters import unflatten

Initializer = Callable[[np.random.Generator, tuple[int, ...]], np.ndarray]


@dataclass(frozen=True)
class Parameter:
    """One array of weights.

    Attributes
    ----------
    name : str
        Dotted path in the model, as in checkpoints: ``layers.0.W``.
    shape : tuple of int
    initializer : callable
        ``(generator, shape) -> array``.
    blocks : tuple of str
        Names of the equal blocks along the first axis (the gates), if there are several.
    """

    name: str
    shape: tuple[int, ...]
    initializer: Initializer = field(compare=False)
    blocks: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """Number of weights."""
        return math.prod(self.shape)


class ParameterStore:
    """All parameters of a model in one shared vector.

    Parameters
    ----------
    parameters : sequence of Parameter
        In their order in the vector.
    seed : int
        Every parameter has its own generator, seeded by this and its name, so that a layer's initial weights do not
        depend on the other layers.
    dtype : str
        ``float32`` or ``float64``.
    """

    def __init__(self, parameters: Sequence[Parameter], *, seed: int, dtype: str = "float32") -> None:
        self.parameters = tuple(parameters)
        ends = np.cumsum([p.size for p in self.parameters])
        self._slices = {
            p.name: slice(int(end) - p.size, int(end)) for p, end in zip(self.parameters, ends, strict=True)
        }
        values = [_start(p, seed).ravel() for p in self.parameters]
        self.flat = pytensor.shared(np.concatenate(values).astype(dtype), name="parameters")
        views = unflatten(self.flat, [p.shape for p in self.parameters])
        self.views: dict[str, Variable] = {p.name: view for p, view in zip(self.parameters, views, strict=True)}

    @property
    def size(self) -> int:
        """Number of weights of the whole model."""
        return sum(p.size for p in self.parameters)

    def segments(self) -> list[tuple[str, int, int]]:
        """Return name, start and stop in the vector of every single matrix and bias, gate by gate."""
        segments = []
        for p in self.parameters:
            start, blocks = self._slices[p.name].start, p.blocks or ("",)
            layer, _, leaf = p.name.rpartition(".")
            for k, block in enumerate(blocks):
                name = f"{layer}.{block}.{leaf}" if block else p.name
                width = p.size // len(blocks)
                segments.append((name, start + k * width, start + (k + 1) * width))
        return segments

    def of_segments(self, values: Mapping[str, float]) -> tuple[float, ...]:
        """Return a value of each segment, from one of each parameter."""
        return tuple(values[p.name] for p in self.parameters for _ in p.blocks or ("",))

    def starts(self, names: Sequence[str]) -> list[int]:
        """Return where some parameters start in the vector."""
        return [self._slices[name].start for name in names]

    def values(self) -> dict[str, np.ndarray]:
        """Return a copy of every parameter by name."""
        flat = self.flat.get_value()
        return {p.name: flat[self._slices[p.name]].reshape(p.shape) for p in self.parameters}

    def set_values(self, values: Mapping[str, np.ndarray]) -> None:
        """Set every parameter by name; names and shapes have been checked by the reader of the checkpoint."""
        flat = self.flat.get_value()
        for p in self.parameters:
            flat[self._slices[p.name]] = np.asarray(values[p.name]).reshape(-1)
        self.flat.set_value(flat, borrow=True)


def _start(parameter: Parameter, seed: int) -> np.ndarray:
    generator = np.random.default_rng([seed, zlib.crc32(parameter.name.encode())])
    return parameter.initializer(generator, parameter.shape)
