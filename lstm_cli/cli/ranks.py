"""Commands started by a launcher of MPI: rank 0 alone prints, and most commands run as one process."""

import sys
from typing import Any

import click

from lstm_cli.cli.environment import discard
from lstm_cli.ranks.launcher import rank_and_size


def check_alone(what: str, *, given: object = True) -> None:
    """Refuse, where a launcher of MPI started several processes, what is given and runs as one."""
    size = rank_and_size()[1]
    if given and size > 1:
        raise click.UsageError(f"{what}: cannot be shared by {size} ranks of MPI: start it without mpiexec.")


class OneVoice(click.Command):
    """A command whose messages about the command line, help and version are printed by rank 0 alone."""

    def main(self, *args: Any, **extra: Any) -> Any:
        """Run the command, and end the process."""
        if rank_and_size()[0] == 0:
            return super().main(*args, **extra)
        discard(sys.stdout)
        try:
            code = super().main(*args, **{**extra, "standalone_mode": False})
        except click.ClickException as error:
            code = error.exit_code
        except click.Abort:
            code = 1
        sys.exit(code if isinstance(code, int) else 0)
