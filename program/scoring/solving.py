"""Difficulty by solving: how often k samples of a solver reach the right, or the same, result."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from autoevol.metrics.quality.consistency import OPEN, reference_result, stated_result
from autoevol.metrics.quality.difficulty import gap, pass_rate
from autoevol.metrics.stats.intervals import Estimate
from autoevol.program.draws import draw_number
from autoevol.program.records import Row
from autoevol.program.roles import Role
from autoevol.program.scoring.scorers import Family, Scored, reply_of, single_rows
from autoevol.signatures import SolveTask
from autoevol.signatures.scoring import SOLVED

Check = Literal["agreement", "response"]
SOLVER, STRONG_SOLVER, GAP = "solver", "strong_solver", "solver_gap"
"""Scores of a row: the solver's rate, the strong solver's, and the second minus the first."""


@dataclass(frozen=True, slots=True)
class SolverScorer:
    """Lets a solver try each row k times.

    The rate is the share of its samples, in [0, 1], that reach the reference result; lower is
    harder. Source: pass rates as difficulty, arXiv 2508.04632; the gap between two solvers, arXiv
    2606.25996.

    Attributes:
        solver: Samples at a temperature above 0.
        strong: A better solver; None: there is no gap.
        samples: k, at least 2, of each solver.
        check: Which result is the reference. `response`: that of the row's own response (of a
            conversation's last one), where it states a clear one. `agreement`: the commonest one
            among the strong solver's samples, or the solver's where it is alone. Samples may agree
            on a wrong result, so the rate of the solver that decides is an upper estimate.
        name: Name of the score.
    """

    solver: Role
    strong: Role | None = None
    samples: int = 8
    check: Check = "agreement"
    name: str = SOLVER

    def families(self, rows: Sequence[Row]) -> list[Family]:
        """Return every row by itself."""
        return single_rows(rows)

    async def score(self, family: Family) -> list[Scored]:
        """Return the row's rates; a task whose solutions cannot be compared has none."""
        (row,) = family.rows
        solvers = [self.solver, *([self.strong] if self.strong else [])]
        by_solver = list(await asyncio.gather(*(self._results(row, role) for role in solvers)))
        results = [result for samples in by_solver for result in samples]
        if 2 * results.count(OPEN) > len(results):
            return [Scored(row.id, row.round, problem="open: solutions cannot be compared")]
        # The last solver is the strong one where there is one; its agreement is worth more.
        reference = self._reference(row, by_solver[-1])
        if not reference:
            return [Scored(row.id, row.round, problem="there is no result to compare samples with")]
        rates = [pass_rate(result == reference for result in samples) for samples in by_solver]
        return [Scored(row.id, row.round, _values(rates))]

    async def _results(self, row: Row, role: Role) -> list[str]:
        # Both solvers get the same draw numbers: their ledger keys differ by the model.
        task = {"task": row.question}
        draws = [draw_number(SOLVER, row.id, k) for k in range(self.samples)]
        calls = (reply_of(SolveTask, role, draw, task, SOLVED) for draw in draws)
        return [stated_result(reply) for reply in await asyncio.gather(*calls)]

    def _reference(self, row: Row, results: Sequence[str]) -> str:
        if self.check == "response":
            return reference_result((row.answers or (row.response,))[-1])
        stated = Counter(result for result in results if result not in ("", OPEN))
        return stated.most_common(1)[0][0] if stated else ""


def _values(rates: Sequence[Estimate | None]) -> Mapping[str, float]:
    """Return the rates by name, and by how much the strong solver's is higher."""
    named = zip((SOLVER, STRONG_SOLVER), rates, strict=False)
    values = {name: rate.value for name, rate in named if rate}
    lead = gap(rates[-1], rates[0]) if len(rates) > 1 else None
    return {**values, GAP: lead.value} if lead else values
