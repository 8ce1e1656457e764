"""What a run takes and gives, as JSON: its columns with an example, and the service as OpenAPI 3.1 describes it."""

from importlib.metadata import version
from typing import Any

from lstm_cli.data import Schema
from lstm_cli.data.schema.layout import Column
from lstm_cli.predict.run import Run
from lstm_cli.serving.limits import Limits

_STEPS = 3


def described(schema: Schema) -> dict[str, Any]:
    """Return the columns that sequences have, what is predicted, and a sequence as an example."""
    targets = [_target(own) for own in schema.columns.values()]
    found: dict[str, Any] = {"sequence": _sequence(schema), "example": example(schema)}
    return found | ({"targets": targets} if schema.parts else {"target": targets[0]})


def _target(schema: Schema) -> dict[str, Any]:
    """Return what is predicted of one column."""
    target = schema.target
    found: dict[str, Any] = {"name": schema.layout.target.name, "kind": target.kind, "per": target.per}
    if target.horizon > 1:
        found["horizon"] = target.horizon
    if target.labels is not None:
        found["labels"] = list(target.labels)
    return found


def _columns(schema: Schema) -> list[Column]:
    """Return the inputs that stand in the data, each once."""
    return list({column.source: column for column in schema.layout.inputs if column.calendar is None}.values())


def _sequence(schema: Schema) -> dict[str, Any]:
    """Return the JSON Schema of a sequence."""
    layout = schema.layout
    properties: dict[str, Any] = {name: {"type": ["string", "integer"]} for name in layout.id}
    if layout.time is not None:
        properties[layout.time] = {"type": "array", "items": {"type": ["string", "number"]}}
    for column in _columns(schema):
        properties[column.source] = _column(column)
    required = [column.source for column in _columns(schema)] + [layout.time] * (layout.time is not None)
    return {"type": "object", "properties": properties, "required": required}


def _column(column: Column) -> dict[str, Any]:
    """Return the JSON Schema of the values of an input, one for each step unless it is static."""
    number: dict[str, Any] = {"type": ["number", "null"] if column.fill != "stop" else "number"}
    match column.kind:
        case "number" if column.width > 1:
            step = {"type": "array", "items": number, "minItems": column.width, "maxItems": column.width}
        case "number":
            step = number
        case "tokens":
            step = {"type": ["string", "number", "boolean"]}
        case "set":
            step = {"type": "array", "items": {"type": ["string", "number", "boolean"]}}
    if column.static:
        return step
    steps = {"type": "array", "items": step, "minItems": 1}
    return {"anyOf": [steps, {"type": "string"}]} if column.kind == "tokens" and column.text is not False else steps


def example(schema: Schema) -> dict[str, Any]:
    """Return a sequence that the run takes; of a target of few steps it is long enough to have an output."""
    layout = schema.layout
    steps = _STEPS + layout.lag + (layout.target.reach if layout.known else 0)
    found: dict[str, Any] = dict.fromkeys(layout.id, "a")
    if layout.time is not None:
        found[layout.time] = [*range(steps)] if layout.time_form == "number" else _dates(steps)
    for column in _columns(schema):
        step = _step(schema, column)
        found[column.source] = step if column.static or layout.closed_loop is not None else [step] * steps
    return found


def _dates(steps: int) -> list[str]:
    return [f"2020-{1 + day // 28 % 12:02d}-{1 + day % 28:02d}" for day in range(steps)]


def _step(schema: Schema, column: Column) -> Any:
    match column.kind:
        case "number":
            return 1.0 if column.width == 1 else [1.0] * column.width
        case "tokens":
            return schema.tokens[column.name].tokens[-1]
        case "set":
            return [schema.sets[column.name].names[0]]


def openapi(run: Run, limits: Limits) -> dict[str, Any]:
    """Return the service as OpenAPI 3.1 describes it."""
    name = run.name
    paths: dict[str, Any] = {
        "/predict": {"post": _operation(run.schema, "Predict the sequences of the body.", ["probabilities"])},
        "/forecast": {"post": _operation(run.schema, "Forecast the steps after the last of each sequence.", ["steps"])},
        "/health": {
            "get": _plain("The status ok while the service takes requests; one that ends refuses connections.")
        },
        "/schema": {"get": _plain("The columns of a sequence, with an example, and the target.")},
    }
    if run.drives:
        operation = _operation(run.schema, "Drive the system from each start.", ["steps"])
        paths = {**paths, "/predict": {"post": operation}}
    elif run.schema.target.kind == "number":
        paths["/predict"]["post"]["parameters"] = []
    limited = (
        f"A request has at most {limits.most_bytes:,} bytes and {limits.most_steps:,} steps, given and forecast ones "
        f"together, and is responded to within {limits.timeout:g} s."
    )
    return {
        "openapi": "3.1.0",
        "info": {"title": name, "version": version("lstm-cli"), "description": limited},
        "paths": paths,
        "components": {
            "schemas": {
                "Sequence": _sequence(run.schema),
                "Error": {"type": "object", "properties": {"error": {"type": "string"}}, "required": ["error"]},
            }
        },
    }


_PARAMETERS = {
    "probabilities": ("Add the probability of every label.", {"type": "boolean", "default": False}),
    "steps": ("How many steps.", {"type": "integer", "minimum": 1}),
}
_ERRORS = {
    "413": "The request has too many bytes or steps.",
    "422": "The request cannot be used; the message is that of lstm-predict.",
    "503": "Too many requests at once: try again later.",
    "504": "There was no response in time.",
}


def _plain(summary: str) -> dict[str, Any]:
    return {"summary": summary, "responses": {"200": {"description": "As JSON."}}}


def _operation(schema: Schema, summary: str, options: list[str]) -> dict[str, Any]:
    reference = {"$ref": "#/components/schemas/Sequence"}
    several = {"type": "object", "properties": {"sequences": {"type": "array", "items": reference}}}
    row = {"type": "object", "properties": {"id": {}, "prediction": {}}, "required": ["id", "prediction"]}
    rows = {"type": "object", "properties": {"predictions": {"type": "array", "items": row}}}
    problem = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    return {
        "summary": summary,
        "parameters": [
            {"name": name, "in": "query", "description": _PARAMETERS[name][0], "schema": _PARAMETERS[name][1]}
            for name in options
        ],
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {"schema": several, "example": {"sequences": [example(schema)]}},
                "application/x-ndjson": {"schema": reference},
            },
        },
        "responses": {
            "200": {
                "description": "A row for each sequence, in order.",
                "content": {"application/json": {"schema": rows}, "application/x-ndjson": {"schema": row}},
            },
            **{status: {"description": text, "content": problem} for status, text in _ERRORS.items()},
        },
    }
