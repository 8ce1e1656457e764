"""The config: its grammar as typed sections, and how it is read."""

from lstm_cli.config.config import Config
from lstm_cli.config.load import config_from_mapping, config_of_text, load_config, read_resolved, resolved_config

__all__ = ["Config", "config_from_mapping", "config_of_text", "load_config", "read_resolved", "resolved_config"]
