"""A row as a conversation: who says what, in order."""

from collections.abc import Sequence

from autoevol.experiments.data.formats.rows import RowDict, new_row, prompt_of
from autoevol.experiments.files.records import Record

Message = tuple[str, str]
"""Role and text; the roles are `system`, `user` and `assistant`."""


def is_conversation(row: RowDict) -> bool:
    """Tell whether a row has several user turns with their replies."""
    return bool(row.get("turns") and row.get("answers"))


def exchanges(row: RowDict) -> list[tuple[str, str]]:
    """Return what the user says and what the assistant replies, oldest first."""
    if is_conversation(row):
        return list(zip(row["turns"], row["answers"], strict=True))
    return [(prompt_of(row), row.get("response") or "")]


def is_answered(row: RowDict) -> bool:
    """Tell whether every user turn has a reply that is not blank."""
    return all(reply.strip() for _, reply in exchanges(row))


def messages_of(row: RowDict) -> list[Message]:
    """Return the conversation; a reply that is missing is left out."""
    system = row.get("system")
    told = [("system", system)] if system else []
    for said, reply in exchanges(row):
        told.append(("user", said))
        if reply:
            told.append(("assistant", reply))
    return told


def row_of(record: Record, key: str, messages: Sequence[Message]) -> RowDict:
    """Return a conversation as a row; `turns` and `answers` are set if the user speaks twice.

    Its instruction and response are the first exchange, so that the pair makes sense by itself.

    Args:
        record: For messages.
        key: The same, where the conversation stands.
        messages: User and assistant by turns, a system prompt before them.

    Raises:
        ConfigError: They do not take turns, or the user says nothing.
    """
    system = messages[0][1] if messages and messages[0][0] == "system" else ""
    told = messages[1:] if messages and messages[0][0] == "system" else messages
    for number, (role, text) in enumerate(told):
        expected = "assistant" if number % 2 else "user"
        at = f"{key}[{number + len(messages) - len(told)}]"
        if role != expected:
            raise record.wrong(at, f"is the {role}'s; user and assistant must take turns")
        if role == "user" and not text.strip():
            raise record.wrong(at, "must be a text, is empty")
    if not told:
        raise record.wrong(key, "must hold a user's message, holds none")
    turns = [text for role, text in told if role == "user"]
    answers = [text for role, text in told if role == "assistant"]
    answers += [""] * (len(turns) - len(answers))
    several = {"turns": turns, "answers": answers} if len(turns) > 1 else {}
    given = {"system": system} if system else {}
    return new_row(turns[0], response=answers[0], **several, **given)
