"""The place of this process among those that a launcher of MPI started."""

from functools import cache

from lstm_cli.errors import ConfigError
from lstm_cli.ranks.launcher import rank_and_size
from lstm_cli.ranks.world import World

_INSTALL = "install both: pip install 'lstm-cli[mpi]'"


def joined() -> World:
    """Return the ranks that work together; the first call starts MPI, if a launcher started several processes.

    Raises
    ------
    ConfigError
        There are several, but mpi4py or the library of MPI is missing, or not that of the launcher.
    """
    _, size = rank_and_size()
    return World() if size == 1 else _mpi(size)


def joined_before() -> World:
    """Return the ranks that work together, if `joined` has started MPI; else this process alone."""
    return joined() if _mpi.cache_info().currsize else World()


@cache
def _mpi(size: int) -> World:
    try:
        from lstm_cli.ranks.mpi import MpiWorld
    except (ImportError, RuntimeError) as error:
        reason = str(error).partition("\n")[0]
        raise ConfigError(
            f"started as {size} ranks of MPI, but mpi4py or its library is missing ({reason}): {_INSTALL}"
        ) from None
    world = MpiWorld()
    if world.size != size:
        raise ConfigError(
            f"started as {size} ranks, but MPI knows of {world.size}: use the mpiexec of the MPI that mpi4py uses"
        )
    return world
