"""The page that shows what OpenAPI says of the service: one file that loads nothing and runs no script."""

import json
from html import escape
from typing import Any

_STYLE = """
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 50rem; margin: 2rem auto; padding: 0 1rem; }
code, pre { font: 14px/1.4 ui-monospace, monospace; }
pre { overflow: auto; border: 1px solid #8886; border-radius: 4px; padding: .75rem; }
h2 { border-top: 1px solid #8886; margin-top: 2rem; padding-top: 1rem; overflow-wrap: anywhere; }
th, td { text-align: left; vertical-align: top; padding: .1rem 1rem .1rem 0; }
"""


def page(document: dict[str, Any]) -> str:
    """Return the page of an OpenAPI document."""
    info = document["info"]
    title = escape(info["title"])
    parts = [f"<h1>{title}</h1><p>{escape(info['description'])} <a href='openapi.json'>openapi.json</a></p>"]
    for path, methods in document["paths"].items():
        parts += [_operation(path, method, operation) for method, operation in methods.items()]
    parts.append(f"<h2>A sequence</h2>{_json(document['components']['schemas']['Sequence'])}")
    head = "<meta charset='utf-8'><meta name='viewport' content='width=device-width'>"
    body = "".join(parts)
    return (
        f"<!doctype html><html lang='en'>{head}<title>{title}</title><style>{_STYLE}</style><main>{body}</main></html>"
    )


def _operation(path: str, method: str, operation: dict[str, Any]) -> str:
    parts = [f"<h2><code>{method.upper()} {escape(path)}</code></h2><p>{escape(operation['summary'])}</p>"]
    rows = [
        (item["name"], f"{item['description']} {_type(item['schema'])}") for item in operation.get("parameters", [])
    ]
    parts += [_table("In the query", rows)] if rows else []
    if body := operation.get("requestBody"):
        parts.append(f"<p>A body such as</p>{_json(body['content']['application/json']['example'])}")
    rows = [(status, response["description"]) for status, response in operation["responses"].items()]
    return "".join([*parts, _table("Responses", rows)])


def _type(schema: dict[str, Any]) -> str:
    return ", ".join(
        [schema["type"], *(f"{key} {json.dumps(value)}" for key, value in schema.items() if key != "type")]
    )


def _table(caption: str, rows: list[tuple[str, str]]) -> str:
    cells = "".join(f"<tr><th><code>{escape(name)}</code></th><td>{escape(text)}</td></tr>" for name, text in rows)
    return f"<p>{caption}</p><table>{cells}</table>"


def _json(content: Any) -> str:
    text = json.dumps(content, ensure_ascii=False, indent=1).encode(errors="backslashreplace").decode()
    return f"<pre>{escape(text)}</pre>"
