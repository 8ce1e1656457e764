"""A PostgreSQL server of its own, from Debian's packages, in a temporary folder."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path

PROGRAMS = next((path.parent for path in sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), reverse=True)), None)


def reason():
    """Return why there can be no server here; empty if there can."""
    if PROGRAMS is None:
        return "no PostgreSQL: apt-get install postgresql"
    if os.getuid() == 0:
        try:
            pwd.getpwnam("postgres")
        except KeyError:
            return "root may not run PostgreSQL, and there is no user postgres"
    return ""


class Server:
    """A server that runs from `start` to `stop`; its database `study` is at `address`."""

    def __init__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))
        self._user = {"user": "postgres", "group": "postgres", "extra_groups": []} if os.getuid() == 0 else {}
        if self._user:
            shutil.chown(self.folder, "postgres", "postgres")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self._run("initdb", "-A", "trust", "-U", "me", "-D", self.folder / "data")
        self.start()
        self._run("createdb", "-h", "127.0.0.1", "-p", str(self.port), "-U", "me", "study")

    @property
    def address(self):
        return f"postgresql://me:secret@127.0.0.1:{self.port}/study"

    def start(self):
        options = f"-p {self.port} -k {self.folder} -c listen_addresses=127.0.0.1"
        log = self.folder / "log"
        self._run("pg_ctl", "-w", "-D", self.folder / "data", "-l", log, "-o", options, "start")

    def stop(self, mode="immediate"):
        """Stop it; ``immediate`` as if it had crashed."""
        self._run("pg_ctl", "-w", "-m", mode, "-D", self.folder / "data", "stop")

    def remove(self):
        subprocess.run(
            [PROGRAMS / "pg_ctl", "-m", "immediate", "-D", self.folder / "data", "stop"],
            check=False, capture_output=True, cwd=self.folder, **self._user,
        )  # fmt: skip
        shutil.rmtree(self.folder)

    def _run(self, program, *words):
        subprocess.run(
            [PROGRAMS / program, *words], check=True, cwd=self.folder, timeout=60, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **self._user,
        )  # fmt: skip
