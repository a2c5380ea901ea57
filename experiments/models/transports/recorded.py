"""Recorded replies: `scripted/FOLDER` answers each request as `FOLDER/calls.jsonl` has it.

A line of the file holds the `messages` and the `seed` of a request, and its `reply`. To record a
run, make the folder `FOLDER/wanted`: a request without a reply is written there, and the run waits
until somebody has written `FOLDER/replies/KEY.txt`.
"""

import asyncio
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

from autoevol.experiments.models.transports.protocol import Message, Request, Response
from autoevol.program.errors import ConfigError

CALLS, WANTED, REPLIES = "calls.jsonl", "wanted", "replies"
_POLL_S = 0.5


class RecordedTransport:
    """Answers from a record; counts words as tokens.

    Args:
        folder: Of the record.

    Raises:
        ConfigError: `calls.jsonl` is damaged.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._replies = read_replies(folder)

    async def send(self, request: Request) -> Response:
        """Return the recorded reply; where the record is open, wait for one.

        Raises:
            ConfigError: There is none, and nobody records.
        """
        key = key_of(request.messages, request.seed)
        text = self._replies.get(key)
        if text is None:
            text = self._replies[key] = await self._recorded(key, request)
        prompt = sum(len(message["content"].split()) for message in request.messages)
        return Response(text, "stop", tokens_in=prompt, tokens_out=len(text.split()))

    async def close(self) -> None:
        """Do nothing."""

    async def _recorded(self, key: str, request: Request) -> str:
        wanted = self._folder / WANTED
        if not wanted.is_dir():
            shown = request.messages[-1]["content"][:80]
            raise ConfigError(
                str(self._folder / CALLS),
                f"has no reply to {shown!r}; replay the run that was recorded, or make the folder "
                f"{WANTED} beside it to record one",
            )
        call = {"messages": list(request.messages), "seed": request.seed}
        file, reply = wanted / f"{key}.json", self._folder / REPLIES / f"{key}.txt"
        file.write_text(json.dumps(call, indent=1, ensure_ascii=False), encoding="utf-8")
        while not reply.is_file():
            await asyncio.sleep(_POLL_S)
        return reply.read_text(encoding="utf-8").rstrip("\n")


def key_of(messages: Sequence[Message], seed: int | None) -> str:
    """Return what tells a request apart: its turns and its draw."""
    text = json.dumps([list(messages), seed], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def read_replies(folder: Path) -> dict[str, str]:
    """Return the replies of a record by the key of their request.

    Raises:
        ConfigError: The file is damaged.
    """
    file = folder / CALLS
    if not file.is_file():
        return {}
    replies = {}
    for number, line in enumerate(file.read_text(encoding="utf-8").split("\n"), 1):
        if not line.strip():
            continue
        try:
            call = json.loads(line)
            replies[key_of(call["messages"], call["seed"])] = str(call["reply"])
        except (ValueError, KeyError, TypeError) as error:
            raise ConfigError(
                f"{file}: line {number}", f"is no recorded call: {error!r}"
            ) from error
    return replies


def is_record(folder: Path) -> bool:
    """Tell whether a folder holds a record, or is open for one."""
    return (folder / CALLS).is_file() or (folder / WANTED).is_dir()
