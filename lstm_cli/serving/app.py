"""The service as an ASGI application: routes, limits, and errors in the words of the commands."""

import asyncio
import json
from collections.abc import Callable, Mapping
from typing import Any, Literal

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from lstm_cli.errors import ConfigError, LstmError, did_you_mean, listed, nearest, on_lines, on_one_line
from lstm_cli.predict.run import Run
from lstm_cli.serving.batcher import Batcher
from lstm_cli.serving.description import described, openapi
from lstm_cli.serving.limits import Limits
from lstm_cli.serving.page import page
from lstm_cli.serving.work import Question, TooLarge, Worker

LINES = ("application/x-ndjson", "application/jsonl", "application/jsonlines")
#: Bodies that may be held at once, in units of the largest one.
_HELD = 16
#: Nothing is loaded from elsewhere, and the page is in no other one.
_SAFE = {
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
}
_OPTIONS: dict[str, tuple[str, ...]] = {"predict": ("probabilities", "steps"), "forecast": ("steps",)}


class Service:
    """A run that responds to requests.

    Parameters
    ----------
    run : Run
    limits : Limits
    note : callable
        Called with errors that are the service's own.
    """

    def __init__(self, run: Run, limits: Limits, note: Callable[[str], None] = lambda text: None) -> None:
        self._run, self._limits, self._note = run, limits, note
        self.batcher = Batcher(Worker(run, most_steps=limits.most_steps), most=limits.batch, wait=limits.wait)
        self._held = 0

    @property
    def application(self) -> Starlette:
        """The ASGI application."""
        routes = [
            Route("/", lambda request: RedirectResponse("docs")),
            Route("/health", self._health),
            Route("/schema", self._schema),
            Route("/openapi.json", self._openapi),
            Route("/docs", self._docs),
            Route("/predict", self._predict, methods=["POST"]),
            Route("/forecast", self._forecast, methods=["POST"]),
        ]
        return Starlette(routes=routes, exception_handlers={HTTPException: _refused})

    async def _health(self, request: Request) -> Response:
        return JSONResponse({"status": "ok", "run": self._run.name})

    async def _schema(self, request: Request) -> Response:
        return JSONResponse(described(self._run.schema))

    async def _openapi(self, request: Request) -> Response:
        return JSONResponse(openapi(self._run, self._limits))

    async def _docs(self, request: Request) -> Response:
        return HTMLResponse(page(openapi(self._run, self._limits)), headers=_SAFE)

    async def _predict(self, request: Request) -> Response:
        return await self._response(request, "predict")

    async def _forecast(self, request: Request) -> Response:
        return await self._response(request, "forecast")

    async def _response(self, request: Request, kind: Literal["predict", "forecast"]) -> Response:
        lines = request.headers.get("content-type", "").partition(";")[0].strip().lower() in LINES
        held = _Held(self)
        try:
            options = _options(request.query_params, kind)
            async with asyncio.timeout(self._limits.timeout):
                body = await self._body(request, held)
                content = await self.batcher.ask(Question(kind, body, lines=lines, **options))
        except TimeoutError:
            what = f"no response within {self._limits.timeout:g} s (--timeout): send less, or try again later"
            return _error(504, what)
        except ClientDisconnect:
            return Response(status_code=400)  # to nobody
        except HTTPException:
            raise
        except TooLarge as error:
            return _error(413, str(error))
        except LstmError as error:
            return _error(422, str(error))
        except Exception as error:
            self._note(f"unexpected {type(error).__name__}: {error}")
            return _error(500, f"unexpected {type(error).__name__}: the log of the service says more")
        finally:
            held.release()
        return Response(content, media_type=LINES[0] if lines else "application/json")

    async def _body(self, request: Request, held: "_Held") -> bytes:
        """Return the body of a request, or raise the response to one that is too large."""
        most, declared = self._limits.most_bytes, request.headers.get("content-length", "")
        pieces, size = [], 0
        if declared.isdigit() and int(declared) > most:
            raise _too_many_bytes(most)
        async for piece in request.stream():
            size += len(piece)
            if size > most:
                raise _too_many_bytes(most)
            held.add(len(piece), _HELD * most)
            pieces.append(piece)
        return b"".join(pieces)


class _Held:
    """The bytes that a request holds, of those that all may."""

    def __init__(self, service: Service) -> None:
        self._service, self._own = service, 0

    def add(self, count: int, most: int) -> None:
        if self._service._held + count > most:
            raise HTTPException(503, "too many requests at once: try again later", {"retry-after": "1"})
        self._own += count
        self._service._held += count

    def release(self) -> None:
        self._service._held -= self._own


def _options(given: Mapping[str, str], kind: str) -> dict[str, Any]:
    """Return the options in the query of a request."""
    options: dict[str, Any] = {}
    for name, value in given.items():
        shown = on_one_line(f"{name}={value}")[:200]
        if name not in _OPTIONS[kind]:
            hint = did_you_mean(nearest(name, _OPTIONS[kind]))
            raise ConfigError(f"{shown}: expected one of {listed(_OPTIONS[kind])} for /{kind}{hint}")
        if name == "probabilities":
            if value not in ("true", "false"):
                raise ConfigError(f"{shown}: expected true or false")
            options[name] = value == "true"
        elif not (value.isascii() and value.isdigit() and 0 < len(value) < 10 and int(value)):
            raise ConfigError(f"{shown}: expected a number of 1 or more")
        else:
            options[name] = int(value)
    return options


def _too_many_bytes(most: int) -> HTTPException:
    return HTTPException(413, f"the body has more than {most:,} bytes (--max-bytes): send less, in several requests")


async def _refused(request: Request, error: Exception) -> Response:
    found = error if isinstance(error, HTTPException) else HTTPException(500)
    return _error(found.status_code, found.detail, found.headers)


def _error(status: int, message: str, headers: Mapping[str, str] | None = None) -> Response:
    content = json.dumps({"error": on_lines(message)}, ensure_ascii=False).encode(errors="backslashreplace")
    return Response(content, status, media_type="application/json", headers=dict(headers or {}))
