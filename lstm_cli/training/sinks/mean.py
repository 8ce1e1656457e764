"""The mean of the losses that are shown."""


class Mean:
    """Mean loss of the updates since the last evaluation."""

    def __init__(self) -> None:
        self._sum, self._count = 0.0, 0

    def add(self, loss: float) -> float:
        """Add a loss; return the mean of all so far."""
        self._sum, self._count = self._sum + loss, self._count + 1
        return self._sum / self._count
