"""How many cores a process may use."""

import os
import sys
import types

import pytest

from lstm_cli.engine import threads


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="this system cannot bind a process to cores")
def test_only_cores_that_the_process_may_use_count() -> None:
    before = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(before)})
        assert threads.physical_cores() == 1
    finally:
        os.sched_setaffinity(0, before)


@pytest.mark.parametrize(("said", "count"), [(6, 6), (None, 12)])
def test_macos_is_asked_through_psutil(monkeypatch: pytest.MonkeyPatch, said: int | None, count: int) -> None:
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 12)
    monkeypatch.setitem(sys.modules, "psutil", types.SimpleNamespace(cpu_count=lambda *, logical: said))
    assert threads.physical_cores() == count
