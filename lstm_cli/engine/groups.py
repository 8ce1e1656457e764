"""Checks of the groups of weights that a config names (`train.freeze`, `optimizer.rates`)."""

from collections.abc import Iterator

from lstm_cli.config.config import Config
from lstm_cli.data import Schema
from lstm_cli.errors import ConfigError, brief, did_you_mean, nearest


def check_groups(config: Config, schema: Schema) -> None:
    """Raise the `ConfigError` that names every group that the model does not have, or that nothing is left to train."""
    if config.train.freeze or config.optimizer.rates:
        problems = [str(config.error(key, problem)) for key, problem in _problems(config, schema)]
        if problems:
            raise ConfigError("\n".join(problems))


def _problems(config: Config, schema: Schema) -> Iterator[tuple[str, str]]:
    from lstm_cli.engine.build import parameters_of  # imports PyTensor
    from lstm_cli.graph.groups import groups_of, rate_factors

    parameters, freeze = parameters_of(config, schema), config.train.freeze
    known = groups_of(parameter.name for parameter in parameters)
    keys = [(f"train.freeze.{number}", name) for number, name in enumerate(freeze)]
    for key, name in (*keys, *(("optimizer.rates", name) for name in config.optimizer.rates)):
        if name not in known:
            hint = did_you_mean(nearest(name, known)) or f", expected one of {', '.join(map(brief, known))}"
            yield key, f"no weights are called {brief(name)}{hint}"
    if freeze and not any(rate_factors(parameters, freeze, {}).values()):
        yield "train.freeze", "all weights are frozen, and nothing is left to train: leave a group out"
