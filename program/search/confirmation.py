"""The second look: the archive's best on fresh rows, because dev rows flatter what they chose."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from autoevol.metrics import Pairs, pairs
from autoevol.program.records import Evaluation, FinalChoice, Finalist, Preference, Row
from autoevol.program.search.acceptance import Acceptance
from autoevol.program.search.archive import Archive
from autoevol.signatures import Method

Measure = Callable[[Method, Sequence[Row]], Awaitable[Evaluation]]
"""Evaluates a method on rows."""


@dataclass(frozen=True, slots=True)
class ConfirmationTest:
    """How a search looks twice.

    Attributes:
        acceptance: On dev and fresh rows together.
        level: Of McNemar's one-sided test on the fresh rows alone, in (0, 1): they had no part in
            the choice.
        most: Contenders, at least 1.
    """

    acceptance: Acceptance
    level: float = 0.2
    most: int = 2


async def confirm_on_fresh_rows(
    archive: Archive, rows: Sequence[Row], look: ConfirmationTest, measure: Measure
) -> FinalChoice:
    """Choose among the best methods of the archive.

    Looked at is what fails less than the initial method on the dev rows, or as often and is
    preferred to it there. On the fresh rows alone a contender has to fail less by the test, or on
    no row that the initial method passed; and it has to be preferred on dev and fresh rows
    together. Of those the one that fails least on the fresh rows wins.
    """
    initial = archive.initial
    better = [e for e in archive.ranked if _is_worth_a_look(e, initial, look.acceptance)]
    if not better:
        return FinalChoice(initial, Evaluation(initial.method, ()), ())
    start = await measure(initial.method, rows)
    contenders = [
        _contender(found, await measure(found.method, rows), initial, start, look)
        for found in better[: look.most]
    ]
    proved = [c for c in contenders if c.preference.is_better]
    best = min(proved, key=lambda c: c.fresh.failure_rate.rate).dev if proved else initial
    return FinalChoice(best, start, tuple(contenders))


def _is_worth_a_look(found: Evaluation, initial: Evaluation, acceptance: Acceptance) -> bool:
    difference = pairs(found.verdicts, initial.verdicts).difference
    is_tied = difference == 0 and found is not initial
    return difference < 0 or (is_tied and acceptance.compare(found, initial).is_better)


def _contender(
    dev: Evaluation,
    fresh: Evaluation,
    initial: Evaluation,
    start: Evaluation,
    look: ConfirmationTest,
) -> Finalist:
    alone = pairs(fresh.verdicts, start.verdicts)
    if _is_doubtful(alone, look.level):
        why = f"is not proved on fresh rows: mended {alone.won}, broke {alone.lost}"
        return Finalist(dev, fresh, Preference(False, why))
    both = look.acceptance.compare(dev.joined(fresh), initial.joined(start))
    return Finalist(dev, fresh, both)


def _is_doubtful(alone: Pairs, level: float) -> bool:
    return alone.lost > 0 and alone.p_better > level
