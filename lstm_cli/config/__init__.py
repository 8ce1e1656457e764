"""The config: its grammar, and how it is read."""

from lstm_cli.config.config import Config
from lstm_cli.config.load import config_from_mapping, load_config, load_resolved
from lstm_cli.config.train import monitor_direction

__all__ = ["Config", "config_from_mapping", "load_config", "load_resolved", "monitor_direction"]
