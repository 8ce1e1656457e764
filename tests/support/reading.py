"""Files as their readers yield them."""

from lstm_cli.data.formats import Options, detect, read
from lstm_cli.data.formats.source import Source


def read_file(path, form=None, **options):
    """The sequences and errors of a file."""
    return list(read(Source(path), form or detect(path), Options(**options)))
