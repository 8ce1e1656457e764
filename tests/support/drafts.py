"""Configs that ``lstm init`` writes, loaded with their data."""

from lstm_cli import draft_config
from lstm_cli.config import load_config
from lstm_cli.data import open_data


def drafted(path, folder=None, **options):
    """The draft for a file, the config that it loads as from a folder, by default the file's, and what this opens."""
    made = (folder or path.parent) / "made.yaml"
    draft = draft_config(path, path=made, **options)
    made.write_text(draft.text)
    config = load_config(made)
    return draft, config, open_data(config)
