"""The rules of the stage `teach`: does a row teach, or is it too easy, too hard, no harder?

For tasks with one result, a weak and a strong solver decide; for open tasks a judge that passed its
exam. Where neither can speak the row is unknown: it is counted apart and fails nothing.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from autoevol.metrics import Case, Reason, Rule
from autoevol.metrics.quality.consistency import OPEN
from autoevol.metrics.quality.learnable import (
    LearnableOptions,
    Tries,
    no_gap,
    no_harder,
    too_easy,
    too_hard,
)
from autoevol.program.calls import CallRecord, collected_calls, report_call
from autoevol.program.witnesses.judge import Judge
from autoevol.program.witnesses.results import known_result
from autoevol.program.witnesses.solutions import IMPOSSIBLE, Solutions, TaskSolver

WEAK, STRONG, GAP, PARENT = "weak_rate", "strong_rate", "rate_gap", "parent_rate"
"""Scores of a row: the rates of the two solvers and their difference, and the weak one's rate on
the parent. The score `solver` asks with a prompt of its own, so its figures have other names."""

DEMANDS_MORE = "demands_more"
"""Score of a row that, as the judge says in both orders, demands more than its parent: 1."""


_REMEMBERED = 4096
"""Parents whose rates are kept in memory."""


@dataclass(frozen=True, slots=True)
class Lesson:
    """What the solvers or the judge say of a row.

    Attributes:
        reasons: Why it teaches nothing; empty: it teaches, or nobody knows.
        scores: Rates in [0, 1], by the names above.
        unknown: Why nobody could tell; "": somebody could.
    """

    reasons: tuple[Reason, ...] = ()
    scores: Mapping[str, float] = field(default_factory=dict)
    unknown: str = ""


class Teacher:
    """Decides whether rows teach.

    Args:
        rules: Of the stage `teach`.
        options: Samples and bands.
        weak: None: no rule needs it.
        strong: None: the weak solver's own agreement is the reference.
        judge: None: open tasks stay unknown.
        answers_count: Whether the responder is the strong solver's model, so that a row's response
            is one of its samples.
    """

    def __init__(
        self,
        rules: Sequence[Rule],
        options: LearnableOptions,
        weak: TaskSolver | None = None,
        strong: TaskSolver | None = None,
        judge: Judge | None = None,
        *,
        answers_count: bool = False,
    ) -> None:
        self.rules, self.options = tuple(rules), options
        self.weak, self.strong, self.judge = weak, strong, judge
        self._answers_count = answers_count
        self._parents = _Shared()

    @property
    def row_calls(self) -> int:
        """Calls that a row takes at most; those of its parent are shared with other rows."""
        solvers = sum(solver is not None for solver in (self.weak, self.strong))
        return solvers * self.options.samples + (2 if self.judge else 0)

    async def lesson(self, case: Case) -> Lesson:
        """Return whether a row teaches.

        Args:
            case: The row against its parent; with its response, if it has one.

        Raises:
            AdapterParseError: The judge's reply does not parse.
            LMError: A call failed for good.
        """
        named = {rule.name: rule for rule in self.rules if rule.applies_to(case)}
        if self.weak and case.task and any(rule.witness == "solvers" for rule in named.values()):
            lesson = await self._solved(named, case, case.task)
            if lesson:
                return lesson
        if self.judge and "demands_no_more" in named:
            return await self._judged(self.judge, named["demands_no_more"], case)
        return Lesson(unknown="the task has no result that solvers could agree on")

    async def can_solve(self, task: str) -> bool:
        """Tell whether a first solution of a task states a result that could be compared.

        Raises:
            LMError: The call failed for good.
        """
        leader = self.strong or self.weak
        if leader is None:
            return False
        (result,) = await leader.results(task, 1)
        return result not in ("", OPEN)

    async def judges(self) -> bool:
        """Tell whether an admitted judge decides open tasks; it takes its exam now.

        Raises:
            LMError: A call failed for good.
        """
        rule = next((rule for rule in self.rules if rule.witness == "judge"), None)
        if self.judge is None or rule is None:
            return False
        return (await self.judge.examine(rule)).is_fit

    async def _solved(self, named: Mapping[str, Rule], case: Case, task: str) -> Lesson | None:
        """Return what the solvers say; None: their solutions cannot be compared."""
        leader = self.strong or self.weak
        assert leader
        own = known_result(case.response or "") if self._answers_count else ""
        # A version of a task with a known result has one, too; small solvers call it open at times.
        has_result = case.method_kind != "breadth" and bool(known_result(case.expected))
        solutions = await leader.solutions(
            task, self.options.samples, own, may_be_open=not has_result
        )
        if not solutions.is_checkable:
            return None
        agreed = Tries(solutions.results.count(solutions.commonest), len(solutions.results))
        reason = _too_hard(solutions, agreed, self.options) if "too_hard" in named else None
        if reason:
            return _lesson(reason, strong=agreed)
        return await self._against_weak(named, case, task, solutions, agreed)

    async def _against_weak(
        self,
        named: Mapping[str, Rule],
        case: Case,
        task: str,
        solutions: Solutions,
        agreed: Tries,
    ) -> Lesson:
        """Compare the weak solver with the strong one, then with itself on the parent."""
        weak = await self._tries(task, solutions.commonest) if self.strong else agreed
        strong = agreed if self.strong else None
        reason = too_easy(weak, self.options) if "too_easy" in named else None
        if reason is None and strong and "no_gap" in named:
            reason = no_gap(weak, strong, self.options)
        if reason or "too_easy" not in named or case.method_kind != "depth":
            return _lesson(reason, weak, strong)
        # Last, since the parent costs as many calls again; rows of one parent share them.
        parent = await self._parents.get(case.source_task, lambda: self._parent(case))
        reason = no_harder(weak, parent, self.options) if parent else None
        return _lesson(reason, weak, strong, parent)

    async def _parent(self, case: Case) -> Tries | None:
        """Return the weak solver's rate on the parent; None: its result is not known."""
        reference = known_result(case.expected)
        leader = self.strong or self.weak
        assert leader
        if not reference:
            solutions = await leader.solutions(case.source_task, self.options.samples)
            reference = solutions.agreed(self.options.solvable_above)
        return await self._tries(case.source_task, reference) if reference else None

    async def _tries(self, task: str, reference: str) -> Tries:
        assert self.weak
        results = await self.weak.worked(task, self.options.samples)
        return Tries(results.count(reference), len(results))

    async def _judged(self, judge: Judge, rule: Rule, case: Case) -> Lesson:
        opinion = await judge.opinion(rule, case)
        if opinion.evidence is not None:
            return Lesson((Reason(rule.name, opinion.evidence),))
        if opinion.clears:
            return Lesson(scores={DEMANDS_MORE: 1.0})
        return Lesson(unknown="an open task, on which no admitted judge decides")


def _too_hard(solutions: Solutions, agreed: Tries, options: LearnableOptions) -> Reason | None:
    if solutions.commonest == IMPOSSIBLE:
        count = f"{agreed.right} of {agreed.samples}"
        return Reason("too_hard", f"strong solver: {count} solutions find that there is none")
    return too_hard(agreed, options)


def _lesson(
    reason: Reason | None,
    weak: Tries | None = None,
    strong: Tries | None = None,
    parent: Tries | None = None,
) -> Lesson:
    rates = {WEAK: weak, STRONG: strong, PARENT: parent}
    scores = {name: tries.rate for name, tries in rates.items() if tries}
    if weak and strong:
        scores[GAP] = round(strong.rate - weak.rate, 4)
    return Lesson((reason,) if reason else (), scores)


_Obtain = Callable[[], Awaitable[Tries | None]]


class _Shared:
    """Results that several rows need, each obtained once."""

    def __init__(self) -> None:
        self._tasks: dict[str, asyncio.Task[tuple[Tries | None, list[CallRecord]]]] = {}

    async def get(self, key: str, obtain: _Obtain) -> Tries | None:
        """Return the result of a key; all rows count its calls, the first one pays them.

        Which row is the first depends on timing. A row's account must not, so each counts them.
        """
        task = self._tasks.get(key)
        is_first = task is None
        if task is None:
            task = self._tasks[key] = asyncio.create_task(_with_calls(obtain))
            self._forget_oldest()
        try:
            result, calls = await asyncio.shield(task)
        except BaseException:
            # The next row tries again: a call that died may pass another time.
            if self._tasks.get(key) is task:
                del self._tasks[key]
            raise
        for call in calls:
            report_call(call if is_first else replace(call, is_shared=True))
        return result

    def _forget_oldest(self) -> None:
        # Memory must not grow with the set; the ledger still has the calls.
        if len(self._tasks) > _REMEMBERED:
            del self._tasks[next(iter(self._tasks))]


async def _with_calls(obtain: _Obtain) -> tuple[Tries | None, list[CallRecord]]:
    with collected_calls(apart=True) as calls:
        result = await obtain()
    return result, calls
