"""What a launcher of MPI says in the environment of the processes it starts; read without MPI."""

import os

#: The variables of the process managers: MPICH, Intel MPI and Slurm's PMI; Open MPI; MVAPICH.
_VARIABLES = (
    ("PMI_RANK", "PMI_SIZE"),
    ("OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"),
    ("MV2_COMM_WORLD_RANK", "MV2_COMM_WORLD_SIZE"),
)


def rank_and_size() -> tuple[int, int]:
    """Return the rank of this process, and how many a launcher started; 0 and 1 without a launcher."""
    for rank, size in _VARIABLES:
        try:
            return int(os.environ[rank]), int(os.environ[size])
        except (KeyError, ValueError):
            continue
    return 0, 1
