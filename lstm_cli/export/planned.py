"""The recurrent layers of a run, planned without building its model."""

from lstm_cli.engine.saved import SavedRun
from lstm_cli.graph.plan import LayerPlan, embedding_sizes, plan_layers


def planned_layers(run: SavedRun) -> tuple[LayerPlan, ...]:
    """Return the recurrent layers of a run's model, from the input to the output."""
    spec, schema = run.config.model, run.schema
    return plan_layers(spec, schema.numeric_size + sum(embedding_sizes(spec.embedding, schema.tokens).values()))
