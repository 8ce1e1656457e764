"""The processes of one training or prediction that a launcher of MPI started together: ranks.

Without a launcher there is one, a `World` of size 1, whose methods leave everything as it is.
"""

from lstm_cli.ranks.world import World

__all__ = ["World"]
