"""What a service takes."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """What a service takes.

    Attributes
    ----------
    most_bytes, most_steps
        Of a request: bytes of its body; steps of its sequences, given and forecast ones together.
    timeout
        Seconds from the first byte of a request to its response.
    batch, wait
        Requests done together, and the seconds for which one waits for others.
    """

    most_bytes: int = 1 << 24
    most_steps: int = 100_000
    timeout: float = 30.0
    batch: int = 64
    wait: float = 0.002
