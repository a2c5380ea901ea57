"""A method is read once, by one slot, and copied to the others; on a loopback server."""

import asyncio
from collections import Counter
from pathlib import Path

import pytest

from autoevol.experiments.models.transports import llama_slots
from autoevol.experiments.models.transports.llama_slots import SlotPool, SlotTransport
from autoevol.experiments.models.transports.openai_http import OpenAITransport
from autoevol.experiments.models.transports.protocol import Request
from tests.support.loopback import Answer, Loopback, ReceivedRequest, answering, openai_reply

METHOD = "Rewrite the instruction into a harder one. " * 12


def request(row: str, method: str = METHOD) -> Request:
    turns = ({"role": "system", "content": method}, {"role": "user", "content": row})
    return Request(turns, temperature=0.4, max_tokens=50)


def send(server: Loopback, requests: list[Request], folder: Path, *, slots: int = 4) -> list[str]:
    """Send requests, as many at once as there are slots; return the texts."""

    async def run() -> list[str]:
        pool = SlotPool(slots, server.url, "key", folder)
        inner = OpenAITransport(server.url, model="m")
        transport = SlotTransport(inner, pool)
        try:
            replies = await asyncio.gather(*(transport.send(one) for one in requests))
        finally:
            await transport.close()
        return [reply.text for reply in replies]

    return asyncio.run(run())


def respond(received: ReceivedRequest) -> Answer:
    return 200, {} if "/slots/" in received.path else openai_reply("fine")


def actions(server: Loopback) -> Counter[str]:
    return Counter(one.path.partition("=")[2] for one in server.requests if "/slots/" in one.path)


def reads(server: Loopback) -> list[ReceivedRequest]:
    return [one for one in server.requests if one.body.get("max_tokens") == 1]


def test_a_prefix_is_read_once_and_copied_to_every_slot_that_needs_it(tmp_path: Path) -> None:
    with answering(respond) as server:
        texts = send(server, [request(f"row {number}") for number in range(12)], tmp_path)
    assert texts == ["fine"] * 12
    assert len(reads(server)) == 1
    assert actions(server) == {"save": 1, "restore": 3}
    held = {one.path.split("/")[2].partition("?")[0] for one in server.requests if "=" in one.path}
    calls = [one for one in server.requests if one.body.get("max_tokens") == 50]
    assert len(calls) == 12
    assert {str(one.body["id_slot"]) for one in calls} <= held


def test_two_methods_in_turn_are_each_read_once(tmp_path: Path) -> None:
    blocks = [METHOD, f"2. {METHOD}", METHOD, f"2. {METHOD}"]
    rows = [request(f"row {number}", method) for method in blocks for number in range(4)]
    with answering(respond) as server:
        send(server, rows, tmp_path, slots=2)
    assert len(reads(server)) == 2


def test_a_short_prefix_is_not_copied(tmp_path: Path) -> None:
    with answering(respond) as server:
        send(server, [request(f"row {number}", "Be kind.") for number in range(4)], tmp_path)
    assert actions(server) == {}
    assert len(server.requests) == 4


def test_a_slot_that_cannot_be_saved_costs_time_and_no_row(tmp_path: Path) -> None:
    def failing(received: ReceivedRequest) -> Answer:
        return (500, "no") if "/slots/" in received.path else (200, openai_reply("fine"))

    with answering(failing) as server:
        texts = send(server, [request(f"row {number}") for number in range(8)], tmp_path)
    assert texts == ["fine"] * 8


def test_the_oldest_of_many_prefixes_is_dropped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(llama_slots, "MOST_SAVED", 2)

    def saving(received: ReceivedRequest) -> Answer:
        if received.path.endswith("save"):
            (tmp_path / received.body["filename"]).write_bytes(b"state")
        return respond(received)

    methods = [f"{number}. {METHOD}" for number in range(4)]
    with answering(saving) as server:
        send(server, [request("row", method) for method in methods], tmp_path, slots=1)
    assert len(reads(server)) == 4
    assert len(list(tmp_path.iterdir())) == 2
