"""The stage `teach`: verdicts and their evidence, what is not asked, and what nobody can tell."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import dspy
import pytest
from dspy.utils.exceptions import LMTransportError

from autoevol.metrics import Case, compose
from autoevol.metrics.quality.learnable import LearnableOptions
from autoevol.program.calls import CallRecord, collected_calls, paid_calls, report_call
from autoevol.program.evolution.evaluation import trajectories
from autoevol.program.evolution.evolver import Evolver
from autoevol.program.evolution.failure import failure_metric
from autoevol.program.evolution.pipeline import Pipeline
from autoevol.program.listeners import Listeners
from autoevol.program.records import Row
from autoevol.program.roles import Role, Roles
from autoevol.program.witnesses.judge import Judge
from autoevol.program.witnesses.solutions import TaskSolver
from autoevol.program.witnesses.teaching import Lesson, Teacher
from autoevol.signatures import Method
from tests.support.models import Model
from tests.support.witnesses import ScriptedJudge

PARENT = "A bus carries 40 people and 12 get off. How many are left?"
CHILD = "A bus carries 40 people, 12 get off and then a quarter of the rest. How many are left?"
RULES = ["learnable"]


class Solving(dspy.LM):
    """Gives a task's results in the order of its samples, and counts the calls by task."""

    def __init__(self, parent: Sequence[str], child: Sequence[str]) -> None:
        super().__init__("openai/none", cache=False)
        self.results = {PARENT: list(parent), CHILD: list(child)}
        self.tasks: list[str] = []

    async def acall(self, *_: Any, messages: list[dict[str, Any]], **settings: Any) -> list[str]:
        task = messages[-1]["content"]
        results = self.results[task]
        text = f"Answer: {results[self.tasks.count(task) % len(results)]}"
        self.tasks.append(task)
        report_call(CallRecord("", "none", text, False, False, 1, 0, 0, 1, 0.0, None))
        return [text]


def teacher_of(
    weak: Solving,
    strong: Solving | None,
    judge: Judge | None = None,
    *,
    rules: Sequence[str] = RULES,
    answers_count: bool = False,
) -> Teacher:
    return Teacher(
        compose(rules, "teach"),
        LearnableOptions(),
        TaskSolver(Role(weak, "weak")),
        TaskSolver(Role(strong, "strong")) if strong else None,
        judge,
        answers_count=answers_count,
    )


def right(result: str, count: int, of: int = 5) -> list[str]:
    """Return results, the first `count` of them right."""
    return [result] * count + [f"{result}{number}" for number in range(1, of - count + 1)]


def lesson(
    weak: Solving,
    strong: Solving | None,
    *,
    case: Case | None = None,
    judge: Judge | None = None,
    **settings: Any,
) -> Lesson:
    teacher = teacher_of(weak, strong, judge, **settings)
    return asyncio.run(teacher.lesson(case or Case(PARENT, CHILD)))


def verdict(weak: int, strong: int, parent: int = 5) -> str:
    """Return the reason for a row that so many samples solve; "" where it teaches."""
    result = lesson(
        Solving(right("28", parent), right("21", weak)),
        Solving(right("28", 5), right("21", strong)),
    )
    return "; ".join(map(str, result.reasons))


@pytest.mark.parametrize(
    ("weak", "strong", "parent", "reason"),
    [
        pytest.param(2, 5, 5, "", id="in the band"),
        pytest.param(0, 4, 5, "", id="hard for the weak one alone"),
        pytest.param(5, 5, 5, "too_easy: weak solver: 5 of 5 right", id="too easy"),
        pytest.param(3, 5, 5, "too_easy: weak solver: 3 of 5 right", id="above one half"),
        pytest.param(
            1, 3, 5, "too_hard: strong solver: 3 of 5 solutions agree", id="beyond the strong one"
        ),
        pytest.param(
            2, 5, 2, "too_easy: weak solver: 2 of 5 right, as on the parent", id="as the parent"
        ),
        pytest.param(
            2,
            5,
            1,
            "too_easy: weak solver: 2 of 5 right, on the parent 1 of 5 right",
            id="easier than the parent",
        ),
        pytest.param(1, 5, 2, "", id="lower by the margin"),
        pytest.param(0, 5, 0, "", id="no rate falls below 0"),
    ],
)
def test_the_bands(weak: int, strong: int, parent: int, reason: str) -> None:
    assert verdict(weak, strong, parent) == reason


def test_a_row_that_teaches_has_the_rates_as_scores() -> None:
    result = lesson(
        Solving(right("28", 4), right("21", 1)), Solving(right("28", 5), right("21", 5))
    )
    assert result.scores == {
        "weak_rate": 0.2,
        "strong_rate": 1.0,
        "rate_gap": pytest.approx(0.8),
        "parent_rate": 0.8,
    }


def test_the_gap_alone() -> None:
    weak, strong = Solving(right("28", 5), right("21", 4)), Solving(["28"], right("21", 4))
    (reason,) = lesson(weak, strong, rules=["no_gap"]).reasons
    assert str(reason) == "no_gap: weak solver: 4 of 5 right, strong solver: 4 of 5 right"


def test_a_task_that_solvers_call_impossible_is_too_hard() -> None:
    weak, strong = Solving(["28"], ["21"]), Solving(["28"], ["impossible"])
    (reason,) = lesson(weak, strong).reasons
    assert str(reason) == "too_hard: strong solver: 5 of 5 solutions find that there is none"


def test_a_failure_costs_no_call_of_a_later_question() -> None:
    weak, strong = Solving(right("28", 5), right("21", 5)), Solving(["28"], right("21", 2))
    lesson(weak, strong)
    assert (weak.tasks, strong.tasks) == ([], [CHILD] * 5)
    weak, strong = Solving(right("28", 5), right("21", 5)), Solving(["28"], right("21", 5))
    lesson(weak, strong)
    assert (weak.tasks, strong.tasks) == ([CHILD] * 5, [CHILD] * 5)


def test_a_parent_with_a_known_answer_needs_no_strong_solver() -> None:
    weak, strong = Solving(right("28", 5), right("21", 1)), Solving(["28"], right("21", 5))
    lesson(weak, strong, case=Case(PARENT, CHILD, expected="40 - 12 = 28"))
    assert (weak.tasks.count(PARENT), strong.tasks.count(PARENT)) == (5, 0)


def test_the_responders_answer_is_one_sample() -> None:
    weak, strong = Solving(right("28", 5), right("21", 1)), Solving(["28"], ["21"])
    case = Case(PARENT, CHILD, response="28 * 3 / 4 = 21")
    result = lesson(weak, strong, case=case, answers_count=True)
    assert strong.tasks.count(CHILD) == 4
    assert result.scores["strong_rate"] == 1.0


def test_rows_of_one_parent_share_its_solutions_and_count_them_alike() -> None:
    weak, strong = Solving(right("28", 5), right("21", 1)), Solving(["28"], right("21", 5))
    teacher = teacher_of(weak, strong)

    async def both() -> list[list[CallRecord]]:
        async def one() -> list[CallRecord]:
            with collected_calls(apart=True) as calls:
                await teacher.lesson(Case(PARENT, CHILD))
            return calls

        return list(await asyncio.gather(one(), one()))

    first, second = asyncio.run(both())
    assert len(first) == len(second) == 20
    assert paid_calls([*first, *second]) == 30
    assert weak.tasks.count(PARENT) == strong.tasks.count(PARENT) == 5


def test_without_a_strong_solver_the_weak_ones_agreement_counts() -> None:
    rules = ["learnable", "-too_hard", "-no_gap"]
    assert not lesson(Solving(right("28", 5), right("21", 2)), None, rules=rules).reasons
    assert lesson(Solving(right("28", 5), right("21", 4)), None, rules=rules).reasons


@pytest.mark.parametrize("results", [["open"], ["a poem about tides and a sailor who is lost"]])
def test_an_open_task_is_unknown_and_fails_nothing(results: list[str]) -> None:
    result = lesson(Solving(["28"], results), Solving(["28"], results))
    assert not result.reasons
    assert result.unknown


def test_one_solution_that_calls_a_task_open_does_not_settle_it_where_the_parent_has_a_result() -> (
    None
):
    results = ["open", "21", "21", "21", "21"]
    known = Case(PARENT, CHILD, expected="40 - 12 = 28")
    assert lesson(Solving(["28"], ["0"]), Solving(["28"], results)).unknown
    result = lesson(Solving(["28"], ["0"]), Solving(["28"], results), case=known)
    assert (result.reasons, result.unknown) == ((), "")
    assert result.scores["strong_rate"] == 0.8
    mostly = ["open", "open", "open", "21", "21"]
    assert lesson(Solving(["28"], ["0"]), Solving(["28"], mostly), case=known).unknown


def test_a_conversation_is_unknown() -> None:
    result = lesson(Solving([], []), Solving([], []), case=Case(PARENT, CHILD, input=None))
    assert result.unknown


@pytest.mark.parametrize(
    ("finds_fault", "reasons", "unknown"),
    [(True, ["demands_no_more"], False), (False, [], False)],
)
def test_a_judge_decides_open_tasks(finds_fault: bool, reasons: list[str], unknown: bool) -> None:
    model = ScriptedJudge("demands_no_more", finds_fault=finds_fault)
    result = lesson(
        Solving(["28"], ["open"]), Solving(["28"], ["open"]), judge=Judge(Role(model, "judge"))
    )
    assert [reason.rule for reason in result.reasons] == reasons
    assert bool(result.unknown) == unknown
    assert model.rows_asked == 2


def test_a_judge_that_goes_by_the_order_decides_nothing() -> None:
    model = ScriptedJudge("demands_no_more", finds_fault=False, always="second")
    judge = Judge(Role(model, "judge"))
    result = lesson(Solving(["28"], ["open"]), Solving(["28"], ["open"]), judge=judge)
    assert (result.reasons, bool(result.unknown)) == ((), True)


def test_a_judge_that_fails_its_exam_decides_nothing() -> None:
    errs = [item.rewrite for item in ScriptedJudge("demands_no_more", finds_fault=True).items]
    model = ScriptedJudge("demands_no_more", finds_fault=True, errs=errs)
    judge = Judge(Role(model, "judge"))
    result = lesson(Solving(["28"], ["open"]), Solving(["28"], ["open"]), judge=judge)
    assert (result.reasons, bool(result.unknown), model.rows_asked) == ((), True, 0)


@pytest.mark.parametrize("kind", ["breadth", "down"])
def test_a_method_that_makes_no_harder_version_is_not_held_against_its_parent(kind: Any) -> None:
    weak, strong = Solving(right("28", 2), right("21", 2)), Solving(["28"], right("21", 5))
    result = lesson(weak, strong, case=Case(PARENT, CHILD, method_kind=kind))
    assert not result.reasons
    assert PARENT not in weak.tasks


def test_the_analysis_reads_why_a_row_teaches_nothing() -> None:
    weak, strong = Solving(right("28", 5), right("21", 5)), Solving(["28"], right("21", 5))
    teacher = teacher_of(weak, strong)
    evolver = Role(Model(lambda system, user, draw: CHILD), "evolver")
    failure = replace(failure_metric([], []), teacher=teacher)
    pipeline = Pipeline(Roles(evolver, evolver, evolver, evolver), failure, responds=False)
    row = Row("bus", "bus", PARENT)

    (case,) = asyncio.run(
        trajectories(
            Evolver(Method("m", "Rewrite it.")), [row], pipeline, Listeners(), length=1, phase="x"
        )
    )
    assert case.notes == ("stage 1: the rewrite is too easy (weak solver: 5 of 5 right)",)


def test_a_parent_whose_call_died_is_tried_again_by_the_next_row() -> None:
    class Dying(Solving):
        async def acall(self, *_: Any, messages: list[dict[str, Any]], **kw: Any) -> list[str]:
            if messages[-1]["content"] == PARENT and self.tasks.count(PARENT) == 0:
                self.tasks.append(PARENT)
                raise LMTransportError("no line")
            return await super().acall(messages=messages, **kw)

    weak, strong = Dying(right("28", 5), right("21", 1)), Solving(["28"], right("21", 5))
    teacher = teacher_of(weak, strong)

    async def twice() -> Lesson:
        with pytest.raises(LMTransportError):
            await teacher.lesson(Case(PARENT, CHILD))
        return await teacher.lesson(Case(PARENT, CHILD))

    assert "parent_rate" in asyncio.run(twice()).scores


class _Watched(Solving):
    """Keeps the system turns that it is asked under."""

    def __init__(self, parent: Sequence[str], child: Sequence[str]) -> None:
        super().__init__(parent, child)
        self.orders: set[str] = set()

    async def acall(self, *_: Any, messages: list[dict[str, Any]], **settings: Any) -> list[str]:
        self.orders.add(messages[0]["content"])
        return await super().acall(messages=messages, **settings)


def test_the_weak_solver_is_offered_no_way_out() -> None:
    weak, strong = (_Watched(right("28", 5), right("21", 5)) for _ in range(2))
    lesson(weak, strong)
    assert weak.orders
    assert strong.orders
    assert not any("open" in order or "impossible" in order for order in weak.orders)
    assert all("impossible" in order for order in strong.orders)


def test_a_weak_solution_without_its_last_line_is_read() -> None:
    solver = TaskSolver(Role(_Plain([], []), "weak"))
    assert asyncio.run(solver.worked(CHILD, 2)) == ["21", "21"]


class _Plain(Solving):
    """Solves without the line `Answer:`."""

    async def acall(self, *_: Any, messages: list[dict[str, Any]], **settings: Any) -> list[str]:
        report_call(CallRecord("", "none", "", False, False, 1, 0, 0, 1, 0.0, None))
        return ["40 - 12 = 28, and 28 * 3 / 4 = 21 people."]
