"""Checks of a config against its data, after the data is read and before training starts."""

from collections.abc import Iterator

from lstm_cli.config.config import Config
from lstm_cli.config.model import ModelSpec
from lstm_cli.data import Schema
from lstm_cli.data.schema.target import Target
from lstm_cli.engine.column_metrics import metric_names
from lstm_cli.engine.metrics import direction
from lstm_cli.errors import ConfigError, counted, did_you_mean, nearest


def check_agreement(config: Config, schema: Schema) -> None:
    """Raise a `ConfigError` that names every key that does not fit the data, one per line."""
    problems = [str(config.error(key, problem)) for key, problem in _problems(config, schema)]
    if problems:
        raise ConfigError("\n".join(problems))


def _problems(config: Config, schema: Schema) -> Iterator[tuple[str, str]]:
    target, loss = schema.target, config.loss
    kinds = {one.kind for one in target.targets or (target,)}
    yield from misfits(config, schema)
    if "number" not in kinds and loss.distance != "squared":
        yield "loss.distance", f"for targets of kind number, but this one is of kind {target.shown_kind}: leave it out"
    yield from _spread_problems(config, schema)
    if loss.label_smoothing and "category" not in kinds:
        yield "loss.label_smoothing", f"for categories, but the target is of kind {target.shown_kind}: leave it out"
    if config.model.pool != "last" and target.per == "step":
        yield "model.pool", "the target is per step, so nothing is pooled: leave it out"
    metric = config.train.monitor.partition(".")[2]
    known = ("loss", *(name for name in metric_names(target) if direction(name) != "none"))
    if metric not in known:
        expected = [f"valid.{name}" for name in known]
        hint = did_you_mean(nearest(config.train.monitor, expected))
        yield "train.monitor", f"got {config.train.monitor}, expected one of {', '.join(expected)}{hint}"


def _spread_problems(config: Config, schema: Schema) -> Iterator[tuple[str, str]]:
    """Yield what a loss of quantiles or of a distribution does not allow."""
    targets, kind = schema.target.targets or (schema.target,), schema.target.shown_kind
    for key in ("quantiles", "distribution"):
        if getattr(config.loss, key) is not None and not any(target.kind == "number" for target in targets):
            yield f"loss.{key}", f"for targets of kind number, but this one is of kind {kind}: leave it out"
    for target in targets:
        yield from _problems_of_spread(target)


def _problems_of_spread(target: Target) -> Iterator[tuple[str, str]]:
    """Yield what does not allow the spread of a target column to be predicted."""
    if not target.head.levels:
        return
    key = "loss.distribution" if target.head.gaussian else "loss.quantiles"
    for _, chain in target.chains:
        lag = chain.shortest_lag
        if lag is not None and lag < target.horizon:
            what = f"later values are sums of {counted(target.horizon, 'difference')}, whose spread is not that of each"
            yield key, f"{what}: use seasonal_difference({target.horizon}) or more, or data.scale: window"
        if target.head.gaussian and not all(transform.lag for transform in chain.transforms):
            yield key, "its mean and deviation would be those of the logarithm, not of the target: use loss.quantiles"


def misfits(config: Config, schema: Schema) -> Iterator[tuple[str, str]]:
    """Yield the keys of the config with which no model can be built for the data, and why."""
    target, model = schema.target, config.model
    if isinstance(model.embedding, dict):
        yield from _embedding_problems(model.embedding, schema)
    yield from _layer_problems(model, schema)
    if model.crf and (target.kind != "category" or target.per != "step" or target.is_next):
        what = f"needs a category for each step, but the target is a {target.shown_kind} per {target.per}"
        yield "model.crf", f"{what}: set it to false"
    if target.kind != "number" and model.output_activation is not None:
        yield "model.output_activation", f"the target is of kind {target.shown_kind}, which has its own: leave it out"
    for name in model.pretrained.keys() - schema.tokens.keys():
        known = ", ".join(schema.tokens) or "none"
        yield f"model.pretrained.{name}", f"no such token input, expected one of {known}"
    yield from _loop_problems(config, schema)
    if model.residual and not schema.predicts_inputs:
        yield "model.residual", "needs target: next with numeric inputs only: set it to false"


def embedded(spec: ModelSpec, schema: Schema) -> int:
    """Return the width of all embeddings together."""
    sizes = spec.embedding
    return sum(sizes if isinstance(sizes, int) else sizes.get(name, 0) for name in schema.tokens)


def _layer_problems(model: ModelSpec, schema: Schema) -> Iterator[tuple[str, str]]:
    """Yield the layers whose widths do not fit those of the inputs."""
    first, last, width = model.layers[0], model.layers[-1], embedded(model, schema)
    if first.skip and first.width != schema.numeric_size + width:
        what = f"the layer outputs {first.width} numbers, but {schema.numeric_size + width} enter it"
        yield "model.layers.0.skip", f"{what}: give them one width, or leave it out"
    if not model.tie_embeddings:
        return
    if len(schema.tokens) != 1 or schema.target.kind != "category":
        yield "model.tie_embeddings", "needs one input of tokens, the one that is predicted: set it to false"
    elif last.width != width:
        fix = f"set model.embedding: {last.width}, or the last of model.layers to {width}"
        yield "model.tie_embeddings", f"the last layer outputs {last.width} numbers, an embedding has {width}: {fix}"


def _loop_problems(config: Config, schema: Schema) -> Iterator[tuple[str, str]]:
    driven = config.rollout is not None and config.rollout.dynamics is not None
    if driven != (schema.layout.closed_loop is not None):
        yield "rollout.dynamics", "the schema is that of another run: restore it"
    if config.rollout is None or driven:
        return
    target = schema.target
    if target.kind != "number" or target.size != schema.numeric_size - schema.gap_size or schema.tokens:
        kind = target.shown_kind
        yield "rollout", f"a closed loop needs numeric columns, but the target is of kind {kind}: leave it out"


def _embedding_problems(sizes: dict[str, int], schema: Schema) -> Iterator[tuple[str, str]]:
    for name in schema.tokens.keys() - sizes.keys():
        yield "model.embedding", f"no size for the token input {name}: add {name}: 64"
    for name in sizes.keys() - schema.tokens.keys():
        yield f"model.embedding.{name}", f"no such token input, expected one of {', '.join(schema.tokens) or 'none'}"
