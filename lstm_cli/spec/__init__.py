"""The config: its grammar, and how it is read."""

from lstm_cli.spec.config import Config
from lstm_cli.spec.load import config_from_mapping, load_config, load_resolved
from lstm_cli.spec.train import monitor_direction

__all__ = ["Config", "config_from_mapping", "load_config", "load_resolved", "monitor_direction"]
