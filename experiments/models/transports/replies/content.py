"""The text and the thinking of a message, in the forms in which providers send them."""

from collections.abc import Iterator, Mapping
from typing import Any

_THINKING_FIELDS = ("reasoning_content", "reasoning", "thinking", "reasoning_text", "thought")
_THINKING_LISTS = ("thinking_blocks", "reasoning_details")
_THINKING_PARTS = ("thinking", "reasoning", "reasoning_text", "thought", "redacted_thinking")


def text_of(content: object) -> str:
    """Return the text of a message's content: a string, or parts with a text each.

    Raises:
        ValueError: It is neither.
    """
    if content is None:
        return ""
    if isinstance(content, str):
        return content
    return "".join(_string(part) for part in _parts(content) if not _is_thinking(part))


def thinking_of(message: Mapping[str, Any]) -> str:
    """Return what a message holds apart from its text: fields, blocks and parts of thinking."""
    fields = [_flat(message.get(name)) for name in _THINKING_FIELDS]
    lists = [_flat(message.get(name)) for name in _THINKING_LISTS]
    content = message.get("content")
    parts = content if isinstance(content, list) else []
    inside = [_string(part) for part in parts if _is_thinking(part)]
    # Gateways send the same thinking in several fields, so each text counts once.
    return "\n\n".join(dict.fromkeys(text.strip() for text in (*fields, *lists, *inside) if text))


def _parts(content: object) -> Iterator[object]:
    if isinstance(content, list):
        yield from content
    elif isinstance(content, Mapping):
        yield content
    else:
        raise ValueError(f"content is a {type(content).__name__}")


def _is_thinking(part: object) -> bool:
    return isinstance(part, Mapping) and (
        part.get("type") in _THINKING_PARTS or part.get("thought") is True
    )


def _flat(value: object) -> str:
    """Return the text of a field that is a string, a part or a list of parts; "" for others."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return "".join(map(_flat, value))
    return _string(value) if isinstance(value, Mapping) else ""


def _string(part: object) -> str:
    """Return the text of a part: under its type's name, or under `text`, at any depth."""
    if not isinstance(part, Mapping):
        return part if isinstance(part, str) else ""
    for name in ("text", "thinking", "reasoning", "content", "summary", "value"):
        if text := _flat(part.get(name)):
            return text
    return ""
