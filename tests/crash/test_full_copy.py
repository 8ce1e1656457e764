"""A disk too small for the copy of the data that does not fit into memory: one message, and no half copy."""

import json
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.crash import needs, why_no_mount
from tests.support.runs import assert_same, small, small_config, train, write_data
from tests.support.trainings import PROGRAM

SCRIPT = """
mount -t tmpfs -o size=40k none {disk} || exit 99
cd {data}
{train}; echo "code $?" >&2
find {disk} -size +0 -type f >&2
mount -o remount,size=20m {disk}
{train}; echo "code $?" >&2
"""


@pytest.mark.slow
@needs(why_no_mount())
def test_a_disk_too_small_for_a_copy_of_the_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pyarrow", reason="copies of data are Arrow files")
    disk = tmp_path / "disk"
    disk.mkdir()
    write_data(tmp_path, sequences=400)
    settings = {"train": {"epochs": 1, "batch_size": 50}}
    (tmp_path / "small.yaml").write_text(json.dumps(small(data={"cache": "always"}, **settings)))
    command = shlex.join([sys.executable, "-c", PROGRAM, "small.yaml", "-o", "run", "-q"])
    script = SCRIPT.format(disk=disk, data=tmp_path, train=command)
    monkeypatch.setenv("LSTM_CLI_DATA", str(disk))
    done = subprocess.run(
        ["unshare", "--mount", "--map-root-user", "sh", "-c", script],
        capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip
    message, *rest = done.stderr.splitlines()
    assert message.startswith("disk: a copy of the data cannot be kept there (No space left on device): make room")
    assert rest == ["code 65", "code 0"], done.stderr  # no part of a copy was left
    train(small_config(tmp_path, **settings), tmp_path / "whole")
    assert_same(tmp_path / "run", tmp_path / "whole")
