"""A terminal: a command that runs on one, and what it then shows."""

import fcntl
import io
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from collections.abc import Sequence
from pathlib import Path

from tests.support.paths import ROOT

_ESCAPE = re.compile(r"\x1b\[([0-9;]*)([A-Za-z])")


class Shown:
    """What a terminal of unlimited height shows after some output, and what it has shown on the way.

    Attributes
    ----------
    lines
        The lines at the end, without colours.
    widest
        The most columns that any line has had.
    """

    def __init__(self, output: str) -> None:
        self.lines, self.widest = [""], 0
        row = column = place = 0
        while place < len(output):
            if match := _ESCAPE.match(output, place):
                place = match.end()
                if match[2] == "A":
                    row = max(0, row - int(match[1] or 1))
                elif match[2] == "K":
                    self.lines[row] = self.lines[row][:column]
                else:
                    assert match[2] == "m", f"an unknown sequence: {match[0]!r}"
                continue
            sign, place = output[place], place + 1
            if sign == "\r":
                column = 0
            elif sign == "\n":
                row, column = row + 1, 0
                self.lines += [""] * (row + 1 - len(self.lines))
            else:
                line = self.lines[row].ljust(column)
                self.lines[row] = line[:column] + sign + line[column + 1 :]
                column += 1
                self.widest = max(self.widest, column)
        self.lines = [line.rstrip() for line in self.lines]

    @property
    def text(self) -> str:
        return "\n".join(self.lines)


class FakeTerminal(io.StringIO):
    """A stream that says that it is a terminal of a number of columns."""

    def __init__(self, columns: int, *, encoding: str = "utf-8") -> None:
        super().__init__()
        self._encoding = encoding
        self._inner, self._outer = pty.openpty()
        fcntl.ioctl(self._outer, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self._encoding

    def isatty(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._outer

    def __del__(self) -> None:
        os.close(self._inner)
        os.close(self._outer)


def on_terminal(
    words: Sequence[str | Path],
    *,
    columns: int = 80,
    folder: Path | None = None,
    after: str = "",
    send: int = 0,
    **environment: str,
) -> tuple[int, str]:
    """Run a command on a terminal of a number of columns; return its exit code and all that it wrote.

    Once it has written `after`, the signal `send` is sent to it.
    """
    inner, outer = pty.openpty()
    fcntl.ioctl(outer, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    named = {"TERM": "xterm", "PYTHONPATH": str(ROOT), **environment}
    kept = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "COLUMNS")}
    process = subprocess.Popen(
        [str(word) for word in words], stdin=outer, stdout=outer, stderr=outer, cwd=folder, env={**kept, **named}
    )
    os.close(outer)
    output = b""
    while True:
        try:
            piece = os.read(inner, 1 << 16)
        except OSError:  # so ends a terminal on Linux
            break
        if not piece:
            break
        output += piece
        if send and after.encode() in output:
            process.send_signal(send)
            send = 0
    os.close(inner)
    return process.wait(), output.decode().replace("\r\n", "\n")


def command(name: str) -> list[str]:
    """Return the words that start one of the commands: train, predict or main."""
    return [sys.executable, "-c", f"from lstm_cli.cli.start import {name}; {name}()"]
