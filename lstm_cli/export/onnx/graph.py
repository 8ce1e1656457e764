"""A graph of ONNX operators under construction. A value of the graph is known by its name.

The operators are those of opset 17 (2022), which runtimes of several years have.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from lstm_cli.errors import ConfigError
from lstm_cli.run.environment import versions

if TYPE_CHECKING:
    from onnx import ModelProto

OPSET = 17
IR_VERSION = 8  # the version of the file format that came with the opset
_END = np.iinfo(np.int64).max
_LARGEST = 2**31 - 2**20  # bytes of a file of this format, less what is not weights


class Graph:
    """Operators in the order in which they run, with their constants, inputs and outputs."""

    def __init__(self) -> None:
        from onnx import helper, numpy_helper

        self._helper, self._from_array = helper, numpy_helper.from_array
        self._nodes: list[Any] = []
        self._constants: dict[str, np.ndarray] = {}
        self._inputs: list[Any] = []
        self._outputs: list[Any] = []
        self._taken: set[str] = set()

    def input(self, name: str, dtype: type, shape: Sequence[int | str]) -> str:
        """Add an input; a size that is a name is one that each call chooses."""
        self._taken.add(name)
        self._inputs.append(self._typed(name, dtype, shape))
        return name

    def output(self, value: str, name: str, dtype: type, shape: Sequence[int | str]) -> None:
        """Make a value an output of the model."""
        self._taken.add(name)
        self._nodes.append(self._helper.make_node("Identity", [value], [name]))
        self._outputs.append(self._typed(name, dtype, shape))

    def _typed(self, name: str, dtype: type, shape: Sequence[int | str] | None) -> Any:
        kind = self._helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
        return self._helper.make_tensor_value_info(name, kind, shape)

    def constant(self, value: Any, name: str = "constant", dtype: type | None = None) -> str:
        """Return a constant."""
        name = self._unused(name)
        self._constants[name] = np.asarray(value, dtype)
        return name

    def op(self, kind: str, *inputs: str, **attributes: Any) -> str:
        """Return the one output of an operator."""
        return self.ops(kind, *inputs, outputs=1, **attributes)[0]

    def ops(self, kind: str, *inputs: str, outputs: int, **attributes: Any) -> list[str]:
        """Return the outputs of an operator; an input that is not given is an empty name."""
        names = [self._unused(kind) for _ in range(outputs)]
        self._nodes.append(self._helper.make_node(kind, inputs, names, **attributes))
        return names

    def _unused(self, name: str) -> str:
        """Return a name that no value has: with a slash in front, and a number where others are called so too."""
        found = f"/{name}"
        while found in self._taken:
            found = f"/{name}.{len(self._taken)}"
        self._taken.add(found)
        return found

    def cast(self, value: str, dtype: type) -> str:
        """Return a value in another type."""
        return self.op("Cast", value, to=self._helper.np_dtype_to_tensor_dtype(np.dtype(dtype)))

    def slice(self, value: str, axis: int, start: int, stop: int | None = None) -> str:
        """Return the part of an array from `start` to before `stop` along an axis; negative ones count from its end."""
        bounds = [start, _END if stop is None else stop, axis]
        return self.op("Slice", value, *(self.constant([bound], "bound", np.int64) for bound in bounds))

    def join(self, values: Sequence[str], axis: int) -> str:
        """Return arrays one behind the other along an axis."""
        return values[0] if len(values) == 1 else self.op("Concat", *values, axis=axis)

    def reshape(self, value: str, *shape: int) -> str:
        """Return an array in another shape; 0 keeps a size, and -1 stands for what is left."""
        return self.op("Reshape", value, self.constant(shape, "shape", np.int64))

    def unsqueeze(self, value: str, *axes: int) -> str:
        """Return an array with further axes of size 1."""
        return self.op("Unsqueeze", value, self.constant(axes, "axes", np.int64))

    def places(self, value: str, axis: int) -> str:
        """Return 0, 1, … for the places along an axis of an array."""
        zero, one = (self.constant(number, "number", np.int64) for number in (0, 1))
        count = self.reshape(self.slice(self.op("Shape", value), 0, axis, axis + 1))
        return self.op("Range", zero, count, one)

    def reduce_sum(self, value: str, axis: int, *, keep: bool = False) -> str:
        """Return the sum along an axis."""
        return self.op("ReduceSum", value, self.constant([axis], "axes", np.int64), keepdims=int(keep))

    def scan(
        self,
        step: Callable[[list[str], list[str]], tuple[list[str], str]],
        states: Sequence[str],
        given: Sequence[str],
        *,
        reverse: bool,
    ) -> tuple[list[str], str]:
        """Return the final states, and an array of one output a step, of a loop over the first axis of arrays.

        `step` makes of the states and the parts of the arrays at a step the next states and the output. With `reverse`
        the loop runs from the end to the start, and so are the outputs in the order of the arrays.
        """
        inner = [[self._unused(name) for _ in values] for name, values in (("state", states), ("part", given))]
        outside, self._nodes = self._nodes, []
        after, output = step(*inner)
        self._nodes += [self._helper.make_node("Identity", [value], [self._unused("after")]) for value in after]
        named = [node.output[0] for node in self._nodes[-len(after) :]]
        kinds = [np.float32] * len(states) + [np.bool_ if name == given[-1] else np.float32 for name in given]
        entries = [self._typed(name, kind, None) for name, kind in zip([*inner[0], *inner[1]], kinds, strict=True)]
        results = [self._typed(name, np.float32, None) for name in [*named, output]]
        body = self._helper.make_graph(self._nodes, "step", entries, results)
        self._nodes = outside
        attributes: dict[str, Any] = {"scan_input_directions": [1] * len(given), "scan_output_directions": [1]}
        *finals, outputs = self.ops(
            "Scan", *states, *given, outputs=len(states) + 1, body=body, num_scan_inputs=len(given),
            **(attributes if reverse else {}),
        )  # fmt: skip
        return finals, outputs

    def model(self, metadata: Mapping[str, str], doc: str) -> "ModelProto":
        """Return the model, checked; with keys and texts that describe it."""
        import onnx

        if (size := sum(array.nbytes for array in self._constants.values())) > _LARGEST:
            raise ConfigError(f"the model has {size:,} bytes of weights, but an .onnx file has at most 2 GiB: use .npz")
        constants = [self._from_array(np.ascontiguousarray(array), name) for name, array in self._constants.items()]
        helper = self._helper
        graph = helper.make_graph(self._nodes, "lstm-cli", self._inputs, self._outputs, constants, doc_string=doc)
        model = helper.make_model(
            graph,
            opset_imports=[helper.make_opsetid("", OPSET)],
            ir_version=IR_VERSION,
            producer_name="lstm-cli",
            producer_version=versions()["lstm-cli"],
        )
        helper.set_model_props(model, dict(metadata))
        onnx.checker.check_model(model, full_check=True)
        return model
