"""The live view: what it shows, in which order, on terminals and in pipes."""

import heapq
import io
import random
from collections.abc import Iterator

import pytest
from rich.console import Console
from rich.text import Text

from autoevol.experiments.models.budget import Totals
from autoevol.experiments.terminal.phase_line import PhaseLine
from autoevol.experiments.terminal.progress import ProgressBar, packed, progress_bar
from autoevol.experiments.terminal.samples import SampleRows
from autoevol.metrics.failure.cases import Reason
from autoevol.program.listeners import Phase
from autoevol.program.records import Outcome, Row

SEED = Row("s", "s", "Name a river.")
EVOLVED = Row("s.1", "s", "Name a river that crosses two borders.", round=1)
KEPT = Outcome(SEED, EVOLVED, "kept")
FAILED = Outcome(SEED, EVOLVED, "failed", "evolve", (Reason("answered", "an answer"),))
SUSPECTED = Outcome(
    SEED, EVOLVED, "failed", "evolve", (Reason("reworded", "few new words", "suspicion"),)
)
UNSCORED = Outcome(SEED, EVOLVED, "unscored")


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def totals() -> Totals:
    return Totals(tokens_in=50)


@pytest.fixture
def line(clock: Clock, totals: Totals) -> PhaseLine:
    return PhaseLine("evolve", 100, totals, clock)


def test_the_parts_come_in_the_order_of_their_importance(
    line: PhaseLine, clock: Clock, totals: Totals
) -> None:
    for outcome in (KEPT, KEPT, FAILED, SUSPECTED, UNSCORED):
        clock.now += 2
        line.count(outcome)
    totals.tokens_in, totals.tokens_out, totals.cost_usd = 1050, 500, 0.034
    assert line.parts() == [
        "evolve 5/100",
        "3 min left",
        "2 kept, 2 failed, 1 suspected, 1 unscored",
        "150 tok/s",
        "0.03 USD",
    ]


def test_what_a_run_does_not_have_is_not_shown(line: PhaseLine) -> None:
    assert line.parts() == ["evolve 0/100", "0 s so far"]


def test_a_cost_without_all_prices_is_a_least_one(line: PhaseLine, totals: Totals) -> None:
    totals.cost_usd, totals.unpriced = 1.5, 2
    assert line.parts()[-1] == "at least 1.50 USD"


def test_rows_from_the_ledger_soon_say_nothing_of_the_time_left(
    line: PhaseLine, clock: Clock
) -> None:
    for _ in range(40):  # a resumed run's rows, all at once
        line.count(KEPT)
    for _ in range(32):
        clock.now += 10
        line.count(KEPT)
    # 28 rows are left, 10 seconds each, measured over 31 intervals.
    assert line.parts()[1] == "5 min left"


def test_rows_that_cost_no_call_say_nothing_of_the_time_left(clock: Clock) -> None:
    totals = Totals()
    totals.calls["evolver"] = 12
    line = PhaseLine("evolve", 12, totals, clock)
    for _ in range(8):
        line.count(KEPT)
    clock.now += 30
    assert line.parts()[1] == "30 s so far"
    totals.calls["responder"] += 1
    line.count(KEPT)
    assert line.parts()[:2] == ["evolve 9/12", "90 s left"]


def test_replayed_rows_beside_slow_calls_promise_nothing(clock: Clock) -> None:
    totals = Totals()
    totals.calls["evolver"] = 1_000
    line = PhaseLine("evolve", 2_000, totals, clock)
    for _ in range(500):
        line.count(KEPT)
    # All workers are at calls that are tried again; then replayed rows go on.
    clock.now += 2
    totals.calls["evolver"] += 4
    line.count(KEPT)
    clock.now += 2
    for _ in range(500):
        line.count(KEPT)
    # Four calls in four seconds: of 999 rows that are left none may come from an earlier try.
    left = line.speed.seconds_left(clock.now, line.total)
    assert left is not None
    assert left >= 999


def test_rows_that_come_in_bursts_leave_the_time_steady(clock: Clock) -> None:
    line = PhaseLine("evolve", 2_000, Totals(), clock)
    draw, shown = random.Random(0), []
    # 100 calls in flight, each of about ten seconds: they end together for a long time.
    ends = [clock.now + draw.gauss(10, 0.5) for _ in range(100)]
    heapq.heapify(ends)
    begin = clock.now
    while line.done < 2_000:
        clock.now = heapq.heappop(ends)
        heapq.heappush(ends, clock.now + draw.gauss(10, 0.5))
        line.count(KEPT)
        if 500 <= line.done < 1_500:
            left = 200 - (clock.now - begin)
            shown.append((line.speed.seconds_left(clock.now, line.total) or 0.0, left))
    assert all(abs(guess - left) < 0.25 * left for guess, left in shown)


def test_a_phase_that_counts_no_rows_shows_its_time(clock: Clock, totals: Totals) -> None:
    line = PhaseLine("step 1: proposals", 0, totals, clock)
    clock.now += 42
    assert line.parts() == ["step 1: proposals", "42 s"]
    assert line.result() == ["step 1: proposals", "42 s"]


def test_a_finished_phase_says_what_came_out(line: PhaseLine, clock: Clock) -> None:
    line.count(KEPT)
    clock.now += 600
    assert line.result() == ["evolve 1/100", "1 kept", "10 min"]


@pytest.mark.parametrize("width", [40, 80, 120])
def test_lines_are_broken_between_parts_and_fit_the_width(width: int) -> None:
    parts = ["단계 1: 3 candidates, rows 1–8 12/24", "3 min left", "2 kept, 2 failed", "150 tok/s"]
    lines = packed(parts, width)
    assert all(Text(text).cell_len <= width for text in lines)
    assert " · ".join(text.strip() for text in lines) == " · ".join(parts)


def test_a_part_wider_than_the_screen_is_cut_off() -> None:
    assert packed(["x" * 50], 20) == ["x" * 19 + "…"]


def test_the_line_of_a_finished_phase_fits_the_screen(totals: Totals) -> None:
    output = io.StringIO()
    console = Console(file=output, width=50, force_terminal=True)
    bar = ProgressBar(console)
    bar.count_tokens(totals)
    bar.on_phase(Phase("evolve", 1_000))
    for outcome in (KEPT, FAILED, SUSPECTED, UNSCORED):
        bar.on_row(outcome)
    totals.cost_usd = 12.3
    bar.finish()
    lines = output.getvalue().splitlines()
    assert all(Text(line).cell_len <= 50 for line in lines)
    assert lines[1:] == ["  1 kept, 2 failed, 1 suspected, 1 unscored", "  12.30 USD · 0 s"]


def printed(outcomes: Iterator[Outcome], samples: SampleRows | None = None) -> str:
    output = io.StringIO()
    with progress_bar(Console(file=output, width=80), samples) as bar:
        bar.on_phase(Phase("evolve", 2))
        for outcome in outcomes:
            bar.on_row(outcome)
        bar.report()
    return output.getvalue()


def test_a_pipe_gets_whole_lines_with_the_time_and_no_cursor_moves() -> None:
    begun, at_work, finished = printed(iter([KEPT, FAILED])).splitlines()
    assert begun.endswith("] evolve")
    assert "] evolve 2/2 · 0 s · 1 kept, 1 failed" in at_work
    assert "] ✓ evolve 2/2 · 1 kept, 1 failed · 0 s" in finished or "done: evolve" in finished
    assert "\x1b" not in at_work + finished


def test_a_terminal_shows_the_phase_at_work_and_its_result() -> None:
    output = io.StringIO()
    console = Console(file=output, width=80, force_terminal=True, legacy_windows=False)
    with progress_bar(console) as bar:
        bar.on_phase(Phase("evolve", 2))
        bar.on_row(KEPT)
        console.print(bar)
    assert "evolve 1/2 · " in output.getvalue()
    assert "evolve 1/2 · 1 kept · 0 s" in output.getvalue()


def test_a_row_is_shown_now_and_then_and_cannot_move_the_cursor(clock: Clock) -> None:
    row = Row("s.1", "s", "Name a river.\x1b[2J[bold]Explain.[/bold]", round=1, method="e0")
    samples = SampleRows(clock)
    output = printed(iter([Outcome(SEED, row, "kept"), KEPT]), samples)
    assert "before Name a river." in output
    assert r"after  Name a river.\x1b[2J[bold]Explain.[/bold]" in output
    assert "crosses two borders" not in output, "the second row comes too soon"
    clock.now += 30
    assert "crosses two borders" in printed(iter([KEPT]), samples)
