"""An event stream (SSE) of a completion, joined into the completion's body."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

_JOINED = ("content", "reasoning_content", "reasoning", "thinking", "refusal", "text")
"""Fields whose pieces make up one text."""


def is_event_stream(text: str) -> bool:
    """Tell whether a body is an event stream, whatever its content type says."""
    return text.lstrip("\ufeff \r\n").startswith(("data:", "event:", ": ", ":\n", "id:"))


def joined_events(text: str) -> dict[str, Any]:
    """Return the completion that the events of a stream make up.

    Raises:
        ValueError: An event is no JSON, or there is none.
    """
    message: dict[str, str] = {}
    body: dict[str, Any] = {}
    choice: dict[str, Any] = {}
    positions: list[Any] = []
    is_empty = True
    for event in _events(text):
        is_empty = False
        body.update({key: event[key] for key in ("error", "usage") if event.get(key)})
        for part in _first_choice(event):
            choice.update({k: part[k] for k in ("finish_reason", "error") if part.get(k)})
            positions += _positions(part)
            _add(message, part.get("delta") or part.get("message") or part)
    if is_empty:
        raise ValueError("an event stream without events")
    if "error" in body:
        return body
    whole = {**choice, "message": message, "logprobs": {"content": positions}}
    return {**body, "choices": [whole]}


def _events(text: str) -> Iterator[Mapping[str, Any]]:
    for block in text.replace("\r\n", "\n").lstrip("\ufeff").split("\n\n"):
        lines = (line for line in block.split("\n") if line.startswith("data:"))
        data = "\n".join(line.removeprefix("data:").strip() for line in lines)
        if data and data != "[DONE]":
            event = json.loads(data, strict=False)
            if isinstance(event, Mapping):
                yield event


def _first_choice(event: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield the piece of the first choice; an event of usage or of an error has none."""
    choices = event.get("choices")
    for part in choices if isinstance(choices, list) else ():
        if isinstance(part, Mapping) and not part.get("index"):
            yield part


def _positions(part: Mapping[str, Any]) -> list[Any]:
    """Return the log-probabilities of a piece, one entry a token."""
    logprobs = part.get("logprobs")
    content = logprobs.get("content") if isinstance(logprobs, Mapping) else None
    return content if isinstance(content, list) else []


def _add(message: dict[str, str], delta: object) -> None:
    if not isinstance(delta, Mapping):
        return
    for name in _JOINED:
        piece = delta.get(name)
        if isinstance(piece, str):
            message[name] = message.get(name, "") + piece
