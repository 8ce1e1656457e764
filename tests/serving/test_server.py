"""The service as a process: real sockets, a signal in the middle of a request, what keeps it from starting."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from queue import Queue

import numpy as np
import pytest
from click.testing import CliRunner

from lstm_cli.cli.group import main
from lstm_cli.serving.limits import Limits
from lstm_cli.serving.server import serve
from tests.support.paths import ROOT

pytest.importorskip("uvicorn", reason="the extra serve has starlette and uvicorn")
COMMAND = [sys.executable, "-c", "from lstm_cli.cli.start import main; main()", "serve"]


@contextmanager
def serving(run, *options):
    """A service at a free port: the process, and the port."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [*COMMAND, str(run), "--port", "0", *options]
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as process:
        try:
            line = process.stderr.readline()
            found = re.fullmatch(r"serving run at http://127\.0\.0\.1:(\d+) .*\n", line)
            assert found, line + process.stderr.read()
            yield process, int(found[1])
        finally:
            process.kill()


def predictions(port, sequences):
    request = urllib.request.Request(f"http://127.0.0.1:{port}/predict", json.dumps(sequences).encode())
    with urllib.request.urlopen(request, timeout=60) as response:
        return json.loads(response.read())["predictions"]


def served(run, client, limits):
    """What a client in a thread returns, which is called with the port and ends the service by a signal."""
    port, found = Queue(), Queue()

    def note(text):
        port.put(int(re.search(r":(\d+) ", text)[1]))

    thread = threading.Thread(target=lambda: found.put(client(port.get(timeout=60))))
    thread.start()
    serve(run, host="127.0.0.1", port=0, limits=limits, note=note)
    thread.join()
    return found.get(timeout=1)


def end():
    os.kill(os.getpid(), signal.SIGTERM)


def test_a_request_that_was_received_gets_its_response_before_the_end(trained, loaded):
    """SIGTERM while half of a body is there: new connections are refused, the rest is taken, the command ends."""
    found = served(trained("numbered") / "run", lambda port: half_interrupted(port, end), Limits())
    assert found == loaded("numbered").predict(BODY)


def stopping_in_the_second_request(port):
    """Return the response to a first request, and what comes after the half of a second one."""
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        connection.sendall(b"GET /health HTTP/1.1\r\nhost: s\r\n\r\n")
        response = b""
        while not response.endswith(b"}"):
            piece = connection.recv(1000)
            if not piece:
                return response, b""
            response += piece
        connection.sendall(b"POST /predict HTTP/1.1\r\nhost: s\r\n")
        return response, connection.recv(1000)


def test_a_connection_without_a_request_is_closed(trained):
    """One that sends nothing, and one that stops in its second request."""

    def client(port):
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
                first = connection.recv(1000)
            for _ in range(50):  # a process that the machine leaves waiting may send its first request too late
                second, third = stopping_in_the_second_request(port)
                if second:
                    break
            return first, second, third
        finally:
            end()

    first, second, third = served(trained("numbered") / "run", client, Limits(timeout=0.2))
    assert (first, second[:15], third) == (b"", b"HTTP/1.1 200 OK", b"")


BODY = [{"id": "a", "x": [[20, 21]]}]


def half_interrupted(port, interrupt):
    """The response to a request of which half was sent before an interruption, and the rest when that was noticed."""
    body = json.dumps(BODY).encode()
    head = f"POST /predict HTTP/1.1\r\nhost: s\r\ncontent-length: {len(body)}\r\nexpect: 100-continue\r\n\r\n"
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        connection.sendall(head.encode())
        assert b"100" in connection.recv(100)
        connection.sendall(body[:10])
        interrupt()
        while not is_refused(port):
            time.sleep(0.01)
        connection.sendall(body[10:])
        response = b"".join(iter(lambda: connection.recv(1 << 16), b""))
    assert b"200 OK" in response
    return json.loads(response.partition(b"\r\n\r\n")[2])["predictions"]


def is_refused(port):
    try:
        socket.create_connection(("127.0.0.1", port), timeout=60).close()
    except ConnectionRefusedError:
        return True
    except ConnectionError:  # it was in the queue when that was closed
        return False
    return False


@pytest.mark.slow
def test_two_hundred_clients_lose_and_mix_nothing(trained, loaded):
    """Of a real process, each several times; a bad one in between gets its error."""
    run, draw = loaded("numbered"), np.random.default_rng(1)
    own = [[{"id": f"c{k}", "x": draw.normal(20, 5, (1 + k % 30, 2)).round(3).tolist()}] for k in range(200)]
    expected = [run.predict(sequences) for sequences in own]

    def client(k):
        with pytest.raises(urllib.error.HTTPError, match="422"):
            predictions(port, [{"id": f"bad{k}", "x": [["no", 1]]}])
        return [predictions(port, own[k]) for _ in range(5)]

    with serving(trained("numbered") / "run") as (process, port):
        with ThreadPoolExecutor(200) as clients:
            found = list(clients.map(client, range(200)))
        assert found == [[predicted] * 5 for predicted in expected]
        assert half_interrupted(port, lambda: process.send_signal(signal.SIGTERM)) == run.predict(BODY)
        assert process.wait(60) == 0


def test_a_port_in_use_is_named(trained):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        result = CliRunner().invoke(main, ["serve", str(trained("numbered") / "run"), "--port", str(port)])
    assert result.exit_code == 2
    assert result.stderr.startswith(f"127.0.0.1:{port}: cannot listen there (Address already in use): give another")


def test_an_unknown_host_and_a_missing_run_are_named(trained, tmp_path):
    result = CliRunner().invoke(main, ["serve", str(trained("numbered") / "run"), "--host", "256.0.0.1"])
    assert (result.exit_code, result.stderr.startswith("--host 256.0.0.1: ")) == (2, True)
    result = CliRunner().invoke(main, ["serve", str(tmp_path / "nothing"), "--port", "0"])
    assert result.exit_code == 65


def test_without_the_extra_the_command_says_what_to_install(trained, monkeypatch):
    for name in [*sys.modules]:
        if name.split(".")[0] == "starlette" or name.startswith("lstm_cli.serving.app"):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "starlette", None)
    result = CliRunner().invoke(main, ["serve", str(trained("numbered") / "run")])
    assert result.exit_code == 2
    assert result.stderr.startswith("lstm serve needs starlette and uvicorn")
    assert result.stderr.endswith("pip install 'lstm-cli[serve]'\n")
