"""Recorded replies: what was recorded is replayed, and nothing else."""

import asyncio
import json
from pathlib import Path

import pytest

from autoevol.experiments.models.transports.protocol import Request
from autoevol.experiments.models.transports.recorded import RecordedTransport, key_of
from autoevol.program.errors import ConfigError
from tests.support.command_line import run_cli

TURNS = ({"role": "system", "content": "Rewrite."}, {"role": "user", "content": "A row."})
CALL = {"messages": list(TURNS), "seed": 7, "reply": "A harder row."}


def record(folder: Path, *lines: str) -> RecordedTransport:
    folder.mkdir(exist_ok=True)
    (folder / "calls.jsonl").write_text("\n".join(lines) + "\n")
    return RecordedTransport(folder)


def test_a_request_gets_its_reply(tmp_path: Path) -> None:
    transport = record(tmp_path / "r", json.dumps(CALL))
    reply = asyncio.run(transport.send(Request(TURNS, seed=7)))
    assert (reply.text, reply.finish_reason, reply.tokens_out) == ("A harder row.", "stop", 3)


@pytest.mark.parametrize("request_", [Request(TURNS, seed=8), Request((*TURNS, TURNS[1]), seed=7)])
def test_another_draw_or_prompt_is_refused(request_: Request, tmp_path: Path) -> None:
    transport = record(tmp_path / "r", json.dumps(CALL))
    with pytest.raises(ConfigError, match=r"has no reply to 'A row.'"):
        asyncio.run(transport.send(request_))


def test_an_open_record_waits_for_a_reply(tmp_path: Path) -> None:
    (tmp_path / "wanted").mkdir()
    (tmp_path / "replies").mkdir()
    transport = RecordedTransport(tmp_path)
    key = key_of(TURNS, 7)

    async def both() -> str:
        async def reader() -> None:
            while not (tmp_path / "wanted" / f"{key}.json").is_file():
                await asyncio.sleep(0.01)
            (tmp_path / "replies" / f"{key}.txt").write_text("By hand.\n")

        response, _ = await asyncio.gather(transport.send(Request(TURNS, seed=7)), reader())
        return response.text

    assert asyncio.run(both()) == "By hand."


def test_a_damaged_record_names_its_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"calls.jsonl: line 2: is no recorded call"):
        record(tmp_path / "r", json.dumps(CALL), '{"messages": []}')


def test_a_folder_without_a_record_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text(
        "name: x\nmodels: {evolver: scripted/nowhere}\ndata: {path: s.jsonl}\n"
    )
    result = run_cli("run", str(tmp_path / "c.yaml"), expected=2)
    assert "or a folder of recorded replies" in " ".join(result.err.split())
