"""Formats that are lists of messages: ShareGPT's, OpenAI's, and TRL's prompt and completion."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from autoevol.experiments.data.formats.conversation import Message, messages_of, row_of
from autoevol.experiments.data.formats.rows import META, Notes, RowDict, new_row, plain
from autoevol.experiments.files.records import Record


@dataclass(frozen=True, slots=True)
class _Dialect:
    """How a format writes a message.

    Attributes:
        role: Key of the role.
        text: Key of the text.
        roles: Our roles by the format's names for them; the first name of a role is written.
    """

    role: str
    text: str
    roles: Mapping[str, str]

    def read(self, record: Record, key: str) -> list[Message]:
        """Return the messages under a key."""
        messages = record.value.get(key)
        if not isinstance(messages, list):
            raise record.error(key, f"must be a list of messages, is {type(messages).__name__}")
        return [
            self._message(record, f"{key}[{number}]", message)
            for number, message in enumerate(messages)
        ]

    def _message(self, record: Record, at: str, message: Any) -> Message:
        # Files called ShareGPT often have OpenAI's keys in their messages.
        dialect = next((d for d in (self, *_DIALECTS) if d.fits(message)), None)
        if dialect is None:
            raise record.error(at, f"must be an object with {self.role} and {self.text}")
        shown = str(message[dialect.role])
        role = _ROLES.get(shown)
        if role is None:
            names = ", ".join(self.roles)
            problem = f"must be one of {names}, is {shown[:40]!r}"
            raise record.error(f"{at}.{dialect.role}", problem)
        if any(map(message.get, _CALLS)):
            raise record.error(at, "calls a tool, which a row cannot hold")
        return role, record.checked(f"{at}.{dialect.text}", _joined(message[dialect.text]))

    def fits(self, message: Any) -> bool:
        """Tell whether a message has the format's keys."""
        return isinstance(message, dict) and self.role in message and self.text in message

    def write(self, message: Message) -> dict[str, str]:
        """Return a message with the format's keys and names."""
        name = next(name for name, role in self.roles.items() if role == message[0])
        return {self.role: name, self.text: message[1]}


def _joined(content: Any) -> Any:
    """Return OpenAI's list of text parts as one text, anything else as it is."""
    # A list with an image or another part stays a list, which the check of texts then refuses: a
    # row without its image would be another task.
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


_DIALECTS = (_SHAREGPT, _OPENAI)
_ROLES = {**_SHAREGPT.roles, **_OPENAI.roles}
_CALLS = ("tool_calls", "function_call")


def read_sharegpt(record: Record, notes: Notes) -> RowDict:
    """Return the row of `conversations`; a `system` key beside them is the system prompt."""
    return _row(record, "conversations", _SHAREGPT.read(record, "conversations"))


def _row(record: Record, key: str, messages: list[Message]) -> RowDict:
    """Return the row of messages, with a system prompt beside them, and what else they say."""
    system = record.optional_text("system")
    others = _extras(record, key)
    if system and not any(role == "system" for role, _ in messages):
        messages = [("system", system), *messages]
    elif system and system != messages[0][1]:
        others["system"] = system
    row = row_of(record, key, messages)
    meta = {**row.get(META, {}), **others}
    return {**_named(record, row), **({META: meta} if meta else {})}


def _extras(record: Record, key: str) -> dict[str, Any]:
    """Return what messages hold beside role and text, such as a weight; by message."""
    keys = {dialect.role for dialect in _DIALECTS} | {dialect.text for dialect in _DIALECTS}
    extras = [
        {name: value for name, value in message.items() if name not in keys and value is not None}
        for message in record.value[key]
    ]
    return {"message_keys": plain(extras)} if any(extras) else {}


def write_sharegpt(row: RowDict) -> RowDict:
    """Return `conversations`."""
    return {"conversations": [_SHAREGPT.write(message) for message in messages_of(row)]}


def read_messages(record: Record, notes: Notes) -> RowDict:
    """Return the row of `messages`; a `system` key beside them is the system prompt."""
    return _row(record, "messages", _OPENAI.read(record, "messages"))


def write_messages(row: RowDict) -> RowDict:
    """Return `messages`."""
    return {"messages": [_OPENAI.write(message) for message in messages_of(row)]}


def read_trl(record: Record, notes: Notes) -> RowDict:
    """Return the row of `prompt` and `completion`, both texts or both lists of messages."""
    if isinstance(record.value.get("prompt"), str):
        row = new_row(record.text("prompt"), response=record.present_text("completion"))
        system = record.optional_text("system")
        return _named(record, {**row, **({"system": system} if system else {})})
    messages = [*_OPENAI.read(record, "prompt"), *_OPENAI.read(record, "completion")]
    return _row(record, "prompt", messages)


def write_trl(row: RowDict) -> RowDict:
    """Return `prompt`, the messages up to the last reply, and `completion`, that reply.

    TRL's SFTTrainer takes the loss on the completion alone.
    """
    messages = [_OPENAI.write(message) for message in messages_of(row)]
    # An empty reply is no message, so the last one of an unanswered row is the user's; it must not
    # become the completion.
    if messages[-1]["role"] != "assistant":
        messages.append(_OPENAI.write(("assistant", "")))
    return {"prompt": messages[:-1], "completion": messages[-1:]}


def _named(record: Record, row: RowDict) -> RowDict:
    return {**row, "id": record.name("id") or ""}
