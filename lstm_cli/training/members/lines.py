"""Lines on a stream, above a bar while there is one."""

from typing import TextIO

from tqdm import tqdm


class Lines:
    """What shows the progress of several trainings writes through this.

    Parameters
    ----------
    stream
        Standard error.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._bar: tqdm | None = None

    def close(self) -> None:
        """Remove the bar."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    def _write(self, text: str) -> None:
        if self._bar is not None:
            tqdm.write(text, file=self._stream)
        else:
            self._stream.write(text + "\n")
            self._stream.flush()
