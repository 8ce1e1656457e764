"""The time of day, for records."""

from datetime import datetime


def local_time() -> str:
    """Return the local time, or ``unknown`` where the system's clock is set to a time that no date can have."""
    try:
        return datetime.now().astimezone().isoformat(" ", "seconds")
    except (OverflowError, ValueError, OSError):
        return "unknown"
