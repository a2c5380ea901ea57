"""The slots of a llama.cpp server: a prefix is read by one of them and copied to the others.

llama.cpp keeps a prompt's tokens in the slot that read it, so each slot would read a method anew.
On two cores that took half of the time of a short block of rows.
"""

import asyncio
import contextlib
import hashlib
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from autoevol.experiments.models.transports.openai_http import OpenAITransport
from autoevol.experiments.models.transports.protocol import Request, Response

LEAST_CHARACTERS = 400
"""Of a prefix that is copied: about a hundred tokens. A shorter one is read as fast."""

MOST_SAVED = 8
"""Prefixes on disk at once, the last ones used; one of 500 tokens takes 14 MB for the 1.5B."""

_ACTION_S = 60.0
"""Seconds for saving or restoring a slot, which takes milliseconds on an idle machine."""

Read = Callable[[int], Awaitable[object]]
"""Lets a slot, by its number, read the prefix."""


@dataclass(eq=False)
class Slot:
    """One slot.

    Attributes:
        number: llama.cpp's.
        prefix: Digest of the turns that it holds; "": of none that is copied.
    """

    number: int
    prefix: str = ""


class SlotPool:
    """Lends the slots of one server; all roles that it serves share the pool.

    Args:
        count: Slots of the server.
        server_url: Without `/v1`.
        api_key: Of the server.
        folder: Where the server saves slots.
    """

    def __init__(self, count: int, server_url: str, api_key: str, folder: Path) -> None:
        self._free = [Slot(number) for number in range(count)]
        self._turns = asyncio.Semaphore(count)
        self._reading = asyncio.Lock()
        self._saved: OrderedDict[str, Path] = OrderedDict()
        self._url = server_url
        self._headers = {"Authorization": f"Bearer {api_key}"}
        self._folder = folder

    @contextlib.asynccontextmanager
    async def slot_with(self, prefix: str, read: Read) -> AsyncIterator[int]:
        """Lend a slot that holds a prefix.

        Args:
            prefix: See `prefix_of`.
            read: Called where no slot has read the prefix yet.
        """
        async with self._turns:
            slot = self._take(prefix)
            try:
                if prefix and slot.prefix != prefix:
                    await self._fill(slot, prefix, read)
                slot.prefix = prefix
                yield slot.number
            finally:
                self._free.append(slot)

    def _take(self, prefix: str) -> Slot:
        """Take a free slot: the last used one with the prefix, else the one free for longest."""
        fitting = [slot for slot in self._free if slot.prefix == prefix]
        slot = fitting[-1] if fitting else self._free[0]
        self._free.remove(slot)
        return slot

    async def _fill(self, slot: Slot, prefix: str, read: Read) -> None:
        slot.prefix = ""
        # One at a time: those that wait find the prefix saved.
        async with self._reading:
            if prefix in self._saved:
                self._saved.move_to_end(prefix)
                await self._act(slot, "restore", self._saved[prefix])
                return
            await read(slot.number)
            file = self._folder / prefix
            if await self._act(slot, "save", file):
                self._keep(prefix, file)

    def _keep(self, prefix: str, file: Path) -> None:
        self._saved[prefix] = file
        if len(self._saved) > MOST_SAVED:
            _, oldest = self._saved.popitem(last=False)
            oldest.unlink(missing_ok=True)

    async def _act(self, slot: Slot, action: str, file: Path) -> bool:
        """Save or restore a slot; tell whether it worked. Without it the slot reads by itself."""
        url = f"{self._url}/slots/{slot.number}?action={action}"
        timeout = aiohttp.ClientTimeout(total=_ACTION_S)
        try:
            async with (
                aiohttp.ClientSession(headers=self._headers, timeout=timeout) as session,
                session.post(url, json={"filename": file.name}) as response,
            ):
                return response.status == 200
        except (aiohttp.ClientError, TimeoutError):
            return False


class SlotTransport:
    """Sends the requests of one role to slots that hold their prefix.

    Args:
        inner: Of the role.
        pool: Of the server.
    """

    def __init__(self, inner: OpenAITransport, pool: SlotPool) -> None:
        self._inner = inner
        self._pool = pool

    async def send(self, request: Request) -> Response:
        """Return the reply; see `Transport`."""

        async def read(slot: int) -> None:
            # A token is the least that a server generates; it is thrown away.
            shortest = {"id_slot": slot, "max_tokens": 1}
            await self._inner.send(_with_last_turn(request, "."), shortest)

        async with self._pool.slot_with(prefix_of(request), read) as slot:
            return await self._inner.send(request, {"id_slot": slot})

    async def close(self) -> None:
        """Release what the inner transport holds."""
        await self._inner.close()


def prefix_of(request: Request) -> str:
    """Return the digest of all turns but the last; "": they are too short to be worth a copy."""
    turns = request.messages[:-1]
    if sum(len(turn["content"]) for turn in turns) < LEAST_CHARACTERS:
        return ""
    text = "\0".join(part for turn in turns for part in (turn["role"], turn["content"]))
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:32]


def _with_last_turn(request: Request, text: str) -> Request:
    last = {**request.messages[-1], "content": text}
    return Request((*request.messages[:-1], last), temperature=0.0)
