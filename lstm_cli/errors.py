"""The errors a user can meet, each with the exit code that the commands return for it."""

from typing import ClassVar


class LstmError(Exception):
    """Something a user can act on: one message, no traceback."""

    exit_code: ClassVar[int] = 1


class ConfigError(LstmError):
    """The config or the command line is wrong. Holds every problem found, one a line."""

    exit_code = 2


class DataError(LstmError):
    """A data file is missing, unreadable or holds a row that cannot be used."""

    exit_code = 65


class CheckpointError(LstmError):
    """A checkpoint is missing, damaged or of another model."""

    exit_code = 65


class Diverged(LstmError):
    """Training reached a loss, gradient or weight that is not finite."""

    exit_code = 70


class DiskError(LstmError):
    """The disk is full or the place cannot be written."""

    exit_code = 74


class RunBusy(LstmError):
    """Another process is using the run folder."""

    exit_code = 75


class Interrupted(LstmError):
    """A signal stopped the run after a checkpoint was written."""

    def __init__(self, message: str, signal_number: int) -> None:
        super().__init__(message)
        self.exit_code = 128 + signal_number  # 130 for SIGINT, 143 for SIGTERM
