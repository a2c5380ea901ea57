"""The judge's rules: what is asked, how it is read, and when the judge is not asked."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dspy
import pytest

from autoevol.metrics import Case, Reason
from autoevol.program.evolution.failure import failure_metric
from autoevol.program.evolution.judge_controls import CONTROLS, LEAST_HITS, MOST_FALSE_ALARMS
from autoevol.program.evolution.judges import QUESTIONS
from autoevol.program.roles import Role
from tests.support.command_line import run_cli
from tests.support.rules_broken import HARDER, SOURCE, rules_broken

ANSWERS = {
    "equal": ("[[ ## are_equal ## ]]\nTrue", "[[ ## are_equal ## ]]\nFalse"),
    "analysis": (
        "[[ ## reason ## ]]\nadds nothing\n\n[[ ## has_failed ## ]]\nTrue",
        "[[ ## reason ## ]]\nnone\n\n[[ ## has_failed ## ]]\nFalse",
    ),
    "defects": (
        '[[ ## defects ## ]]\n["contradiction", "unclear"]',
        "[[ ## defects ## ]]\n[]",
    ),
}
EVIDENCE = {
    "equal": "the judge calls it so",
    "analysis": "adds nothing",
    "defects": "contradiction, unclear",
}


class ScriptedJudge(dspy.LM):
    """A judge that gives one answer to all rows, and errs on some controls.

    Args:
        rule: The question that it answers.
        finds_fault: Whether it flags rows.
        errs: Number of sound controls that it flags, and of broken ones that it lets pass.

    Attributes:
        rows_asked: Questions about rows.
        controls_asked: Questions about controls.
    """

    def __init__(self, rule: str, *, finds_fault: bool, errs: tuple[int, int] = (0, 0)) -> None:
        super().__init__("openai/none", cache=False)
        self.fault, self.none = ANSWERS[rule]
        self.finds_fault = finds_fault
        sound = [c.rewrite for c in CONTROLS if c.is_sound]
        broken = [c.rewrite for c in CONTROLS if not c.is_sound]
        self.flagged = {*sound[: errs[0]], *broken[errs[1] :]}
        self.rows_asked = self.controls_asked = 0

    async def acall(self, *_: Any, messages: list[dict[str, Any]], **__: Any) -> list[str]:
        user = messages[-1]["content"]
        control = next((c for c in CONTROLS if c.rewrite in user), None)
        self.controls_asked += control is not None
        self.rows_asked += control is None
        is_fault = control.rewrite in self.flagged if control else self.finds_fault
        return [f"{self.fault if is_fault else self.none}\n\n[[ ## completed ## ]]"]


def verdict(rules: list[str], judge: ScriptedJudge, case: Case) -> tuple[Reason, ...]:
    metric = failure_metric(rules, rules, judge=Role(judge, "judge"))
    return asyncio.run(metric.reasons("evolve", case))


HARDER_CASE = Case(SOURCE, HARDER)


@pytest.mark.parametrize("rule", QUESTIONS)
def test_a_fault_is_a_reason_with_the_judges_words(rule: str) -> None:
    judge = ScriptedJudge(rule, finds_fault=True)
    assert verdict([rule], judge, HARDER_CASE) == (Reason(rule, EVIDENCE[rule]),)
    assert judge.rows_asked == 1


@pytest.mark.parametrize("rule", QUESTIONS)
def test_no_fault_passes(rule: str) -> None:
    judge = ScriptedJudge(rule, finds_fault=False)
    assert verdict([rule], judge, HARDER_CASE) == ()
    assert judge.rows_asked == 1


def test_the_judge_is_not_asked_about_what_has_failed_already() -> None:
    judge = ScriptedJudge("defects", finds_fault=True)
    assert verdict(["strict+judge"], judge, Case(SOURCE, SOURCE))[0].rule == "same_text"
    assert judge.rows_asked == judge.controls_asked == 0


def test_the_judge_is_not_asked_about_a_new_task_that_the_method_wanted() -> None:
    judge = ScriptedJudge("defects", finds_fault=True)
    other = Case(SOURCE, "Explain how to choose a helmet that fits.", method_kind="breadth")
    assert verdict(["strict+judge"], judge, other) == ()
    assert judge.rows_asked == 0


@pytest.mark.parametrize(
    ("errs", "is_fit"),
    [
        pytest.param((0, 0), True, id="knows all"),
        pytest.param((MOST_FALSE_ALARMS, 10 - LEAST_HITS), True, id="just fit"),
        pytest.param((MOST_FALSE_ALARMS + 1, 0), False, id="flags what is sound"),
        pytest.param((0, 11 - LEAST_HITS), False, id="sees nothing"),
        pytest.param((10, 0), False, id="flags everything"),
    ],
)
def test_a_judge_that_cannot_tell_the_controls_apart_abstains(
    errs: tuple[int, int], is_fit: bool, caplog: pytest.LogCaptureFixture
) -> None:
    judge = ScriptedJudge("defects", finds_fault=True, errs=errs)
    assert bool(verdict(["defects"], judge, HARDER_CASE)) == is_fit
    assert judge.controls_asked == len(CONTROLS)
    assert judge.rows_asked == is_fit
    assert ("not fit to judge" in caplog.text) != is_fit


def test_the_controls_are_asked_once_for_many_rows() -> None:
    judge = ScriptedJudge("defects", finds_fault=False)
    metric = failure_metric(["defects"], [], judge=Role(judge, "judge"))

    async def judge_rows() -> None:
        await metric.prepare()
        cases = [Case(SOURCE, f"{HARDER} Use at most {n} words.") for n in range(5)]
        await asyncio.gather(*(metric.reasons("evolve", case) for case in cases))

    asyncio.run(judge_rows())
    assert (judge.controls_asked, judge.rows_asked) == (len(CONTROLS), 5)


def test_a_systems_own_question_is_asked_as_the_system_asks_it() -> None:
    judge = ScriptedJudge("equal", finds_fault=True, errs=(10, 10))
    assert [reason.rule for reason in verdict(["wizardlm"], judge, HARDER_CASE)] == ["equal"]
    assert judge.controls_asked == 0


def test_the_controls_are_half_sound_and_the_pure_rules_spare_the_sound_ones() -> None:
    sound = [control for control in CONTROLS if control.is_sound]
    assert 2 * len(sound) == len(CONTROLS)
    for control in sound:
        assert rules_broken(control.original, control.rewrite) == []


def test_a_run_with_a_judge_is_a_matter_of_config(write_config: Callable[..., Path]) -> None:
    config = write_config(
        20,
        optimizer={"name": "none"},
        failure={"rules": ["strict+judge", "equal", "analysis"]},
    )
    shown = run_cli("run", str(config), "--dry-run", expected=0).out
    assert "judge" in shown
    assert "controls" in shown
    run_cli("run", str(config), expected=0)
    summary = json.loads(Path("runs/test/summary.json").read_text())
    assert summary["calls_by_role"]["judge"] > 2 * len(CONTROLS)
    assert summary["judge_fitness"]["defects"] == {"false_alarms": 0, "hits": 10, "is_fit": True}
