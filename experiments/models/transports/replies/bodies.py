"""The bytes of a reply's body as JSON, whatever charset and form they come in."""

import codecs
import json
import re
from collections.abc import Mapping
from typing import Any

from autoevol.experiments.models.transports.replies.events import is_event_stream, joined_events

_CHARSET = re.compile(r"charset=[\"']?([\w.:-]+)", re.IGNORECASE)
_HTML = re.compile(r"\s*(?:<!doctype html|<html|<head|<body)", re.IGNORECASE)


def decoded(data: bytes, content_type: str) -> str:
    """Return a body as text.

    Args:
        data: The whole body.
        content_type: Of the response; its charset counts where the bytes are no UTF-8.
    """
    try:
        return data.decode("utf-8-sig")  # JSON is UTF-8 whatever the header says (RFC 8259)
    except UnicodeDecodeError:
        match = _CHARSET.search(content_type)
        return data.decode(_known_charset(match[1] if match else "utf-8"), "replace")


def parsed(text: str) -> Mapping[str, Any]:
    """Return the JSON object of a body, or the completion of an event stream.

    Raises:
        ValueError, RecursionError: It is neither.
    """
    if is_event_stream(text):
        return joined_events(text)
    body = json.loads(text, strict=False)  # servers forget to escape control characters
    if not isinstance(body, Mapping):
        raise ValueError(f"a JSON {type(body).__name__} instead of an object")
    return body


def is_html(text: str) -> bool:
    """Tell whether a body is a page for people: a login, a proxy's error."""
    return bool(_HTML.match(text))


def _known_charset(name: str) -> str:
    try:
        return codecs.lookup(name).name
    except LookupError:
        return "utf-8"
