"""What happens at the ends of pipes, in a real process."""

import subprocess
import sys
from pathlib import Path

import pytest

PRINTS = """
import sys
from lstm_cli.cli.common import reported
with reported(0):
    for number in range(200_000):
        print(number)
"""


def test_a_closed_pipe_is_quiet():
    writer = subprocess.Popen([sys.executable, "-c", PRINTS], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert writer.stdout.readline() == b"0\n"
    writer.stdout.close()
    errors = writer.stderr.read()
    writer.stderr.close()
    assert (writer.wait(60), errors) == (0, b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_disk_behind_standard_output_is_reported():
    command = [sys.executable, "-c", PRINTS]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 74
    (line,) = done.stderr.splitlines()
    assert line.startswith("standard output or a file: cannot be written: No space left on device: free some space")
