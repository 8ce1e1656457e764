"""A worker of a sweep in a process of its own, with stand-ins for trainings: FOLDER TRIALS PAUSE [STORAGE]."""

import sys
from pathlib import Path

from lstm_cli.errors import LstmError
from lstm_cli.sweeps import run
from lstm_cli.sweeps.shown import Shown
from tests.support.sweeps import standin, swept


def main():
    folder, trials, pause, *storage = sys.argv[1:]
    run.train_command = standin(float(pause))
    Path(folder).mkdir(exist_ok=True)
    try:
        swept(Path(folder), Shown(sys.stderr, quiet=False), workers=1, trials=int(trials), storage=(*storage, None)[0])
    except LstmError as error:
        print(error, file=sys.stderr)
        sys.exit(error.exit_code)


main()
