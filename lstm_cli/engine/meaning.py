"""What the rows and columns of weights stand for: inputs, tokens, labels and numbers of a target.

Two networks have a weight in common where these are the same. Legend: I inputs of the first layer, H units, K outputs.
"""

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from lstm_cli.config.config import Config
from lstm_cli.data import Schema
from lstm_cli.data.schema.following import paired_inputs, paired_targets
from lstm_cli.engine.build import parameters_of
from lstm_cli.graph.parameters import Parameter

Names = Sequence[Hashable]

#: Layers whose arrays have one row, or one number, for each output of the network.
_OF_OUTPUTS = ("output", "crf")


class Label(NamedTuple):
    """A token of an input, or a label of a target column, of which there may be new ones."""

    of: str
    name: str


@dataclass(frozen=True, eq=False)
class Side:
    """A network: of the run, or the new one."""

    config: Config
    schema: Schema
    parameters: Mapping[str, Parameter]

    @classmethod
    def of(cls, config: Config, schema: Schema) -> "Side":
        """Return the network of a config and a schema."""
        return cls(config, schema, {parameter.name: parameter for parameter in parameters_of(config, schema)})


@dataclass(frozen=True)
class Meaning:
    """What the columns of a new network are called in the run, as far as the run has them."""

    inputs: Mapping[str, str]
    targets: Mapping[str, str]

    @classmethod
    def of(cls, schema: Schema, base: Schema) -> "Meaning":
        """Return the names that a run with the schema `base` has for the columns of another one."""
        pairs = [(own, other) for own, other in paired_targets(schema, base) if other is not None]
        targets = {own.layout.target.name: other.layout.target.name for own, other in pairs}
        return cls(paired_inputs(schema.layout, base.layout), targets)

    def input(self, name: str) -> str:
        """Return what an input is called in the run; a name that it does not have for one that is new."""
        return self.inputs.get(name, f"new {name}")

    def target(self, name: str) -> str:
        """Return what a target column is called in the run, likewise."""
        return self.targets.get(name, f"new {name}")

    def parameter(self, name: str) -> str:
        """Return what a parameter is called in the run; an embedding may be that of an input of another name."""
        kind, _, column = name.partition(".")
        return f"{kind}.{self.inputs.get(column, column)}" if kind == "embedding" else name


def is_of_outputs(parameter: Parameter) -> bool:
    """Return whether an array of weights has a row, or a number, for each output of the network."""
    return parameter.name.partition(".")[0] in _OF_OUTPUTS


def inputs_of(parameter: Parameter) -> int:
    """Return how many columns of a recurrent layer's W are for its inputs; 0 for other arrays of weights."""
    if not parameter.name.startswith("layers.") or not parameter.name.endswith(".W"):
        return 0
    return parameter.shape[1] - parameter.shape[0] // len(parameter.blocks)


def names_of(parameter: Parameter, axis: int, side: Side, meaning: Meaning | None) -> Names | None:
    """Return what the rows or columns of a parameter stand for; None: they are only counted.

    Parameters
    ----------
    parameter, axis
        Which.
    side
        The network that has it.
    meaning
        Of a new network: what its columns are called in the run; None: they are called what they are.
    """
    layer, _, leaf = parameter.name.rpartition(".")
    if layer in ("layers.0", "layers.0.reverse") and leaf == "W" and axis == 1:
        inputs = inputs_of(parameter)
        names = _inputs(side, meaning)
        return [*names, *(("h", unit) for unit in range(parameter.shape[1] - inputs))] if len(names) == inputs else None
    if parameter.name.startswith("embedding.") and axis == 0:
        return [Label("", token) for token in side.schema.tokens[parameter.name.removeprefix("embedding.")].tokens]
    return _outputs(side.schema, meaning) if is_of_outputs(parameter) and (axis == 0 or layer == "crf") else None


def _inputs(side: Side, meaning: Meaning | None) -> Names:
    """Return a name for each number that enters the first layer (I,)."""
    schema, layout = side.schema, side.schema.layout

    def called(name: str) -> str:
        return name if meaning is None else meaning.input(name)

    names: list[Hashable] = []
    for name, scaling in schema.scaling.items():
        names += [("number", called(name), place) for place in range(len(scaling.center))]
    for name, labels in schema.sets.items():
        names += [("set", called(name), str(label)) for label in labels.names]
    for column in layout.filled:
        names += [("gap", called(column.name), place) for place in range(column.width * column.indicator)]
    for step in range(layout.target.ahead, layout.target.ahead + layout.target.horizon):
        for column in layout.known:
            names += [("known", step, called(column.name), place) for place in range(column.width)]
    for name in schema.tokens:
        size = side.parameters[f"embedding.{name}"].shape[1]
        names += [("embedding", called(name), place) for place in range(size)]
    return names


def _outputs(schema: Schema, meaning: Meaning | None) -> Names:
    """Return a name for each output of the network (K,)."""
    names: list[Hashable] = []
    for part in schema.parts or (schema,):
        target, name = part.target, part.layout.target.name
        called = None if meaning is None else meaning.input if target.is_next else meaning.target
        if target.labels is not None:
            own = name if meaning is None else meaning.target(name)
            names += [Label(f"{target.kind} {own}", str(label)) for label in target.labels]
            continue
        for curve in range(target.head.curves):
            seen = Counter[str]()  # a column of vectors, or of several steps, occurs several times
            for column in target.output_columns:
                names.append(("number", target.head, curve, column if called is None else called(column), seen[column]))
                seen[column] += 1
    return names
