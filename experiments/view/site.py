"""The page's addresses, and what each of them replies. Everything else is not found."""

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from autoevol.experiments.artifacts.labels.file import KINDS
from autoevol.experiments.files.json_text import as_json
from autoevol.experiments.report.html import page, stylesheet
from autoevol.experiments.view.filters import FilterError, filter_of
from autoevol.experiments.view.guard import JSON, Guard, RefusedError, Request
from autoevol.experiments.view.labels import MarkError, request_of
from autoevol.experiments.view.rows import RowGoneError
from autoevol.experiments.view.run_rows import RunRows
from autoevol.program.errors import ConfigError, StorageError

_STATIC = Path(__file__).with_name("static")
_GONE = "this row is no longer in the run's files: reload the page"
_Query = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply; its size is bounded by what a filter lets through at once."""

    status: int
    kind: str
    body: bytes


class Site:
    """The page of one run.

    Args:
        rows: Of the run.
        guard: Decides which requests are answered.
    """

    def __init__(self, rows: RunRows, guard: Guard) -> None:
        self._rows, self._guard = rows, guard
        # One at a time: the index must not change under a reply.
        self._lock = threading.Lock()

    def reply(self, request: Request) -> Reply:
        """Return the reply to a request, whatever is wrong with it."""
        try:
            rest = self._guard.admitted(request)
            with self._lock:
                return self._routed(request, rest)
        except RefusedError as refusal:
            return problem(refusal.status, str(refusal))
        except (FilterError, MarkError) as error:
            return problem(HTTPStatus.BAD_REQUEST, str(error))
        except RowGoneError:
            return problem(HTTPStatus.NOT_FOUND, _GONE)
        except (ConfigError, StorageError) as error:
            return problem(HTTPStatus.INTERNAL_SERVER_ERROR, str(error))

    def _routed(self, request: Request, rest: str) -> Reply:
        path, _, query = rest.partition("?")
        handlers = _ROUTES.get(path)
        if handlers is None:
            raise RefusedError(HTTPStatus.NOT_FOUND, "there is nothing at this address")
        # A HEAD is a GET whose body is not sent.
        handler = handlers.get("GET" if request.method == "HEAD" else request.method)
        if handler is None:
            raise RefusedError(HTTPStatus.METHOD_NOT_ALLOWED, f"not by {request.method}")
        values = dict(parse_qsl(query, encoding="utf-8", errors="replace"))
        return handler(self._rows, values, request.body)


def problem(status: int, text: str) -> Reply:
    """Return the reply to a request that is not answered."""
    return _json({"problem": text}, status)


def _page(rows: RunRows, _: _Query, __: bytes) -> Reply:
    text = page("view.html.j2", name=rows.folder.absolute().name, kinds=KINDS)
    return Reply(HTTPStatus.OK, "text/html; charset=utf-8", text.encode())


def _style(_: RunRows, __: _Query, ___: bytes) -> Reply:
    text = stylesheet() + (_STATIC / "view.css").read_text("utf-8")
    return Reply(HTTPStatus.OK, "text/css; charset=utf-8", text.encode())


def _script(_: RunRows, __: _Query, ___: bytes) -> Reply:
    body = (_STATIC / "view.js").read_bytes()
    return Reply(HTTPStatus.OK, "text/javascript; charset=utf-8", body)


def _listed(rows: RunRows, query: _Query, _: bytes) -> Reply:
    return _json(rows.page(filter_of(query)))


def _row(rows: RunRows, query: _Query, _: bytes) -> Reply:
    return _json(rows.details(query.get("key", "")))


def _mark(rows: RunRows, _: _Query, body: bytes) -> Reply:
    try:
        tree = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise MarkError("a mark must be JSON") from error
    return _json(rows.mark(request_of(tree)))


_Handler = Callable[[RunRows, _Query, bytes], Reply]
_ROUTES: Mapping[str, Mapping[str, _Handler]] = {
    "": {"GET": _page},
    "view.css": {"GET": _style},
    "view.js": {"GET": _script},
    "rows": {"GET": _listed},
    "row": {"GET": _row},
    "labels": {"POST": _mark},
}
"""What there is behind the token, by address and method. Nothing else reaches a file."""


def _json(tree: Mapping[str, Any], status: int = HTTPStatus.OK) -> Reply:
    # Repaired: a page cannot show half of a surrogate pair.
    return Reply(status, f"{JSON}; charset=utf-8", as_json(tree, is_repaired=True).encode())
