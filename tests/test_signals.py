"""The first signal asks a process to stop, the second of a person ends it, and a warning only asks."""

import signal
import subprocess
import sys
import textwrap
import threading
import time

import pytest

from lstm_cli.errors import Interrupted
from lstm_cli.signals import ASKED, SIGNALS, WARNINGS, Signals, end_undisturbed

BOTH = pytest.mark.parametrize("number", ASKED, ids=lambda number: number.name)
EACH = pytest.mark.parametrize("number", SIGNALS, ids=lambda number: number.name)
# SIGALRM is taken in this process: the time limit of every test comes as one.
HERE = tuple(number for number in SIGNALS if number != signal.SIGALRM)
EACH_HERE = pytest.mark.parametrize("number", HERE, ids=lambda number: number.name)


def start(script: str) -> subprocess.Popen:
    command = [sys.executable, "-c", textwrap.dedent(script)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert process.stdout.readline() == "ready\n"
    return process


@EACH_HERE
def test_the_first_signal_is_noted_and_the_block_continues(number: int) -> None:
    with Signals() as signals:
        assert signals.received is None
        signal.raise_signal(number)
        assert signals.received == number
    error = signals.interrupted("after step 3, which is saved")
    assert str(error) == f"stopped by {signal.Signals(number).name} after step 3, which is saved"
    assert error.exit_code == 128 + number
    assert (128 + signal.SIGINT, 128 + signal.SIGTERM, 128 + signal.SIGHUP) == (130, 143, 129)


def test_handlers_are_put_back() -> None:
    before = [signal.getsignal(number) for number in SIGNALS]
    with Signals():
        assert all(signal.getsignal(number) != signal.SIG_DFL for number in HERE)
    assert [signal.getsignal(number) for number in SIGNALS] == before


@BOTH
def test_the_second_signal_ends_the_process_at_once(number: int) -> None:
    process = start("""
        import time
        from lstm_cli.signals import Signals
        with Signals() as signals:
            print("ready", flush=True)
            while not signals.received:
                time.sleep(0.01)
            print("unflushed", end="")
            while True:
                time.sleep(60)
    """)
    process.send_signal(signal.SIGINT)
    time.sleep(0.2)
    process.send_signal(number)
    assert process.wait(timeout=30) == 128 + number  # half of what it sleeps
    assert process.stdout.read() == "unflushed"
    process.stdout.close()


@EACH
@pytest.mark.parametrize("within", [True, False], ids=["before the handlers are put back", "after that"])
def test_a_signal_after_the_first_was_obeyed_changes_nothing(number: int, within: bool) -> None:
    script = f"""
        import signal, sys
        from lstm_cli.signals import SIGNALS, Signals, end_at_once
        end_at_once()
        with Signals() as signals:
            signal.raise_signal({int(number)})
            error = signals.interrupted("after all was saved")
            if {within}:
                for number in SIGNALS:
                    signal.raise_signal(number)
        for number in SIGNALS:
            signal.raise_signal(number)
        print(error)
        sys.exit(error.exit_code)
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (128 + number, "")
    assert done.stdout == f"stopped by {signal.Signals(number).name} after all was saved\n"


@EACH
def test_work_that_can_be_left_is_left_at_once(number: int) -> None:
    process = start("""
        import sys
        from lstm_cli.errors import Interrupted
        from lstm_cli.signals import Signals
        try:
            with Signals() as signals, signals.at_once():
                print("ready", flush=True)
                while True:
                    pass
        except Interrupted as error:
            print(error)
            sys.exit(error.exit_code)
    """)
    process.send_signal(number)
    assert process.wait(timeout=30) == 128 + number
    assert process.stdout.read() == f"stopped by {signal.Signals(number).name} before the next step; nothing was lost\n"
    process.stdout.close()


HANGS = {
    "the exception is lost in a callback": """
        @ctypes.CFUNCTYPE(None)
        def callback():
            end = time.monotonic() + 0.5
            while time.monotonic() < end:
                pass
        print("ready", flush=True)
        while True:
            callback()
    """,
    "compiled code never returns": """
        lock, mutex = ctypes.CDLL(None).pthread_mutex_lock, ctypes.create_string_buffer(64)
        lock(mutex)
        print("ready", flush=True)
        lock(mutex)
    """,
}


@BOTH
@pytest.mark.parametrize("work", HANGS)
def test_work_that_does_not_notice_is_left_all_the_same(number: int, work: str) -> None:
    process = start(f"""
        import ctypes, sys, time
        from lstm_cli.errors import Interrupted
        from lstm_cli.signals import Signals

        def work():
            {textwrap.indent(textwrap.dedent(HANGS[work]), " " * 12).strip()}

        try:
            with Signals() as signals, signals.at_once():
                work()
        except Interrupted as error:
            sys.stderr.write(f"{{error}}\\n")
            sys.exit(error.exit_code)
    """)
    process.send_signal(number)
    assert process.wait(timeout=30) == 128 + number
    assert process.stdout.read() == f"stopped by {signal.Signals(number).name} before the next step; nothing was lost\n"
    process.stdout.close()


def test_the_process_is_as_before_after_work_that_can_be_left() -> None:
    before = threading.active_count(), sys.unraisablehook, signal.set_wakeup_fd(-1)
    with Signals() as signals, signals.at_once():
        assert threading.active_count() == before[0] + 1
    assert (threading.active_count(), sys.unraisablehook, signal.set_wakeup_fd(-1)) == before


def test_a_signal_that_surfaces_as_another_error_is_an_interruption() -> None:
    with Signals() as signals, pytest.raises(Interrupted), signals.at_once():
        try:
            signal.raise_signal(signal.SIGINT)
        except KeyboardInterrupt:
            raise SystemError("returned a result with an exception set") from None


def test_a_swallowed_signal_is_an_interruption_at_the_end_of_the_block() -> None:
    with Signals() as signals, pytest.raises(Interrupted), signals.at_once():
        try:
            signal.raise_signal(signal.SIGINT)
        except KeyboardInterrupt:
            pass


def test_a_signal_from_before_does_not_let_the_block_begin() -> None:
    with Signals() as signals:
        signal.raise_signal(signal.SIGTERM)
        with pytest.raises(Interrupted), signals.at_once():
            pytest.fail("began")


def test_other_errors_pass() -> None:
    with Signals() as signals, pytest.raises(ZeroDivisionError), signals.at_once():
        _ = 1 / 0


def test_handlers_of_others_stay_at_the_end_of_a_command() -> None:
    """Those of a program that calls a command's function."""
    before = {number: signal.getsignal(number) for number in SIGNALS}
    try:
        end_undisturbed()
        assert {number: signal.getsignal(number) for number in SIGNALS} == before
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def test_nothing_happens_in_another_thread() -> None:
    before = [signal.getsignal(number) for number in SIGNALS]
    found = []

    def inside() -> None:
        with Signals() as signals, signals.at_once():
            found.append([signal.getsignal(number) for number in SIGNALS])

    thread = threading.Thread(target=inside)
    thread.start()
    thread.join()
    assert found == [before]


@EACH_HERE
def test_a_signal_that_is_ignored_stays_ignored(number: int) -> None:
    before = signal.signal(number, signal.SIG_IGN)
    try:
        with Signals() as signals:
            signal.raise_signal(number)
            assert signals.received is None
    finally:
        signal.signal(number, before)


@pytest.mark.parametrize("number", WARNINGS, ids=lambda number: number.name)
def test_a_warning_that_the_program_handles_is_left_to_it(number: int) -> None:
    heard: list[int] = []
    before = signal.signal(number, lambda number, frame: heard.append(number))
    try:
        with Signals() as signals, signals.at_once():
            signal.raise_signal(number)
        assert (heard, signals.received) == ([number], None)
    finally:
        signal.signal(number, before)


@EACH_HERE
def test_warnings_never_end_the_process_at_once(number: int) -> None:
    """SIGXCPU comes every second, SIGHUP twice, and SIGTERM after most warnings, while the state is being saved."""
    with Signals() as signals:
        for warning in (number, *HERE[2:], *HERE[2:]):
            signal.raise_signal(warning)
        if number in WARNINGS:
            signal.raise_signal(signal.SIGTERM)
        assert signals.received == number


def test_a_repeated_warning_does_not_interrupt_the_clean_up() -> None:
    done = False
    with Signals() as signals, pytest.raises(Interrupted), signals.at_once():
        try:
            signal.raise_signal(signal.SIGXCPU)
        finally:
            signal.raise_signal(signal.SIGXCPU)
            signal.raise_signal(signal.SIGTERM)
            done = True
    assert done
