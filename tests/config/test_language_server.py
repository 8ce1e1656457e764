"""What an editor shows for a config with its line for editors, by the YAML language server itself."""

import itertools
import json
import shutil
import subprocess
from pathlib import Path

import pytest

from lstm_cli.config.json_schema import schema_line, with_schema_line
from tests.support.paths import ROOT

CACHED = sorted(Path.home().glob(".npm/_npx/*/node_modules/.bin/yaml-language-server"))
SERVER = shutil.which("yaml-language-server") or next(map(str, CACHED), None)
pytestmark = pytest.mark.skipif(SERVER is None, reason="needs yaml-language-server (npm install -g), not found")

CONFIG = with_schema_line("""\
data:
  train: a.csv
  target: y
model:
  cell: lstn
  dropout: 0.5
TYPED
optimizer: {name: adam, rho: 0.9}
train:
  schedule: x
""").replace("TYPED", "  ")
LINES = CONFIG.splitlines()


class Server:
    """The server, spoken to in the Language Server Protocol on its standard streams, with one document open."""

    def __init__(self, path, text):
        self.process = subprocess.Popen([SERVER, "--stdio"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.numbers = itertools.count()
        self.uri = path.as_uri()
        self.diagnostics = None
        self.request("initialize", processId=None, rootUri=None, capabilities={})
        self.send({"method": "initialized", "params": {}})
        document = {"uri": self.uri, "languageId": "yaml", "version": 1, "text": text}
        self.send({"method": "textDocument/didOpen", "params": {"textDocument": document}})

    def send(self, message):
        content = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n%b" % (len(content), content))
        self.process.stdin.flush()

    def receive(self):
        size = None
        while header := self.process.stdout.readline().strip():
            name, _, value = header.partition(b":")
            size = int(value) if name.lower() == b"content-length" else size
        message = json.loads(self.process.stdout.read(size))
        if "id" in message and "method" in message:  # a question of the server, such as for settings: there are none
            items = message["params"].get("items") if message.get("params") else None
            self.send({"id": message["id"], "result": items and [None] * len(items)})
        if message.get("method") == "textDocument/publishDiagnostics":
            self.diagnostics = message["params"]["diagnostics"]
        return message

    def request(self, method, **params):
        number = f"request {next(self.numbers)}"
        self.send({"id": number, "method": method, "params": params})
        while (message := self.receive()).get("id") != number:
            pass
        return message["result"]

    def at(self, method, line, column):
        position = {"line": line, "character": column}
        return self.request(f"textDocument/{method}", textDocument={"uri": self.uri}, position=position)

    def completions(self, line, column):
        return {item["label"] for item in self.at("completion", line, column)["items"]}

    def hover(self, line, column):
        return self.at("hover", line, column)["contents"]["value"]

    def problems(self):
        while self.diagnostics is None:
            self.receive()
        return [(found["range"]["start"]["line"], found["message"]) for found in self.diagnostics]


@pytest.fixture
def opened(tmp_path):
    servers = []

    def start(path, text):
        servers.append(Server(path, text))
        return servers[-1]

    yield start
    for server in servers:
        server.process.kill()
        server.process.communicate()


def test_keys_and_values_are_completed_explained_and_checked(opened, tmp_path):
    server = opened(tmp_path / "mine.yaml", CONFIG)
    model, cell, schedule = (LINES.index(line) for line in ("model:", "  cell: lstn", "  schedule: x"))
    keys = server.completions(LINES.index("  "), 2)
    assert {"layers", "embedding", "bidirectional", "pool"} <= keys
    assert not {"cell", "dropout", "epochs"} & keys  # those that are there, and those of other sections
    assert server.completions(cell, len("  cell: ")) >= {"lstm", "gru", "rnn"}
    assert server.completions(schedule, len("  schedule: ")) >= {"cosine", "plateau", "constant"}
    assert "Embeddings, recurrent layers, dropout and the output layer." in server.hover(model, 1)
    assert "Dropout rate on embeddings, between layers and before the output layer." in server.hover(cell + 1, 3)
    problems = server.problems()
    assert (cell, 'Value is not accepted. Valid values: "lstm", "gru", "rnn".') in problems
    assert (LINES.index("optimizer: {name: adam, rho: 0.9}"), "Property rho is not allowed.") in problems
    assert schedule in {line for line, _ in problems}


def test_a_shipped_config_finds_its_schema_beside_it(opened):
    path = ROOT / "configs" / "quickstart.yaml"
    text = path.read_text(encoding="utf-8")
    assert text.startswith(schema_line("../lstm_cli/config/lstm-config.schema.json") + "\n")
    server = opened(path, text)
    assert server.problems() == []
    assert "Type of the recurrent cells." in server.hover(text.splitlines().index("model:") + 1, 3)
