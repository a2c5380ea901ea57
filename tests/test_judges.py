"""The judge's rules: what is asked, how it is read, and when nobody is asked at all."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dspy
import pytest

from metrics import Case, Reason
from program.failure import failure_metric
from program.judges import QUESTIONS
from program.roles import Role
from tests.command_line import run_cli
from tests.rules_broken import HARDER, SOURCE

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


class Bench(dspy.LM):
    """A judge that gives one answer and counts how often it is asked."""

    def __init__(self, answer: str) -> None:
        super().__init__("openai/none", cache=False)
        self.answer = answer
        self.asked = 0

    async def acall(self, *_: Any, **__: Any) -> list[str]:
        self.asked += 1
        return [f"{self.answer}\n\n[[ ## completed ## ]]"]


def verdict(rules: list[str], answer: str, case: Case) -> tuple[tuple[Reason, ...], int]:
    bench = Bench(answer)
    metric = failure_metric(rules, rules, judge=Role(bench, "bench"))
    return asyncio.run(metric.reasons("evolve", case)), bench.asked


@pytest.mark.parametrize("rule", QUESTIONS)
def test_a_fault_is_a_reason_with_the_judges_words(rule: str) -> None:
    found, asked = verdict([rule], ANSWERS[rule][0], Case(SOURCE, HARDER))
    assert found == (Reason(rule, EVIDENCE[rule]),)
    assert asked == 1


@pytest.mark.parametrize("rule", QUESTIONS)
def test_no_fault_passes(rule: str) -> None:
    assert verdict([rule], ANSWERS[rule][1], Case(SOURCE, HARDER)) == ((), 1)


def test_the_judge_is_not_asked_about_what_has_failed_already() -> None:
    found, asked = verdict(["strict+judge"], ANSWERS["defects"][0], Case(SOURCE, SOURCE))
    assert found[0].rule == "unchanged"
    assert asked == 0


def test_the_judge_is_not_asked_about_a_new_task_that_the_method_wanted() -> None:
    other = Case(SOURCE, "Explain how to choose a helmet that fits.", method_kind="breadth")
    assert verdict(["strict+judge"], ANSWERS["defects"][0], other) == ((), 0)


def test_a_run_with_a_judge_is_a_matter_of_config(write_config: Callable[..., Path]) -> None:
    config = write_config(
        20,
        optimizer={"name": "none"},
        failure={"rules": ["strict+judge", "equal", "analysis"]},
    )
    shown = run_cli("run", str(config), "--dry-run", expected=0).out
    assert "judge" in shown
    run_cli("run", str(config), expected=0)
    assert '"judge"' in Path("runs/test/summary.json").read_text()
