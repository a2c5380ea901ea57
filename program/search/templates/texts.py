"""Templates as a method: each text that may change is the state of one predictor.

A chat prompt is a JSON list of messages. Each of its messages is a text of its own, so that no
model has to write JSON.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from autoevol.program.errors import ConfigError
from autoevol.program.search.programs.state import ProgramMethod, joined
from autoevol.signatures import Method

Messages = list[dict[str, Any]]


class TemplateTexts:
    """The texts of some templates.

    Args:
        templates: By name; a chat prompt as JSON.

    Attributes:
        method: All texts as one method, a part each, named after its template.

    Raises:
        ConfigError: There is no text to change.
    """

    def __init__(self, templates: Mapping[str, str]) -> None:
        self._templates = dict(templates)
        parts = [part for name, text in templates.items() for part in _parts(name, text)]
        if not parts:
            raise ConfigError("prompt_uris", "there is no text that could be improved")
        self.method: ProgramMethod = joined("initial", tuple(parts))

    def filled(self, method: Method) -> dict[str, str]:
        """Return the templates with the texts of a method, each in the form that it came in."""
        texts = iter([part.instructions for part in method.parts])
        return {name: _with_texts(text, texts) for name, text in self._templates.items()}


def _parts(name: str, template: str) -> Iterator[Method]:
    messages = _messages(template)
    if messages is None:
        yield Method(name, template)
        return
    for number, message in enumerate(messages, 1):
        if _is_text(message):
            yield Method(f"{name}, message {number} ({message['role']})", message["content"])


def _with_texts(template: str, texts: Iterator[str]) -> str:
    messages = _messages(template)
    if messages is None:
        return next(texts)
    return json.dumps([{**m, "content": next(texts)} if _is_text(m) else m for m in messages])


def _messages(template: str) -> Messages | None:
    """Return the messages of a chat prompt; None: it is a text."""
    try:
        messages = json.loads(template)
    except ValueError:
        return None
    is_chat = isinstance(messages, list) and all(
        isinstance(message, dict) and "role" in message for message in messages
    )
    return messages if is_chat and messages else None


def _is_text(message: Mapping[str, Any]) -> bool:
    content = message.get("content")
    return isinstance(content, str) and bool(content.strip())
