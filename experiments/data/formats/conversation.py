"""A row as the messages of a conversation, and messages as a row."""

from collections.abc import Sequence

from autoevol.experiments.data.formats.rows import META, RowDict, new_row, prompt_of
from autoevol.experiments.files.records import Record

Message = tuple[str, str]
"""Role and text; the roles are `system`, `user` and `assistant`."""


def is_conversation(row: RowDict) -> bool:
    """Tell whether a row has several user turns with their replies."""
    # Turns without answers, as of a run that does not respond, count as one prompt.
    return bool(row.get("turns") and row.get("answers"))


def exchanges(row: RowDict) -> list[tuple[str, str]]:
    """Return the user's turns, each with the assistant's reply, oldest first."""
    if is_conversation(row):
        return list(zip(row["turns"], row["answers"], strict=True))
    return [(prompt_of(row), row.get("response") or "")]


def is_answered(row: RowDict) -> bool:
    """Tell whether every user turn has a reply that is not blank."""
    return all(reply.strip() for _, reply in exchanges(row))


def messages_of(row: RowDict) -> list[Message]:
    """Return the messages of a row; only a last reply may be missing, and is if it is empty."""
    system = row.get("system")
    messages = [("system", system)] if system else []
    for turn, reply in exchanges(row):
        messages += [("user", turn), ("assistant", reply)]
    # Within a conversation an empty reply stays, since user and assistant must take turns.
    return messages if messages[-1][1] else messages[:-1]


def row_of(record: Record, key: str, messages: Sequence[Message]) -> RowDict:
    """Return a conversation as a row; `turns` and `answers` are set if the user speaks twice.

    Its instruction and response are the first exchange, so that the pair makes sense by itself. A
    greeting, before the user has said anything, goes to `meta`.

    Args:
        record: For error messages.
        key: The record's key that holds the messages, for error messages.
        messages: User and assistant by turns, an optional system prompt before them.

    Raises:
        ConfigError: They do not take turns, or the user's first message is empty.
    """
    has_system = bool(messages) and messages[0][0] == "system"
    system, talk = (messages[0][1], messages[1:]) if has_system else ("", messages)
    # Few chat templates take a reply without a question, so no export writes it as a message.
    has_greeting = len(talk) > 1 and talk[0][0] == "assistant"
    greeting, talk = (talk[0][1], talk[1:]) if has_greeting else ("", talk)
    _check_turns(record, key, talk, offset=len(messages) - len(talk))
    turns = [text for role, text in talk if role == "user"]
    answers = [text for role, text in talk if role == "assistant"]
    # Only the last turn can lack its reply; `exchanges` pairs turns and answers one to one.
    answers += [""] * (len(turns) - len(answers))
    several = {"turns": turns, "answers": answers} if len(turns) > 1 else {}
    prompt = {"system": system} if system else {}
    meta = {META: {"greeting": greeting}} if greeting else {}
    return new_row(turns[0], response=answers[0], **several, **prompt, **meta)


def _check_turns(record: Record, key: str, talk: Sequence[Message], *, offset: int) -> None:
    """Check that user and assistant take turns; `offset` is the index of the first message."""
    if not talk:
        raise record.error(key, "must hold a user's message, holds none")
    for number, (role, text) in enumerate(talk):
        at = f"{key}[{number + offset}]"
        if role != ("assistant" if number % 2 else "user"):
            raise record.error(at, f"is the {role}'s; user and assistant must take turns")
        if number == 0 and not text.strip():
            raise record.error(at, "must be a text, is empty")
