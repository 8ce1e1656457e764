"""What a resumed run may change: nothing of what was done, and of what follows only what the new value says."""

import os
import shutil
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from lstm_cli.errors import ConfigError, Interrupted
from lstm_cli.run.checkpoint import load
from lstm_cli.run.names import LAST
from lstm_cli.training.events import EpochDone, Evaluated, StepDone
from tests.config.test_resume_rules import RULES
