"""Formats that are lists of messages: ShareGPT's, OpenAI's, and TRL's prompt and completion."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from autoevol.experiments.data.formats.conversation import Message, messages_of, row_of
from autoevol.experiments.data.formats.rows import Notes, RowDict, new_row
from autoevol.experiments.files.records import Record


@dataclass(frozen=True, slots=True)
class _Dialect:
    """How a format writes a message.

    Attributes:
        role: Key of who speaks.
        text: Key of what is said.
        roles: Our words for its roles.
    """

    role: str
    text: str
    roles: Mapping[str, str]

    def read(self, record: Record, key: str) -> list[Message]:
        """Return the messages under a key."""
        found = record.value.get(key)
        if not isinstance(found, list):
            raise record.wrong(key, f"must be a list of messages, is {type(found).__name__}")
        return [self._message(record, f"{key}[{i}]", each) for i, each in enumerate(found)]

    def _message(self, record: Record, at: str, message: Any) -> Message:
        if not isinstance(message, dict) or self.role not in message or self.text not in message:
            raise record.wrong(at, f"must be an object with {self.role} and {self.text}")
        role = self.roles.get(str(message[self.role]))
        if role is None:
            known = ", ".join(self.roles)
            shown = str(message[self.role])[:40]
            raise record.wrong(f"{at}.{self.role}", f"must be one of {known}, is {shown!r}")
        return role, record.sound(f"{at}.{self.text}", _joined(message[self.text]))

    def write(self, message: Message) -> dict[str, str]:
        """Return a message in the dialect's words; the first of several names for a role."""
        name = next(name for name, role in self.roles.items() if role == message[0])
        return {self.role: name, self.text: message[1]}


def _joined(content: Any) -> Any:
    """Return OpenAI's list of text parts as one text, anything else as it is."""
    if isinstance(content, list) and content and all(map(_is_text, content)):
        return "".join(part["text"] for part in content)
    return content


def _is_text(part: Any) -> bool:
    return (
        isinstance(part, dict) and part.get("type") == "text" and isinstance(part.get("text"), str)
    )


_SHAREGPT = _Dialect(
    "from",
    "value",
    {
        "human": "user",
        "user": "user",
        "gpt": "assistant",
        "assistant": "assistant",
        "chatgpt": "assistant",
        "system": "system",
    },
)
_OPENAI = _Dialect(
    "role",
    "content",
    {"user": "user", "assistant": "assistant", "system": "system", "developer": "system"},
)


def read_sharegpt(record: Record, notes: Notes) -> RowDict:
    """Return the row of `conversations`; a `system` key beside them is the system prompt."""
    told = _SHAREGPT.read(record, "conversations")
    system = record.optional_text("system")
    if system and not any(role == "system" for role, _ in told):
        told.insert(0, ("system", system))
    return _named(record, row_of(record, "conversations", told))


def write_sharegpt(row: RowDict) -> RowDict:
    """Return `conversations`."""
    return {"conversations": [_SHAREGPT.write(message) for message in messages_of(row)]}


def read_messages(record: Record, notes: Notes) -> RowDict:
    """Return the row of `messages`."""
    return _named(record, row_of(record, "messages", _OPENAI.read(record, "messages")))


def write_messages(row: RowDict) -> RowDict:
    """Return `messages`."""
    return {"messages": [_OPENAI.write(message) for message in messages_of(row)]}


def read_trl(record: Record, notes: Notes) -> RowDict:
    """Return the row of `prompt` and `completion`, both texts or both lists of messages."""
    if isinstance(record.value.get("prompt"), str):
        row = new_row(record.text("prompt"), response=record.present_text("completion"))
        return _named(record, row)
    told = [*_OPENAI.read(record, "prompt"), *_OPENAI.read(record, "completion")]
    return _named(record, row_of(record, "prompt", told))


def write_trl(row: RowDict) -> RowDict:
    """Return `prompt`, the messages up to the last reply, and `completion`, that reply.

    TRL's SFTTrainer takes the loss on the completion alone.
    """
    told = [_OPENAI.write(message) for message in messages_of(row)]
    has_reply = told[-1]["role"] == "assistant"
    return {"prompt": told[:-1], "completion": told[-1:]} if has_reply else _unanswered(told)


def _unanswered(told: list[dict[str, str]]) -> RowDict:
    return {"prompt": told, "completion": [_OPENAI.write(("assistant", ""))]}


def _named(record: Record, row: RowDict) -> RowDict:
    return {**row, "id": record.name("id") or ""}
