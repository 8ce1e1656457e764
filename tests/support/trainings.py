"""``lstm-train`` as a process of its own, which trains several runs."""

import subprocess
import sys
import time

from safetensors.numpy import load_file

PROGRAM = "from lstm_cli.cli.start import train; train()"


def trains(data, *given, text=None):
    command = [sys.executable, "-c", PROGRAM, *given]
    return subprocess.run(command, cwd=data, input=text, capture_output=True, text=True, timeout=240, check=False)


def started(data, *given):
    return subprocess.Popen([sys.executable, "-c", PROGRAM, *given], cwd=data, stderr=subprocess.PIPE, text=True)


def wait_for(process, path):
    while not path.exists():
        assert process.poll() is None
        time.sleep(0.05)


def weights(run):
    return load_file(run / "best" / "model.safetensors")
