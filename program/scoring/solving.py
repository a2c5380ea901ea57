"""Difficulty by solving: how often k samples of a solver come to the right, or the same, result."""

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
from autoevol.program.scoring.scorers import Family, Scored, reply_of
from autoevol.signatures import SolveTask
from autoevol.signatures.scoring import SOLVED

Check = Literal["agreement", "response"]
SOLVER, STRONG_SOLVER, GAP = "solver", "strong_solver", "solver_gap"
"""Figures of a row: the solver's rate, the strong solver's, and the second less the first."""


@dataclass(frozen=True, slots=True)
class SolverScorer:
    """Lets a solver try each row k times.

    The rate is the share of its samples, in [0, 1], that come to the result that counts; lower is
    harder. Source: pass rates as difficulty, arXiv 2508.04632; the gap between two solvers, arXiv
    2606.25996.

    Attributes:
        solver: Samples at a temperature above 0.
        strong: A better solver; None: there is no gap.
        samples: k, at least 2, of each solver.
        check: Which result counts. `response`: that of the row's own response, of a conversation
            the last one, where it is clear which it is. `agreement`: the
            commonest one, of the strong solver's samples where there is one. Samples may agree on
            what is wrong, so then the rate of whoever decides is an upper estimate.
    """

    solver: Role
    strong: Role | None = None
    samples: int = 8
    check: Check = "agreement"
    name: str = SOLVER

    def families(self, rows: Sequence[Row]) -> list[Family]:
        """Return every row by itself."""
        return [Family((row,)) for row in rows]

    async def scored(self, family: Family) -> list[Scored]:
        """Return the row's rates; a task whose solutions cannot be compared has none."""
        (row,) = family.rows
        asked = [self.solver, *([self.strong] if self.strong else [])]
        results = list(await asyncio.gather(*(self._results(row, role) for role in asked)))
        told = [result for of_one in results for result in of_one]
        if 2 * told.count(OPEN) > len(told):
            return [Scored(row.id, row.round, problem="open: solutions cannot be compared")]
        counts = self._that_counts(row, results[-1])
        if not counts:
            return [Scored(row.id, row.round, problem="there is no result to hold samples against")]
        rates = [pass_rate(result == counts for result in of_one) for of_one in results]
        return [Scored(row.id, row.round, _figures(rates))]

    async def _results(self, row: Row, role: Role) -> list[str]:
        task = {"task": row.question}
        draws = [draw_number(SOLVER, row.id, k) for k in range(self.samples)]
        calls = (reply_of(SolveTask, role, draw, task, SOLVED) for draw in draws)
        return [stated_result(reply) for reply in await asyncio.gather(*calls)]

    def _that_counts(self, row: Row, results: Sequence[str]) -> str:
        if self.check == "response":
            return reference_result((row.answers or (row.response,))[-1])
        told = Counter(result for result in results if result not in ("", OPEN))
        return told.most_common(1)[0][0] if told else ""


def _figures(rates: Sequence[Estimate | None]) -> Mapping[str, float]:
    """Return the rates by name, and by how much the strong solver's is higher."""
    named = zip((SOLVER, STRONG_SOLVER), rates, strict=False)
    found = {name: rate.value for name, rate in named if rate}
    lead = gap(rates[-1], rates[0]) if len(rates) > 1 else None
    return {**found, GAP: lead.value} if lead else found
