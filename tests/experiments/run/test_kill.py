"""Runs that are killed or interrupted at any moment go on, and end with the same account."""

import json
import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from benchmarks.faults import Reference, reference_in, violations
from benchmarks.server_process import serving
from tests.support import kills
from tests.support.command_line import run_cli
from tests.support.kills import LATENCY_S, Place, Span, Tried, killed_run, lay_out, moment

DRAWN = {"dev": 0, "proposals": 1, "candidate": 2, "step record": 6, "evolve": 3, "finish": 4}
"""Phases to kill in, each with its seed; `benchmarks.faults` has the long table."""


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Reference:
    return reference_in(tmp_path_factory.mktemp("kill") / "reference")


@pytest.fixture(scope="module")
def killed(
    reference: Reference, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Mapping[str, Future[Tried]]]:
    """Kill two runs at a time, since a start costs seconds."""
    folder = tmp_path_factory.mktemp("killed")
    pool = ThreadPoolExecutor(2)
    yield {
        phase: pool.submit(
            killed_run,
            folder / f"run-{seed}",
            reference.store,
            moment(reference.spans, phase, seed),
        )
        for phase, seed in DRAWN.items()
    }
    pool.shutdown(cancel_futures=True)


def test_the_reference_goes_through_every_phase_and_asks_every_role(reference: Reference) -> None:
    assert {span.phase for span in reference.spans} == set(kills.PHASES)
    assert reference.account["rows that are lost"] == 0
    assert any("judge" in figure for figure in reference.account["summary"])


@pytest.mark.parametrize("phase", DRAWN)
def test_a_killed_run_ends_with_the_same_account(
    phase: str, killed: Mapping[str, Future[Tried]], reference: Reference
) -> None:
    tried = killed[phase].result()

    assert tried.stopped == -signal.SIGKILL
    assert violations(tried, reference.account) == []


def test_conversations_that_a_bandit_evolves_end_with_the_same_account(tmp_path: Path) -> None:
    reference = reference_in(tmp_path / "reference", kills.TALKS)
    kept = reference.account["evolved.jsonl"]

    def killed(seed: int) -> Tried:
        when = moment(reference.spans, "evolve", seed)
        return killed_run(tmp_path / f"run-{seed}", reference.store, when, kills.TALKS)

    with ThreadPoolExecutor(2) as pool:
        tried = list(pool.map(killed, (1, 2)))

    assert {len(json.loads(row)[0].split(".")) for row in kept} == {2, 3, 4}
    assert [run.stopped for run in tried] == [-signal.SIGKILL] * 2
    assert [violations(run, reference.account) for run in tried] == [[], []]


def test_a_run_that_asks_what_rows_teach_ends_with_the_same_account(tmp_path: Path) -> None:
    reference = reference_in(tmp_path / "reference", kills.TEACHING)
    rules = next(row for row in reference.account["summary"] if "failures_by_rule" in row)

    def killed(phase: str, seed: int) -> Tried:
        when = moment(reference.spans, phase, seed)
        return killed_run(tmp_path / f"{phase}-{seed}", reference.store, when, kills.TEACHING)

    with ThreadPoolExecutor(2) as pool:
        tried = list(pool.map(killed, ("dev", "candidate", "evolve"), (1, 2, 3)))

    assert '"teach": {"too_' in rules
    assert [run.stopped for run in tried] == [-signal.SIGKILL] * 3
    assert [violations(run, reference.account) for run in tried] == [[], [], []]


def interrupted(place: Place, when: Span, *, times: int) -> tuple[int, float]:
    """Press Ctrl-C at the moment; return the exit code and how long the end took."""
    with place.started() as process:
        kills.wait_for(place, process, when)
        began = time.monotonic()
        for _ in range(times):
            os.killpg(process.pid, signal.SIGINT)
            time.sleep(0.2)
        return process.wait(), time.monotonic() - began


def test_ctrl_c_finishes_the_calls_in_flight_and_pays_none_twice(
    tmp_path: Path, reference: Reference
) -> None:
    with serving(latency=LATENCY_S) as server:
        place = lay_out(tmp_path / "once", server, reference.store)

        code, seconds = interrupted(place, moment(reference.spans, "held-out", 0), times=1)

        assert code == 3
        assert seconds < 10
        assert "resumes" in (place.folder / "err").read_text()
        assert place.calls_lost() == 0
        tried = Tried(place, code, True, 0, place.finish(), server.stats())
    assert violations(tried, reference.account) == []


def test_ctrl_c_twice_ends_at_once(tmp_path: Path, reference: Reference) -> None:
    with serving(latency=5.0) as server:
        place = lay_out(tmp_path / "twice", server, reference.store)

        code, seconds = interrupted(place, Span("dev", 4, 4, 0.1), times=2)

        assert code == 3
        assert seconds < 3
        assert server.stats()["good"] == 0


@pytest.mark.parametrize("left", [[".new-abc"], ["run.json", ".new-abc"]])
def test_a_kill_while_the_folder_is_made_leaves_one_to_go_on_in(
    left: list[str], write_config: Callable[..., Path]
) -> None:
    config = write_config(optimizer={"name": "none"})
    Path("runs/test").mkdir(parents=True)
    for name in ("run.lock", *left):
        Path("runs/test", name).touch()

    run_cli("run", str(config), expected=0)
