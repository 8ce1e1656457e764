import signal
from collections.abc import Iterator

import pytest

from lstm_cli.signals import SIGNALS


@pytest.fixture(scope="session", autouse=True)
def heard_signals() -> Iterator[None]:
    """Have signals do what they do by default, here and in the processes that tests start.

    A script's `pytest &` runs with SIGINT ignored, and so would they.
    """
    defaults = {signal.SIGINT: signal.default_int_handler, signal.SIGTERM: signal.SIG_DFL}
    ignored = [number for number in SIGNALS if signal.getsignal(number) == signal.SIG_IGN]
    for number in ignored:
        signal.signal(number, defaults[number])
    yield
    for number in ignored:
        signal.signal(number, signal.SIG_IGN)
