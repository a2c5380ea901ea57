"""A run whose bulk phase goes as batches: the same rows, nothing lost, nothing paid twice."""

import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.batch_provider import BatchProviderState, batch_provider
from tests.support.command_line import Result, rows_of, run_cli, summary_of

WriteConfig = Callable[..., Path]
ROWS = 24
BATCH = {"max_requests": 10, "max_wait": 0.3, "min_rows": 3, "poll": 0.1}


def run_batches(
    write_config: WriteConfig,
    provider: BatchProviderState,
    out: str,
    *options: str,
    expected: int | None = 0,
    batch: dict[str, Any] | None = None,
    model: str = "openai/m",
    **sections: Any,
) -> Result:
    evolver = {
        "model": model,
        **({} if model == "openai/m" else {"api_key_env": "BATCH_KEY"}),
        "api_base": provider.url,
        "price": {"input": 1.0, "output": 2.0},
        "backoff": 0.01,
        **({"batch": {**BATCH, **batch}} if batch is not None else {}),
    }
    config = write_config(
        ROWS,
        models={"evolver": evolver},
        optimizer={"name": "none"},
        evolve={"methods": ["weak"], "attempts": 2, "rounds": 2},
        **sections,
    )
    return run_cli("run", str(config), "--out", out, "--yes", *options, expected=expected)


def account_of(folder: str) -> list[tuple[str, str, str]]:
    rows = [*rows_of(Path(folder, "evolved.jsonl")), *rows_of(Path(folder, "failures.jsonl"))]
    return [(row["id"], row["instruction"], row["response"]) for row in rows]


def test_rows_of_batches_are_those_of_single_calls_at_half_the_price(
    write_config: WriteConfig,
) -> None:
    with batch_provider() as provider:
        run_batches(write_config, provider, "runs/single")
        single = provider.single
        run_batches(write_config, provider, "runs/batch", batch={})

        assert sorted(account_of("runs/batch")) == sorted(account_of("runs/single"))
        assert sum(provider.paid.values()) + provider.single - single == single
        assert {*provider.paid.values()} == {1}
        assert len(provider.batches) >= 4
        assert not provider.files
    summaries = [summary_of(Path(f"runs/{name}")) for name in ("single", "batch")]
    assert summaries[0]["calls"] == summaries[1]["calls"]
    share = sum(provider.paid.values()) / single
    saved = 1 - summaries[1]["cost_usd"] / summaries[0]["cost_usd"]
    assert saved == pytest.approx(share / 2, abs=0.05)


def test_judged_scores_go_as_batches_too(write_config: WriteConfig) -> None:
    scores = {"names": ["complexity"]}
    with batch_provider() as provider:
        run_batches(write_config, provider, "runs/single", scores=scores)
        run_batches(write_config, provider, "runs/batch", batch={}, scores=scores)
        roles = run_cli("batches", "runs/batch", expected=0).out

    assert "judge" in roles
    single, batch = (Path(f"runs/{name}/scores.jsonl").read_text() for name in ("single", "batch"))
    assert sorted(batch.splitlines()) == sorted(single.splitlines())


def test_requests_that_a_batch_loses_or_refuses_go_again(write_config: WriteConfig) -> None:
    def judge(custom_id: str, times: int) -> int | None:
        outcome = (200, None, 500, 429)[int(custom_id[0], 16) % 4]
        return 200 if times > 1 else outcome

    with batch_provider() as provider:
        run_batches(write_config, provider, "runs/single")
        provider.judge = judge
        run_batches(write_config, provider, "runs/batch", batch={"min_rows": 1})

        assert sorted(account_of("runs/batch")) == sorted(account_of("runs/single"))
        assert {*provider.paid.values()} == {1}
        assert max(provider.seen.values()) == 2


def test_answers_that_are_lost_on_the_way_send_no_batch_twice(write_config: WriteConfig) -> None:
    broken = Counter({"POST files": 1, "POST batches": 1, "GET content": 1, "GET batch": 1})
    with batch_provider(broken=broken) as provider:
        run_batches(write_config, provider, "runs/batch", batch={})

        assert not +provider.broken
        assert {*provider.paid.values()} == {1}


def test_a_batch_that_is_refused_as_a_whole_stops_the_run(write_config: WriteConfig) -> None:
    with batch_provider(problem="too many tokens are waiting") as provider:
        refused = run_batches(write_config, provider, "runs/batch", expected=3, batch={})
        assert "refused batch batch_" in refused.err
        assert "too many tokens are waiting" in refused.err
        provider.problem = ""
        run_batches(write_config, provider, "runs/batch", batch={})


def test_few_calls_are_made_one_by_one(write_config: WriteConfig) -> None:
    with batch_provider() as provider:
        run_batches(write_config, provider, "runs/batch", batch={"min_rows": 1000})
        assert not provider.batches


@pytest.mark.parametrize(
    ("evolver", "problem"),
    [
        ({"model": "scripted/world"}, "scripted/world is at no provider of batches"),
        ({"model": "mistral/mistral-small-latest"}, "is at no provider of batches"),
        ({"model": "openai/m", "api_base": ["http://a/v1", "http://b/v1"]}, "a single api_base"),
    ],
)
def test_a_model_without_batches_is_refused(
    evolver: dict[str, Any], problem: str, write_config: WriteConfig
) -> None:
    config = write_config(8, models={"evolver": {**evolver, "batch": {}}})
    refused = run_cli("run", str(config), "--dry-run", expected=2)
    assert "test.yaml: models.evolver.batch: " in refused.err
    assert problem in refused.err
    assert not Path("runs").exists()


MOMENTS = ("POST files", "POST batches", "GET batch", "GET content", "DELETE file")
"""What a killed run was waiting for: everything was done, and the answer was on its way."""


def test_kills_at_every_step_lose_nothing_and_pay_nothing_twice(write_config: WriteConfig) -> None:
    with batch_provider() as provider:
        run_batches(write_config, provider, "runs/single")
        run_batches(write_config, provider, "runs/prepared", batch={}, expected=0)
        command = [sys.executable, "-m", "autoevol", "run", "test.yaml", "--out", "runs/killed"]
        provider.paid.clear()
        for moment in MOMENTS:
            provider.slow = {moment: 30.0}
            kill_at([*command, "--yes"], provider, moment)
        provider.slow = {}
        run_batches(write_config, provider, "runs/killed", batch={})

        assert sorted(account_of("runs/killed")) == sorted(account_of("runs/single"))
        assert {*provider.paid.values()} == {1}
        assert not provider.files


def kill_at(command: list[str], provider: BatchProviderState, moment: str) -> None:
    before = provider.calls[moment]
    with Path("out.txt").open("ab") as out:
        process = subprocess.Popen(
            command, stdout=out, stderr=out, stdin=subprocess.DEVNULL, start_new_session=True
        )
    deadline = time.monotonic() + 240
    while provider.calls[moment] == before and process.poll() is None:
        assert time.monotonic() < deadline, f"{moment} never came: {Path('out.txt').read_text()}"
        time.sleep(0.01)
    assert process.poll() is None, Path("out.txt").read_text()
    time.sleep(0.1)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def test_ctrl_c_leaves_batches_at_the_provider_for_the_same_command(
    write_config: WriteConfig,
) -> None:
    with batch_provider(delay_s=1e6) as provider:
        run_batches(write_config, provider, "runs/batch", "--dry-run", batch={})
        shown = interrupted(provider)
        assert f"batches go on at {provider.url}; the same command fetches them" in shown
        assert "open" in run_cli("batches", "runs/batch", expected=0).out

        provider.delay_s = 0.2
        run_batches(write_config, provider, "runs/batch", batch={})
        assert {*provider.paid.values()} == {1}
        assert "fetched" in run_cli("batches", "runs/batch", expected=0).out


def test_the_calls_of_batches_that_are_cancelled_go_again(write_config: WriteConfig) -> None:
    with batch_provider(delay_s=1e6) as provider:
        run_batches(write_config, provider, "runs/batch", "--dry-run", batch={})
        interrupted(provider)
        other = run_cli("batches", "test.yaml", expected=0)
        assert "runs/test has sent no batch" in other.out
        run_cli("batches", "runs/batch", "--cancel", expected=0)
        assert {batch["status"] for batch in provider.batches.values()} == {"cancelled"}

        provider.delay_s = 0.2
        run_batches(write_config, provider, "runs/batch", batch={})
        assert {*provider.paid.values()} == {1}


def interrupted(provider: BatchProviderState, moment: str = "GET batch") -> str:
    """Start the run, press Ctrl-C once it waits for a batch, and return what it said."""
    command = [sys.executable, "-m", "autoevol", "run", "test.yaml", "--out", "runs/batch", "--yes"]
    with Path("out.txt").open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out, stdin=subprocess.DEVNULL)
    deadline = time.monotonic() + 240
    before = provider.calls[moment]
    # At the second look it has said what it found at the first.
    while provider.calls[moment] < before + 2 and process.poll() is None:
        assert time.monotonic() < deadline, Path("out.txt").read_text()
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 3
    return " ".join(Path("out.txt").read_text().split())


def test_a_plan_shows_the_price_of_batches(write_config: WriteConfig) -> None:
    with batch_provider() as provider:
        shown = run_batches(write_config, provider, "runs/batch", "--dry-run", batch={}).out
    prices = re.search(r"and ([0-9.]+) USD \(([0-9.]+) USD as batches\)", shown)
    assert prices
    assert float(prices[2]) == pytest.approx(float(prices[1]) / 2, abs=0.01)
