"""From a target and the config to what training minimises."""

from lstm_cli.config.train import LossSpec
from lstm_cli.data.schema.several import blocks_of
from lstm_cli.data.schema.target import Target
from lstm_cli.graph.objectives import Objective, objective
from lstm_cli.graph.several import Part, Several


def objective_of(target: Target, loss: LossSpec) -> Objective:
    """Return the objective of a target, or of several columns together, with the section `loss` of the config."""
    if target.kind != "several":
        return objective(target.kind, loss)
    columns = zip(target.parts_of_outputs.items(), target.targets, blocks_of(target), strict=True)
    parts = (
        Part(
            objective_of(one, loss),
            outputs=(own.start, own.stop),
            values=(block.values.start, block.values.stop),
            known=block.known,
            categories=one.kind == "category",
            class_weights=one.class_weights,
            factor=loss.weights.get(name, 1.0),
        )
        for (name, own), one, block in columns
    )
    return Several(tuple(parts))
