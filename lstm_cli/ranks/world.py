"""The ranks that work together, as the rest of the package sees them; here: one alone."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # a command that prints its help needs no numpy
    import numpy as np
    from numpy.typing import NDArray


class World:
    """One process alone: every sum is its own, and nothing is sent.

    Attributes
    ----------
    rank, size : int
        Which of how many. Rank 0 alone writes and shows progress.
    asked : callable
        Whether this process was asked to stop.
    """

    rank, size = 0, 1

    def __init__(self) -> None:
        self.asked: Callable[[], bool] = lambda: False

    @property
    def stopping(self) -> bool:
        """Whether the work stops here; on every rank the same."""
        return self.asked()

    def agree_to_stop(self) -> None:
        """Let every rank know whether one was asked to stop, so that all stop at the same place."""

    def totals(self, *values: float) -> tuple[float, ...]:
        """Return numbers summed over the ranks."""
        return values

    def add_up(self, array: "NDArray[np.floating]") -> None:
        """Replace an array by its sum over the ranks."""

    def gathered(self, data: bytes) -> list[bytes]:
        """Return what every rank gives, in the order of ranks."""
        return [data]

    def replace(self, array: "np.ndarray") -> None:
        """Replace the values of an array by those that rank 0 has in it."""

    def broadcast(self, data: bytes) -> bytes:
        """Return what rank 0 gives."""
        return data

    def share_cores(self, own: list[list[int]]) -> None:
        """Give this rank its share of the machine's cores, of which it may use its own."""

    @contextmanager
    def agreed(self) -> Iterator[None]:
        """Run a block on every rank: where it fails on one, all end, and one message says why."""
        yield

    @contextmanager
    def led(self) -> Iterator[None]:
        """Run a block on every rank, in which the others `give` and rank 0 takes, and alone says what fails on all."""
        yield

    def give(self, about: str, arrays: "Sequence[np.ndarray]") -> None:
        """Send arrays to rank 0, from any other; this waits only where rank 0 is far behind."""

    def taken(self, about: str) -> "Iterator[list[np.ndarray]]":
        """Yield on rank 0 what each other rank gives, in the order of ranks.

        Raises
        ------
        DataError
            A rank gives something about something else.
        """
        yield from ()

    @contextmanager
    def one_first(self) -> Iterator[None]:
        """Run a block on one rank of every machine before the others, which find what it has compiled."""
        yield

    def rejoin(self) -> None:
        """Wait until every rank has come here, without keeping a processor busy."""

    def end(self, code: int) -> None:
        """End all other ranks at once, with an exit code."""

    def wait_for_end(self) -> None:
        """Wait until another rank ends all."""

    def ends_silently(self, error: BaseException) -> bool:
        """Return whether another rank tells about an error, so that this one keeps silent."""
        return False

    @property
    def name(self) -> str:
        """What this rank is called in messages."""
        return ""
