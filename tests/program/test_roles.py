"""How a role calls its model."""

import asyncio
import threading
from pathlib import Path

import dspy
import pytest

import autoevol
from autoevol.experiments.models.transports import scripted
from autoevol.program.roles import Role, ask


@pytest.mark.parametrize("signature", ["question -> answer", "question -> answer, reason"])
def test_the_calls_of_a_run_are_awaited_and_take_no_threads(
    signature: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thread for each call would bound the calls in flight by the size of a thread pool."""
    seen: list[int] = []

    def reply(messages: object, draw: int) -> str:
        seen.append(threading.active_count())
        return "[[ ## answer ## ]]\na\n\n[[ ## reason ## ]]\nb\n\n[[ ## completed ## ]]"

    monkeypatch.setitem(scripted.SCRIPTS, "threads", reply)

    async def all_calls(role: Role) -> None:
        predictor = dspy.Predict(signature)
        await asyncio.gather(*(ask(predictor, role, draw=n, question="q") for n in range(64)))

    keys = {"model": "scripted/threads", "temperature": 0.7, "concurrency": 64}
    with autoevol.ledger_models(tmp_path, keys) as models:
        before = threading.active_count()
        asyncio.run(all_calls(Role(models.program, "m")))
    assert len(seen) == 64
    assert max(seen) <= before + 1
