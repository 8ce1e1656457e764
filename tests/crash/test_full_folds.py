"""A disk that fills up while the folds of a cross-validation train: one message, and nothing lost."""

import json
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.crash import needs, why_no_mount
from tests.support.runs import assert_same, small, write_data
from tests.support.trainings import PROGRAM, trains

SCRIPT = """
mount -t tmpfs -o size={size} none {disk} || exit 99
head -c 1060000 /dev/zero > {disk}/filler
cd {data}
{train}; echo "code $?" >&2
rm {disk}/filler
{train} --resume=auto; echo "code $?" >&2
cp -r {disk}/run {kept}
"""


@pytest.mark.slow
@needs(why_no_mount())
def test_a_disk_that_fills_up_while_folds_train(tmp_path: Path) -> None:
    data, disk, kept = tmp_path, tmp_path / "disk", tmp_path / "kept"
    write_data(data)
    disk.mkdir()
    (data / "small.yaml").write_text(json.dumps(small(train={"epochs": 2})))
    whole = trains(data, "small.yaml", "--folds", "2", "-o", "whole")
    assert whole.returncode == 0, whole.stderr
    train = shlex.join([sys.executable, "-c", PROGRAM, "small.yaml", "--folds", "2", "-o", str(disk / "run")])
    script = SCRIPT.format(size="1200k", disk=disk, data=data, kept=kept, train=train)
    command = ["unshare", "--mount", "--map-root-user", "sh", "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr
    full, resumed = done.stderr.partition("code 74\n")[::2]
    assert full.count("No space left on device") >= 1 and "code" not in full.replace("exit code", "")
    assert resumed.endswith("code 0\n"), done.stderr
    for number in (1, 2):
        assert_same(kept / f"fold-{number}", data / "whole" / f"fold-{number}")
    for name in ("out_of_fold.csv", "folds.json"):
        assert (kept / name).read_text() == (data / "whole" / name).read_text()
