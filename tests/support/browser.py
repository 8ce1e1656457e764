"""A page in headless Chromium, over the DevTools protocol on a pair of pipes."""

import base64
import fcntl
import json
import os
import select
import shutil
import signal
import subprocess
import tempfile
import time
from functools import cache
from pathlib import Path

import pytest

PROGRAM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars", "--no-first-run"),
    *("--disable-quic", "--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--disable-extensions", "--remote-debugging-pipe"),
)
SECONDS = 60  # the longest wait for an answer


# Elements that reach over the right edge and do not lie in a box that scrolls.
TOO_WIDE = """
[...document.querySelectorAll("body *")].filter((one) => {
  if (one.getBoundingClientRect().right <= innerWidth + 1) return false;
  for (let box = one.parentElement; box !== document.body; box = box.parentElement)
    if (["auto", "scroll"].includes(getComputedStyle(box).overflowX)) return false;
  return true;
}).map((one) => `${one.tagName} ${one.className.baseVal ?? one.className}`)
"""
# Words that are broken over two lines: lines break at blanks, and in long paths after a slash.
BROKEN = """
(() => {
  const text = document.createTreeWalker(document.querySelector("main"), NodeFilter.SHOW_TEXT), nodes = [];
  while (text.nextNode()) {
    const parent = text.currentNode.parentElement;
    if (parent.closest("script, svg") || getComputedStyle(parent).writingMode !== "horizontal-tb") continue;
    nodes.push(text.currentNode);
  }
  // Pieces of a word stand in neighbouring nodes; blanks, blocks and cells are between words.
  const block = (node) => {
    let one = node.parentElement;
    while (getComputedStyle(one).display === "inline") one = one.parentElement;
    return one;
  };
  const found = [];
  let word = null;
  const end = () => {
    if (word && new Set(word.tops).size > 1) found.push(word.text);
    word = null;
  };
  for (const node of nodes) {
    if (word && word.block !== block(node)) end();
    const range = document.createRange();
    for (const piece of node.data.matchAll(/\\s+|[^\\s\\/]+\\/*|\\/+/g)) {
      if (/^\\s/.test(piece[0])) { end(); continue; }
      range.setStart(node, piece.index);
      range.setEnd(node, piece.index + piece[0].length);
      word ??= {text: "", tops: [], block: block(node)};
      word.text += piece[0];
      word.tops.push(...[...range.getClientRects()].filter((box) => box.width).map((box) => Math.round(box.bottom)));
      if (piece[0].endsWith("/")) end();
    }
  }
  end();
  return found;
})()
"""


@cache
def is_browser():
    """Whether the program is one: that of some systems only says how to install it."""
    done = subprocess.run([PROGRAM, "--version"], stdin=subprocess.DEVNULL, capture_output=True, text=True)
    return done.returncode == 0 and "Chrom" in done.stdout


def _started(command, reads, writes):
    """Start a process that reads from its descriptor 3 and writes to 4; return its number."""
    ends = [fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10) for end in (reads, writes)]  # none of them 3 or 4
    actions = [(os.POSIX_SPAWN_OPEN, number, os.devnull, os.O_RDWR, 0) for number in (0, 1, 2)]
    actions += [(os.POSIX_SPAWN_DUP2, end, number) for end, number in zip(ends, (3, 4), strict=True)]
    process = os.posix_spawn(command[0], command, os.environ, file_actions=actions)
    for end in (reads, writes, *ends):
        os.close(end)
    return process


class Browser:
    """A browser with one tab. Use it as a context; `problems` are what pages wrote to the console and errors."""

    def __enter__(self):
        if not is_browser():
            pytest.skip(f"{PROGRAM} is not a browser that starts: install the package chromium")
        self._profile = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        (theirs_in, self._writes), (self._reads, theirs_out) = os.pipe(), os.pipe()
        self._process = _started((PROGRAM, f"--user-data-dir={self._profile.name}", *FLAGS), theirs_in, theirs_out)
        self._left, self._number, self._session = b"", 0, None
        self.problems, self.requests, self._loaded = [], [], set()
        try:
            target = self.call("Target.createTarget", url="about:blank")["targetId"]
            self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
            for domain in ("Page", "Runtime", "Log", "Network"):
                self.call(f"{domain}.enable")
            self.call("Page.setLifecycleEventsEnabled", enabled=True)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *error):
        os.kill(self._process, signal.SIGKILL)
        os.waitpid(self._process, 0)
        os.close(self._reads)
        os.close(self._writes)
        self._profile.cleanup()

    def call(self, method, **parameters):
        """Send a command and return its result."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._writes, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._message()
            if answer.get("id") == self._number:
                assert "error" not in answer, (method, answer["error"])
                return answer["result"]

    def show(self, path, *, width=1280, height=900, dark=False, media=""):
        """Load a page in a window of this size, in light or dark, for the screen or another medium."""
        narrow = width < 600
        self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=2 if narrow else 1,
            mobile=narrow,
        )  # fmt: skip
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", media=media, features=[scheme])
        loader = self.call("Page.navigate", url=Path(path).absolute().as_uri())["loaderId"]
        while loader not in self._loaded:  # an event of an earlier page may come late
            self._message()

    def evaluate(self, expression):
        """Return the value of an expression on the page."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def picture(self, path):
        """Write a picture of the whole page."""
        answer = self.call("Page.captureScreenshot", captureBeyondViewport=True)
        Path(path).write_bytes(base64.b64decode(answer["data"]))

    def pdf(self, path):
        """Print the page to a file."""
        answer = self.call("Page.printToPDF", printBackground=False, preferCSSPageSize=True)
        Path(path).write_bytes(base64.b64decode(answer["data"]))

    def _message(self):
        end = time.monotonic() + SECONDS
        while b"\0" not in self._left:
            ready, _, _ = select.select([self._reads], [], [], max(end - time.monotonic(), 0))
            piece = os.read(self._reads, 1 << 20) if ready else b""
            assert piece, "the browser does not answer"
            self._left += piece
        text, _, self._left = self._left.partition(b"\0")
        message = json.loads(text)
        self._note(message.get("method"), message.get("params", {}))
        return message

    def _note(self, method, parameters):
        if method == "Page.lifecycleEvent" and parameters["name"] == "load":
            self._loaded.add(parameters["loaderId"])
        elif method == "Runtime.exceptionThrown":
            self.problems.append(parameters["exceptionDetails"])
        elif method == "Runtime.consoleAPICalled":
            self.problems.append(parameters["args"])
        elif method == "Log.entryAdded":
            self.problems.append(parameters["entry"])
        elif method == "Network.requestWillBeSent":
            self.requests.append(parameters["request"]["url"])
