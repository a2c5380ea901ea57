"""The judge's rules: what is asked, how it is read, and when the judge is not asked."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from dspy.utils.exceptions import LMInvalidRequestError

from autoevol.metrics import RULES, Case, Reason
from autoevol.program.evolution.failure import failure_metric
from autoevol.program.roles import Role
from autoevol.program.witnesses.exam import Exam, exam, first_exam
from autoevol.program.witnesses.judge import Judge, majority_opinion
from autoevol.program.witnesses.questions import QUESTIONS, Opinion
from tests.support.command_line import run_cli
from tests.support.rules_broken import HARDER, SOURCE
from tests.support.witnesses import ScriptedJudge

EVIDENCE = {
    "equal": "the judge calls it so",
    "nothing_added": "the judge finds no added demand",
    "analysis": "adds nothing",
    "defects": "contradiction, unclear",
    "impossible": "consistency: 3 of 2 are red",
}
ASKED = [name for name in QUESTIONS if RULES[name].stages == ("evolve",)]
"""Questions at the evolve stage; `test_teaching` has the other."""

VOTES = {"impossible": 2}
"""Calls of a case whose votes agree; one where there is no vote."""

HARDER_CASE = Case(SOURCE, HARDER)
SUSPECT = Case("Name three birds.", "Kindly name three birds.")


def verdict(
    rules: list[str], judge: ScriptedJudge, case: Case, paper: Exam | None = None
) -> tuple[Reason, ...]:
    metric = failure_metric(rules, rules, judge=Judge(Role(judge, "judge"), paper))
    return asyncio.run(metric.reasons("evolve", case))


def case_for(rule: str) -> tuple[list[str], Case]:
    """Return rules and a case about which the rule's question is asked."""
    return (
        (["unchanged", rule], SUSPECT) if QUESTIONS[rule].is_for_suspects else ([rule], HARDER_CASE)
    )


@pytest.mark.parametrize("rule", ASKED)
def test_a_fault_is_a_reason_with_the_judges_words(rule: str) -> None:
    judge = ScriptedJudge(rule, finds_fault=True)
    rules, case = case_for(rule)
    assert verdict(rules, judge, case)[-1] == Reason(rule, EVIDENCE[rule])
    assert judge.rows_asked == VOTES.get(rule, 1)


@pytest.mark.parametrize("rule", ASKED)
def test_no_fault_passes(rule: str) -> None:
    judge = ScriptedJudge(rule, finds_fault=False)
    rules, case = case_for(rule)
    assert verdict(rules, judge, case) == ()
    assert judge.rows_asked == VOTES.get(rule, 1)


def test_the_judge_is_not_asked_about_what_has_failed_already() -> None:
    judge = ScriptedJudge("impossible", finds_fault=True)
    assert verdict(["strict+judge"], judge, Case(SOURCE, SOURCE))[0].rule == "same_text"
    assert judge.rows_asked == judge.items_asked == 0


def test_the_judge_is_not_asked_about_a_new_task_that_the_method_wanted() -> None:
    judge = ScriptedJudge("defects", finds_fault=True)
    other = Case(SOURCE, "Explain how to choose a helmet that fits.", method_kind="breadth")
    assert verdict(["strict", "defects"], judge, other) == ()
    assert judge.rows_asked == 0


def test_an_added_demand_is_asked_for_only_where_too_little_seems_added() -> None:
    judge = ScriptedJudge("nothing_added", finds_fault=True)
    assert verdict(["strict", "nothing_added"], judge, HARDER_CASE) == ()
    assert judge.rows_asked == judge.items_asked == 0


@pytest.mark.parametrize(
    ("reply", "rules"),
    [
        pytest.param("Kindly name three birds", [], id="words of the rewrite alone"),
        pytest.param("“kindly name three birds.”", [], id="in other marks"),
        pytest.param("name three birds", ["unchanged"], id="words of the seed"),
        pytest.param("and explain each", ["unchanged"], id="words of nobody"),
        pytest.param("K", ["unchanged"], id="a letter"),
        pytest.param("None.", ["unchanged", "nothing_added"], id="none"),
    ],
)
def test_a_demand_counts_only_if_it_is_quoted(reply: str, rules: list[str]) -> None:
    judge = ScriptedJudge("nothing_added", finds_fault=False)
    judge.none = reply
    # The exam is passed by quoting; here every reply to an item is right.
    metric = failure_metric(["unchanged", "nothing_added"], [], judge=_admitted(judge))
    reasons = asyncio.run(metric.reasons("evolve", SUSPECT))
    assert [reason.rule for reason in reasons] == rules


def _admitted(model: ScriptedJudge) -> Judge:
    """Return a judge whose exam, of no items, is passed."""
    return Judge(Role(model, "judge"), Exam([], lambda count: True, lambda count: True))


def test_an_added_demand_does_not_answer_that_something_is_lost() -> None:
    judge = ScriptedJudge("nothing_added", finds_fault=False)
    rules = ["unchanged", "bloated", "nothing_added"]
    metric = failure_metric(
        rules, [], judge=_admitted(judge), thresholds={"bloated": {"times": 1, "spare_words": 0}}
    )
    reasons = asyncio.run(metric.reasons("evolve", SUSPECT))
    assert [reason.rule for reason in reasons] == ["bloated"]


@pytest.mark.parametrize(
    ("votes", "cast", "is_failed"),
    [
        pytest.param("ff", 2, True, id="two of three fail"),
        pytest.param("pp", 2, False, id="two of three pass"),
        pytest.param("fpf", 3, True, id="the third decides"),
        pytest.param("fpp", 3, False, id="the third decides otherwise"),
        pytest.param("f?p", 3, False, id="an unreadable vote fails nothing"),
        pytest.param("f?f", 3, True, id="an unreadable vote hinders nothing"),
        pytest.param("??p", 2, False, id="two unreadable votes are enough"),
    ],
)
def test_votes_are_cast_until_they_decide(votes: str, cast: int, is_failed: bool) -> None:
    opinions = {"f": Opinion("bad"), "p": Opinion(), "?": None}
    numbers = []

    async def vote(number: int) -> Opinion | None:
        numbers.append(number)
        return opinions[votes[number]]

    opinion = asyncio.run(majority_opinion(vote, 3))
    assert (opinion.evidence if opinion else None) == ("bad" if is_failed else None)
    assert numbers == list(range(cast))


def test_votes_are_drawn_at_a_temperature_where_they_can_differ() -> None:
    judge = ScriptedJudge("impossible", finds_fault=True)
    verdict(["impossible"], judge, HARDER_CASE)
    assert set(judge.temperatures) == {0.7}


def test_a_text_that_does_not_stand_alone_is_not_judged_by_itself() -> None:
    judge = ScriptedJudge("impossible", finds_fault=True)
    assert verdict(["impossible"], judge, Case(SOURCE, HARDER, input=None)) == ()
    assert judge.rows_asked == 0


@pytest.mark.parametrize(("errs", "is_fit"), [((1, 4), True), ((2, 0), False), ((0, 5), False)])
def test_a_folder_of_an_earlier_format_keeps_its_twenty_controls(
    errs: tuple[int, int], is_fit: bool
) -> None:
    items = first_exam().items
    sound = [item.rewrite for item in items if item.is_sound]
    broken = [item.rewrite for item in items if not item.is_sound]
    wrong = [*sound[: errs[0]], *broken[: errs[1]]]
    judge = ScriptedJudge("defects", finds_fault=True, errs=wrong, paper=first_exam())
    assert bool(verdict(["defects"], judge, HARDER_CASE, first_exam())) == is_fit
    assert judge.items_asked == 20


def test_an_exam_is_held_once_for_many_rows() -> None:
    judge = ScriptedJudge("defects", finds_fault=False)
    metric = failure_metric(["defects"], [], judge=Judge(Role(judge, "judge")))

    async def judge_rows() -> None:
        await metric.prepare()
        cases = [Case(SOURCE, f"{HARDER} Use at most {n} words.") for n in range(5)]
        await asyncio.gather(*(metric.reasons("evolve", case) for case in cases))

    asyncio.run(judge_rows())
    assert (judge.items_asked, judge.rows_asked) == (len(exam().items), 5)


def test_a_systems_own_question_is_asked_as_the_system_asks_it() -> None:
    wrong = [item.rewrite for item in exam().items]
    judge = ScriptedJudge("equal", finds_fault=True, errs=wrong)
    assert [reason.rule for reason in verdict(["wizardlm"], judge, HARDER_CASE)] == ["equal"]
    assert judge.items_asked == 0


def test_a_run_with_witnesses_is_a_matter_of_config(write_config: Callable[..., Path]) -> None:
    config = write_config(
        20,
        optimizer={"name": "none"},
        failure={"rules": ["strict+judge", "strict+solver", "equal", "analysis", "defects"]},
    )
    shown = run_cli("run", str(config), "--dry-run", expected=0).out
    assert "exam" in shown
    done = run_cli("run", str(config), expected=0)
    assert "witness of nothing_added" in done.out
    summary = json.loads(Path("runs/test/summary.json").read_text())
    assert summary["calls_by_role"]["judge"] > 2 * len(exam().items)
    fitness = summary["judge_fitness"]
    assert set(fitness) == {
        *("nothing_added", "impossible", "analysis", "defects", "unsolvable", "same_answer")
    }
    assert (fitness["defects"]["false_alarms"], fitness["defects"]["hits"]) == (0, 48)
    assert set(fitness["defects"]["groups"]) == {"english", "east_asian", "other"}
    report = Path("runs/test/report.html").read_text()
    assert "nothing_added" in report


def test_what_a_run_may_ask_of_witnesses_is_in_its_estimate(
    write_config: Callable[..., Path],
) -> None:
    rules = ["strict+judge", "strict+solver"]
    config = write_config(20, optimizer={"name": "none"}, failure={"rules": rules})
    lines = _calls(run_cli("run", str(config), "--dry-run", expected=0).out)
    # 48 items about demands, and 48 about what can be done, with three votes each.
    assert lines["exam judge"] == 48 + 3 * 48
    # 16 tasks with a known answer and their twins, three times.
    assert lines["exam responder"] == 3 * 32
    assert lines["evolve judge"] == 20 * (1 + 3)
    assert lines["evolve responder"] == 20 * 6 + 20


def _calls(shown: str) -> dict[str, int]:
    counts: dict[str, int] = {}
    for line in shown.splitlines():
        cells = [cell.strip() for cell in line.strip("│┃ ").split("│")]
        if len(cells) > 3 and cells[3].replace(",", "").isdigit():
            key = f"{cells[0]} {cells[1]}"
            counts[key] = counts.get(key, 0) + int(cells[3].replace(",", ""))
    return counts


def test_the_draws_of_an_exam_are_those_of_the_controls_before_it() -> None:
    seen: list[int] = []

    class Recorder(ScriptedJudge):
        async def acall(self, *a: object, **settings: object) -> list[str]:
            seen.append(int(str(settings["rollout_id"])))
            return await super().acall(*a, **settings)  # type: ignore[arg-type]

    verdict(
        ["defects"],
        Recorder("defects", finds_fault=False, paper=first_exam()),
        HARDER_CASE,
        first_exam(),
    )
    assert {892928646, 1510250700, 1600124098} <= set(seen)


class Filtered(ScriptedJudge):
    """A judge whose provider refuses to read some texts."""

    refused = ""

    async def acall(self, *a: Any, messages: list[dict[str, Any]], **settings: Any) -> list[str]:
        if self.refused in messages[-1]["content"]:
            raise LMInvalidRequestError("400: content management policy", model="judge")
        return await super().acall(*a, messages=messages, **settings)


def test_a_filter_of_the_judges_provider_says_nothing_of_a_row() -> None:
    judge = Filtered("defects", finds_fault=True)
    judge.refused = HARDER
    assert verdict(["defects"], judge, HARDER_CASE) == ()


def test_a_filter_in_the_exam_is_a_wrong_answer_and_no_end() -> None:
    judge = Filtered("defects", finds_fault=True)
    judge.refused = exam().items[0].rewrite
    assert verdict(["defects"], judge, HARDER_CASE)[0].rule == "defects"


@pytest.mark.parametrize(
    ("numbers", "message"),
    [
        ({"impossible": {"votes": 0}}, "impossible.votes must be 1 to 99, got 0"),
        ({"unsolvable": {"samples": 1}}, "unsolvable.samples must be 2 to 99, got 1"),
        ({"same_answer": {"agree": 5}}, "same_answer.agree must be 0 to 1, got 5"),
    ],
)
def test_a_number_that_makes_no_sense_is_refused(
    numbers: dict[str, dict[str, float]], message: str, write_config: Callable[..., Path]
) -> None:
    rules = {"rules": ["strict+judge", "strict+solver"], "thresholds": numbers}
    config = write_config(20, optimizer={"name": "none"}, failure=rules)
    refused = run_cli("run", str(config), expected=2)
    assert f"failure.thresholds: {message}" in refused.err
    assert not Path("runs").exists()


def test_a_rewrite_that_is_too_long_costs_no_witness() -> None:
    judge = ScriptedJudge("impossible", finds_fault=True)
    metric = failure_metric(["impossible"], [], judge=Judge(Role(judge, "judge")))
    long = (Reason("over_length", "50 words"),)
    assert asyncio.run(metric.reasons("evolve", HARDER_CASE, also=long)) == long
    assert judge.rows_asked == judge.items_asked == 0


def test_the_estimate_counts_the_seeds_solutions(write_config: Callable[..., Path]) -> None:
    rules = {"rules": ["strict+solver"], "thresholds": {"unsolvable": {"samples": 5}}}
    config = write_config(20, optimizer={"name": "none"}, failure=rules)
    lines = _calls(run_cli("run", str(config), "--dry-run", expected=0).out)
    # Five of a rewrite, three of its seed, and one answer.
    assert lines["evolve responder"] == 20 * 8 + 20
    assert lines["exam responder"] == 5 * 32


@pytest.mark.parametrize(("others", "items"), [(["strict"], 48), (["strict-2026-11"], 0), ([], 0)])
def test_no_exam_is_held_for_suspects_that_no_rule_can_name(others: list[str], items: int) -> None:
    judge = ScriptedJudge("nothing_added", finds_fault=True)
    metric = failure_metric([*others, "nothing_added"], [], judge=Judge(Role(judge, "judge")))
    asyncio.run(metric.prepare())
    assert judge.items_asked == items
