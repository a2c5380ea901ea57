"""Batches of Anthropic and Gemini, which litellm does not reach: the same promises."""

import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from autoevol.experiments.models.batches.anthropic import AnthropicBatches
from autoevol.experiments.models.batches.gemini import GeminiBatches
from autoevol.experiments.models.transports.errors import RowRefusedError
from autoevol.experiments.models.transports.protocol import Request
from tests.experiments.models.batches.test_batches import (
    BATCH,
    account_of,
    interrupted,
    kill_at,
    run_batches,
)
from tests.support.command_line import run_cli, summary_of
from tests.support.own_batch_providers import own_batch_provider

WriteConfig = Callable[..., Path]
MODELS = {"anthropic": "anthropic/claude-3-5-haiku-latest", "gemini": "gemini/gemini-2.5-flash"}

pytestmark = [
    pytest.mark.parametrize("kind", [*MODELS]),
    pytest.mark.usefixtures("key"),
]


@pytest.fixture
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BATCH_KEY", "sk-of-the-batches")


def test_rows_of_batches_are_those_of_single_calls_at_half_the_price(
    kind: str, write_config: WriteConfig
) -> None:
    with own_batch_provider(kind) as provider:
        run_batches(write_config, provider, "runs/single", model=MODELS[kind])
        single = provider.single
        run_batches(write_config, provider, "runs/batch", model=MODELS[kind], batch={})

        assert sorted(account_of("runs/batch")) == sorted(account_of("runs/single"))
        assert sum(provider.paid.values()) + provider.single - single == single
        assert {*provider.paid.values()} == {1}
        assert provider.calls["DELETE batch"] == len(provider.batches) >= 4
    summaries = [summary_of(Path(f"runs/{name}")) for name in ("single", "batch")]
    share = sum(provider.paid.values()) / single
    saved = 1 - summaries[1]["cost_usd"] / summaries[0]["cost_usd"]
    assert saved == pytest.approx(share / 2, abs=0.05)
    assert b"sk-of-the-batches" not in Path("runs/batch/batches.sqlite").read_bytes()


def test_requests_that_a_batch_loses_or_refuses_go_again(
    kind: str, write_config: WriteConfig
) -> None:
    def judge(custom_id: str, times: int) -> int | None:
        outcome = (200, None, 500, 429)[int(custom_id[0], 16) % 4]
        return 200 if times > 1 else outcome

    with own_batch_provider(kind) as provider:
        run_batches(write_config, provider, "runs/single", model=MODELS[kind])
        provider.judge = judge
        batch = {"min_rows": 1}
        run_batches(write_config, provider, "runs/batch", model=MODELS[kind], batch=batch)

        assert sorted(account_of("runs/batch")) == sorted(account_of("runs/single"))
        assert {*provider.paid.values()} == {1}
        assert max(provider.seen.values()) == 2


def test_answers_that_are_lost_on_the_way_send_no_batch_twice(
    kind: str, write_config: WriteConfig
) -> None:
    broken = Counter({"POST batches": 1, "GET batches": 1, "GET batch": 1, "DELETE batch": 1})
    with own_batch_provider(kind, broken=broken) as provider:
        run_batches(write_config, provider, "runs/batch", model=MODELS[kind], batch={})

        assert not +provider.broken
        assert {*provider.paid.values()} == {1}


def test_kills_at_every_step_lose_nothing_and_pay_nothing_twice(
    kind: str, write_config: WriteConfig
) -> None:
    content = {"anthropic": ["GET content"], "gemini": []}[kind]
    with own_batch_provider(kind) as provider:
        run_batches(write_config, provider, "runs/single", model=MODELS[kind])
        run_batches(write_config, provider, "runs/prepared", model=MODELS[kind], batch={})
        command = [sys.executable, "-m", "autoevol", "run", "test.yaml", "--out", "runs/killed"]
        provider.paid.clear()
        for moment in ("POST batches", "GET batch", *content, "DELETE batch"):
            provider.slow = {moment: 30.0}
            kill_at([*command, "--yes"], provider, moment)
        provider.slow = {}
        # Others use the same account, and their batches may be as large.
        provider.begin_batch("msgbatch_900" if kind == "anthropic" else "batches/900", {"a": {}})
        run_batches(write_config, provider, "runs/killed", model=MODELS[kind], batch={})

        assert sorted(account_of("runs/killed")) == sorted(account_of("runs/single"))
        assert {*provider.paid.values()} <= {0, 1}


def test_ctrl_c_leaves_batches_at_the_provider_for_the_same_command(
    kind: str, write_config: WriteConfig
) -> None:
    model = MODELS[kind]
    with own_batch_provider(kind, delay_s=1e6) as provider:
        run_batches(write_config, provider, "runs/batch", "--dry-run", model=model, batch={})
        shown = interrupted(provider)
        assert "the same command fetches them" in shown
        assert "open" in run_cli("batches", "runs/batch", expected=0).out
        run_cli("batches", "runs/batch", "--cancel", expected=0)
        assert {batch["status"] for batch in provider.batches.values()} <= {"ended", "cancelled"}

        provider.delay_s = 0.2
        run_batches(write_config, provider, "runs/batch", model=model, batch={})
        assert {*provider.paid.values()} == {1}


def test_a_batch_of_many_bytes_is_sent_in_parts(
    kind: str, write_config: WriteConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    where = f"autoevol.experiments.models.batches.{kind}.{kind.capitalize()}Batches.most_bytes"
    monkeypatch.setattr(where, 4_000)
    with own_batch_provider(kind) as provider:
        run_batches(write_config, provider, "runs/batch", model=MODELS[kind], batch={})
        sizes = [len(batch["requests"]) for batch in provider.batches.values()]
        assert max(sizes) < BATCH["max_requests"]
        assert {*provider.paid.values()} == {1}


def test_a_batch_that_may_be_ours_is_waited_for_or_sent_again(
    kind: str, write_config: WriteConfig
) -> None:
    model = MODELS[kind]
    with own_batch_provider(kind, delay_s=1e6) as provider:
        run_batches(write_config, provider, "runs/batch", "--dry-run", model=model, batch={})
        provider.slow = {"POST batches": 30.0}
        command = [sys.executable, "-m", "autoevol", "run", "test.yaml", "--out", "runs/batch"]
        kill_at([*command, "--yes"], provider, "POST batches")
        provider.slow = {}
        shown = interrupted(provider, "GET batches" if kind == "anthropic" else "GET batch")
        assert ("may have a batch of this run" in shown) == (kind == "anthropic")
        batches = provider.batches.values()
        sent = [name.partition("-")[0] for batch in batches for name in batch["requests"]]
        assert len(sent) == len({*sent})
        run_cli("batches", "runs/batch", "--resend", expected=0)

        provider.delay_s = 0.2
        run_batches(write_config, provider, "runs/batch", model=model, batch={})
        provider.newest()  # those that nobody looked at have ended, too
        # Of Anthropic nobody could know that it was ours; of Gemini its name says it.
        assert max(provider.paid.values()) == (2 if kind == "anthropic" else 1)


def test_a_call_that_makes_no_request_fails_alone(
    kind: str, write_config: WriteConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    batches: Any = {"anthropic": AnthropicBatches, "gemini": GeminiBatches}[kind]
    line, refused = batches.line, set[str]()

    async def refusing(self: Any, custom_id: str, request: Request) -> bytes:
        if not refused or custom_id in refused:
            refused.add(custom_id)
            raise RowRefusedError("it holds what this provider does not take")
        return bytes(await line(self, custom_id, request))

    monkeypatch.setattr(batches, "line", refusing)
    with own_batch_provider(kind) as provider:
        run_batches(write_config, provider, "runs/batch", model=MODELS[kind], batch={})
        assert {*provider.paid.values()} == {1}
    summary = summary_of(Path("runs/batch"))
    assert len(refused) == 1
    assert summary["rows_failed"] + summary["rows_unscored"] >= 1
    assert len(account_of("runs/batch")) + summary["rows_unscored"] >= summary["rows_in"]
