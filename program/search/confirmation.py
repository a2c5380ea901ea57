"""Confirmation on fresh rows: the archive's best methods against the initial method once more.

The dev rows chose these methods, and selection on them is optimistically biased: some were lucky.
The fresh rows had no part in the search.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from autoevol.metrics import pairs
from autoevol.program.records import Evaluation, FinalChoice, Finalist, Preference, Row
from autoevol.program.search.acceptance import Acceptance
from autoevol.program.search.archive import Archive
from autoevol.program.search.racing import Measure

_ROUNDING = 1e-9
"""The test's p is a sum of floats: one win more than losses has 0.5 up to rounding."""


@dataclass(frozen=True, slots=True)
class ConfirmationTest:
    """When a finalist replaces the initial method.

    Attributes:
        acceptance: The comparison on dev and fresh rows together.
        level: Of McNemar's one-sided test on the fresh rows alone, in (0, 1); 0.5: more wins than
            losses.
        finalists: Most methods that are measured on the fresh rows, at least 1.
    """

    acceptance: Acceptance
    level: float = 0.5
    finalists: int = 2

    def is_finalist(self, evaluation: Evaluation, initial: Evaluation) -> bool:
        """Return whether a method fails less on the dev rows, or as often and is preferred."""
        difference = pairs(evaluation.verdicts, initial.verdicts).difference
        is_tied = difference == 0 and evaluation is not initial
        return difference < 0 or (
            is_tied and self.acceptance.compare(evaluation, initial).is_better
        )

    def judge(
        self, dev: Evaluation, fresh: Evaluation, initial: Evaluation, initial_fresh: Evaluation
    ) -> Finalist:
        """Compare a finalist with the initial method.

        On the fresh rows alone it has to fail less by the test, or on no row that the initial
        method passed. It also has to be preferred on dev and fresh rows together.
        """
        comparison = pairs(fresh.verdicts, initial_fresh.verdicts)
        # Without a loss only the small number of rows could fail the test, so dev and fresh rows
        # together decide.
        if comparison.lost > 0 and comparison.p_better > self.level + _ROUNDING:
            why = f"not confirmed on fresh rows: mended {comparison.won}, broke {comparison.lost}"
            return Finalist(dev, fresh, Preference(False, why))
        all_rows = dev.joined(fresh), initial.joined(initial_fresh)
        return Finalist(dev, fresh, self.acceptance.compare(*all_rows))


async def confirm_on_fresh_rows(
    archive: Archive, rows: Sequence[Row], test: ConfirmationTest, measure: Measure
) -> FinalChoice:
    """Return the confirmed finalist that fails least on the fresh rows, or the initial method.

    Args:
        archive: The methods of the search on the dev rows.
        rows: The fresh rows.
        test: Chooses and judges the finalists.
        measure: Evaluates a method; it is not called when no method qualifies.
    """
    initial = archive.initial
    qualified = [e for e in archive.ranked if test.is_finalist(e, initial)]
    if not qualified:
        return FinalChoice(initial, Evaluation(initial.method, ()), ())
    initial_fresh = await measure(initial.method, rows)
    finalists = [
        test.judge(dev, await measure(dev.method, rows), initial, initial_fresh)
        for dev in qualified[: test.finalists]
    ]
    confirmed = [finalist for finalist in finalists if finalist.preference.is_better]
    # By the fresh rows alone, since selection on the dev rows is optimistically biased.
    best = min(confirmed, key=lambda f: f.fresh.failure_rate.rate).dev if confirmed else initial
    return FinalChoice(best, initial_fresh, tuple(finalists))
