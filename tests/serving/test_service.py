"""The service as an application: what it responds, to whom, and what it refuses."""

import asyncio
import codecs
import gzip
import json
import re
import time

import jsonschema
import numpy as np
import pytest

import lstm_cli
from lstm_cli.errors import DataError
from lstm_cli.predict import predict_run
from tests.support.data import write

httpx = pytest.importorskip("httpx", reason="the extra test has httpx, to ask the service")
app = pytest.importorskip("lstm_cli.serving.app", reason="the extra serve has starlette and uvicorn")
Limits = pytest.importorskip("lstm_cli.serving.limits").Limits
KINDS = ["numbered", "classifier", "regression", "tagger", "sets", "pendulum", "passengers", "both_ways", "averaged"]


def asked(run, requests, note=None, **limits):
    """The responses to requests (path, body, options of httpx) that are sent at once."""

    async def all_of_them():
        service = app.Service(run, Limits(**limits), note or pytest.fail)
        transport = httpx.ASGITransport(service.application)
        try:
            async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
                found = [client.post(path, content=body, **options) for path, body, options in requests]
                return await asyncio.gather(*found), service.batcher.sizes
        finally:
            await service.batcher.close()

    return asyncio.run(all_of_them())


def one(run, path, content, note=None, options=None, **limits):
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    ((response,), _) = asked(run, [(path, body, options or {})], note, **limits)
    return response


def got(run, path):
    async def ask():
        service = app.Service(run, Limits())
        async with httpx.AsyncClient(transport=httpx.ASGITransport(service.application), base_url="http://s") as client:
            return await client.get(path)

    return asyncio.run(ask())


def refused(run, path, content, status, **options):
    response = one(run, path, content, **options)
    assert response.status_code == status and list(response.json()) == ["error"], response.text
    return response.json()["error"]


@pytest.mark.parametrize("kind", KINDS)
def test_the_example_is_taken_and_predicted_as_by_the_command(loaded, kind):
    run = loaded(kind)
    schema = got(run, "/schema").json()
    jsonschema.validate(schema["example"], schema["sequence"])
    response = one(run, "/predict", {"sequences": [schema["example"]] * 2})
    assert response.status_code == 200
    assert response.json() == {"predictions": json.loads(json.dumps(run.predict([schema["example"]] * 2)))}


def test_concurrent_clients_get_their_own_predictions(loaded):
    """200 of them at once, in few calls of the network; bit for bit what each gets alone."""
    run, draw = loaded("numbered"), np.random.default_rng(1)
    own = [
        [{"id": f"c{k}-{n}", "x": draw.normal(20, 5, (1 + k % 9, 2)).round(3).tolist()} for n in range(1 + k % 3)]
        for k in range(200)
    ]
    ways = [f"/predict?probabilities={'true' if k % 2 else 'false'}" for k in range(200)]
    requests = [(way, json.dumps(given).encode(), {}) for way, given in zip(ways, own, strict=True)]
    responses, sizes = asked(run, requests, batch=64)
    for k, (given, response) in enumerate(zip(own, responses, strict=True)):
        assert response.json()["predictions"] == run.predict(given, probabilities=bool(k % 2))
    assert sum(sizes) == 200 and len(sizes) < 20 and max(sizes) == 64


def test_a_bad_request_among_others_is_refused_alone(loaded, monkeypatch):
    """Whether its sequences cannot be read, or only the network refuses them."""
    run, good = loaded("numbered"), {"id": "a", "x": [[20, 21]]}
    predictions = run.predictions

    def picky(sequences, **options):
        sequences = list(sequences)
        if any(sequence.id == "huge" for sequence in sequences):
            raise DataError("huge: too long")
        return predictions(sequences, **options)

    monkeypatch.setattr(run, "predictions", picky, raising=False)
    bodies = [[good], [{"id": "b", "x": [[1, "no"]]}], [{**good, "id": "huge"}]] * 20
    responses, sizes = asked(run, [("/predict", json.dumps(body).encode(), {}) for body in bodies])
    assert [response.status_code for response in responses] == [200, 422, 422] * 20
    assert len({response.text for response in responses}) == 3 and max(sizes) == 60


BAD = {
    "a text": [{"id": "a", "x": [[1, 2], [3, "no"]]}],
    "a width": [{"x": [[1, 2]]}, {"x": [[1, 2, 3]]}],
    "no column": [{"id": "a"}],
    "no object": [1],
    "nothing": [],
    "no columns": {},
    "missing": [{"x": [[1, None]]}],
    "cut off": b'[{"x": [[1, 2]',
    "a key twice": b'[{"x": [[1, 2]], "x": [[1, 2]]}]',
    "deep": b'[{"x": ' + b"[" * 100_000,
}


@pytest.mark.parametrize("content", BAD.values(), ids=BAD)
def test_bad_input_is_refused_in_the_words_of_the_command(loaded, trained, tmp_path, content):
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    with pytest.raises(DataError) as error:
        predict_run(trained("numbered") / "run", write(tmp_path / "request.json", body))
    expected = re.sub(r"^.*request\.json", "request", str(error.value))
    assert refused(loaded("numbered"), "/predict", body, 422) == expected


def test_what_is_no_json_is_refused(loaded):
    for body in (b"", b"x", gzip.compress(b"[]" * 1000), b"\x28\xb5\x2f\xfd", b"PAR1"):
        assert refused(loaded("numbered"), "/predict", body, 422).startswith("request: expected JSON, an array of")


def test_a_byte_order_mark_is_skipped_as_in_files(loaded):
    body = codecs.BOM_UTF8 + json.dumps([{"x": [[1, 2]]}]).encode()
    assert one(loaded("numbered"), "/predict", body).json()["predictions"] == loaded("numbered").predict(
        [{"x": [[1, 2]]}]
    )


def test_lines_are_answered_by_lines(loaded):
    run, rows = loaded("numbered"), [{"id": "ä", "x": [[1, 2]]}, {"id": "b", "x": [[3, 4]]}]
    body = "\n".join(map(json.dumps, rows)).encode()
    response = one(run, "/predict", body, options={"headers": {"content-type": "application/x-ndjson; charset=utf-8"}})
    assert response.headers["content-type"] == "application/x-ndjson"
    assert [json.loads(line) for line in response.text.splitlines()] == run.predict(rows)


def test_forecasts_are_those_of_the_run(loaded):
    run = loaded("pendulum")
    rows = [{"run": name, "a": [0.5, 0.1, 0.3], "b": [0.1, 0.2, 0.2]} for name in ("s", "t")]
    response = one(run, "/forecast?steps=4", rows)
    assert response.json()["predictions"] == run.forecast(rows, 4)
    assert refused(run, "/forecast", rows, 422) == "--steps: give the number of steps to forecast"
    assert "--steps needs a model that predicts its next input" in refused(
        loaded("numbered"), "/forecast?steps=2", [{"x": [[1, 2]]}], 422
    )


def test_known_inputs_of_later_steps_come_with_the_request(tmp_path):
    draw = np.random.default_rng(1)
    rows = ["load,heat", *(f"{a:.3f},{b:.3f}" for a, b in draw.normal(size=(40, 2)))]
    data = {"train": str(write(tmp_path / "a.csv", "\n".join(rows) + "\n")), "valid": None}
    data |= {"inputs": {"load": {}, "heat": {"known": True}}, "target": {"column": "load", "ahead": 1, "horizon": 2}}
    config = {"data": data, "model": {"layers": [3], "dropout": 0}, "train": {"epochs": 1, "monitor": "train.loss"}}
    lstm_cli.train(config | {"threads": 1}, run=tmp_path / "run", verbosity=-1)
    run = lstm_cli.load(tmp_path / "run")
    given, later = {"load": [1, 2, 3], "heat": [1, 2, 3]}, {"heat": [4, 5]}
    response = one(run, "/forecast", {"sequences": [given], "future": [later]})
    assert response.json()["predictions"] == run.forecast([given], future=[later])
    message = refused(run, "/forecast", {"sequences": [given], "future": [{"heat": [4, "x"]}]}, 422)
    assert message.startswith("future: element 1: heat: ")
    assert "a forecast needs the values of heat" in refused(run, "/forecast?steps=2", [given], 422)
    assert one(run, "/predict", [got(run, "/schema").json()["example"]]).status_code == 200


def chunked(*pieces):
    async def stream():
        for piece in pieces:
            yield piece

    return stream()


def test_limits_are_kept(loaded):
    run, small = loaded("pendulum"), {"run": "a", "a": [1, 2, 3], "b": [1, 2, 3]}
    for body in (b"[" + b" " * 1000, chunked(b"[", b" " * 500, b" " * 500)):
        ((response,), _) = asked(run, [("/predict", body, {})], most_bytes=1000)
        assert response.status_code == 413
        assert response.json()["error"].startswith("the body has more than 1,000 bytes (--max-bytes)")
    message = refused(run, "/predict", [small] * 4, 413, most_steps=11)
    assert message.endswith("steps or more in one request, and --max-steps is 11: send fewer, in several requests")
    assert one(run, "/predict", [small] * 4, most_steps=12).status_code == 200
    assert "--max-steps is 100,000" in refused(run, "/forecast?steps=999999999", [small], 413)


def slow(monkeypatch, run, seconds):
    predictions = run.predictions
    monkeypatch.setattr(run, "predictions", lambda *a, **o: time.sleep(seconds) or predictions(*a, **o), raising=False)


def test_a_request_that_takes_too_long_is_given_up(loaded, monkeypatch):
    run, body = loaded("numbered"), json.dumps([{"x": [[1, 2]]}]).encode()
    slow(monkeypatch, run, 0.5)
    responses, sizes = asked(run, [("/predict", body, {})] * 5, timeout=0.2, batch=1)
    assert {response.status_code for response in responses} == {504}
    assert responses[0].json()["error"].startswith("no response within 0.2 s (--timeout)")
    assert sizes in ([1], [])  # the others were not even begun, nor the first where the machine is slow


def test_more_than_can_be_held_is_refused_for_now(loaded, monkeypatch):
    run, body = loaded("numbered"), json.dumps([{"x": [[1, 2]]}]).encode()
    slow(monkeypatch, run, 0.3)
    responses, _ = asked(run, [("/predict", body, {})] * 40, most_bytes=len(body))
    codes = [response.status_code for response in responses]
    assert set(codes) == {200, 503} and codes.count(200) >= 16  # more where one ends before another begins
    assert next(r for r in responses if r.status_code == 503).headers["retry-after"] == "1"
    assert one(run, "/predict", body, most_bytes=len(body)).status_code == 200


def test_mistakes_of_its_own_are_in_its_log(loaded, monkeypatch):
    notes = []
    monkeypatch.setattr(loaded("numbered"), "predictions", lambda *a, **o: 1 / 0, raising=False)
    message = refused(loaded("numbered"), "/predict", [{"x": [[1, 2]]}], 500, note=notes.append)
    assert message == "unexpected ZeroDivisionError: the log of the service says more"
    assert notes == ["unexpected ZeroDivisionError: division by zero"]


@pytest.mark.parametrize(
    ("path", "status", "message"),
    [
        ("/predict?probability=true", 422, "probability=true: expected one of probabilities, steps for /predict (did"),
        ("/predict?probabilities=yes", 422, "probabilities=yes: expected true or false"),
        ("/forecast?steps=0", 422, "steps=0: expected a number of 1 or more"),
        ("/forecast?steps=-1", 422, "steps=-1: expected a number of 1 or more"),
        ("/forecast?steps=1e3", 422, "steps=1e3: expected a number"),
        ("/nowhere", 404, "Not Found"),
        ("/health", 405, "Method Not Allowed"),
    ],
)
def test_wrong_requests(loaded, path, status, message):
    assert refused(loaded("numbered"), path, [{"x": [[1, 2]]}], status).startswith(message)


def test_probabilities_of_numbers_are_refused(loaded):
    message = refused(loaded("regression"), "/predict?probabilities=true", [{"x": [[1, 2]]}], 422)
    assert message == "--probabilities: the model predicts numbers, which have none: leave it out"


def test_the_description_is_complete_and_loads_nothing(loaded):
    """Every reference leads somewhere, the page says the same, and neither names another place."""
    run = loaded("tagger")
    text, page = got(run, "/openapi.json").text, got(run, "/docs")
    document = json.loads(text)
    assert document["openapi"].startswith("3.1") and set(document["paths"]) == {
        "/predict", "/forecast", "/health", "/schema",
    }  # fmt: skip
    for name in re.findall(r'"#/components/schemas/(\w+)"', text):
        assert name in document["components"]["schemas"]
    assert not re.search(r"https?:|<script|src=", page.text)
    assert page.headers["content-security-policy"].startswith("default-src 'none'")
    assert all(f"POST {path}" in page.text for path in ("/predict", "/forecast"))
    assert got(run, "/").headers["location"] == "docs"


def test_health(loaded):
    response = got(loaded("numbered"), "/health")
    assert (response.status_code, response.json()) == (200, {"status": "ok", "run": "run"})
