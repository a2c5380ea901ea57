"""The exam: its items, its groups, and who passes."""

import asyncio

import pytest

from autoevol.metrics import RULES
from autoevol.metrics.stats.agreement import Confusion
from autoevol.program.roles import Role
from autoevol.program.witnesses.exam import GROUPS, exam, first_exam, language_group, solver_exam
from autoevol.program.witnesses.judge import Judge
from autoevol.program.witnesses.solver import items_of
from tests.support.rules_broken import rules_broken
from tests.support.witnesses import ScriptedJudge, sound_items


def test_the_exam_is_balanced_by_topic_and_group() -> None:
    items = exam().items
    assert len(items) >= 80
    assert len({item.rewrite for item in items}) == len(items)
    for topic in ("demand", "solvable"):
        for group in GROUPS:
            halves = [
                sum(
                    item.is_sound is kind
                    for item in items
                    if item.topic == topic and language_group(item.original, item.rewrite) == group
                )
                for kind in (True, False)
            ]
            assert halves == [8, 8], (topic, group)


def test_each_original_has_a_sound_and_a_broken_rewrite() -> None:
    verdicts: dict[str, list[bool]] = {}
    for item in exam().items:
        verdicts.setdefault(item.original, []).append(item.is_sound)
    assert all(sorted(pair) == [False, True] for pair in verdicts.values())


def test_length_tells_nothing() -> None:
    lengths = {
        kind: sum(len(item.rewrite) for item in exam().items if item.is_sound is kind)
        for kind in (True, False)
    }
    assert 0.9 < lengths[True] / lengths[False] < 1.1


def test_no_evidence_stands_against_a_sound_item() -> None:
    suspicions = {"restated", "reworded", "unchanged", "same_sum", "shrunk", "no_request"}
    for item in (*exam().items, *first_exam().items):
        if item.is_sound:
            assert set(rules_broken(item.original, item.rewrite)) <= suspicions, item.rewrite


def test_a_solver_tries_what_has_an_answer_and_its_twins() -> None:
    items = items_of(solver_exam())
    assert len(items) == 32
    assert all(item.answer for item in items if item.is_sound)
    assert not any(item.answer for item in exam().items if not item.is_sound)


@pytest.mark.parametrize(
    ("flags", "is_admitted"),
    [
        pytest.param((8, 0), True, id="knows all"),
        pytest.param((4, 0), True, id="finds half and harms nothing"),
        pytest.param((5, 1), True, id="one false alarm"),
        pytest.param((8, 2), False, id="two false alarms in eight"),
        pytest.param((2, 0), False, id="sees nothing"),
        pytest.param((8, 8), False, id="flags everything"),
        pytest.param((0, 0), False, id="flags nothing"),
        pytest.param((4, 4), False, id="a coin"),
    ],
)
def test_admission_takes_more_than_a_coin(flags: tuple[int, int], is_admitted: bool) -> None:
    hits, false_alarms = flags
    count = Confusion(hits, false_alarms, misses=8 - hits, passes=8 - false_alarms)
    assert exam().passes(count) == is_admitted


def test_a_judge_is_admitted_by_group_of_languages() -> None:
    wrong = [
        item.rewrite
        for item in exam().about(("solvable",))
        if not item.is_sound and language_group(item.original, item.rewrite) == "east_asian"
    ]
    judge = ScriptedJudge("impossible", finds_fault=True, errs=wrong)
    fitness = asyncio.run(Judge(Role(judge, "judge")).examine(RULES["impossible"]))
    assert fitness.groups == ["english", "other"]
    assert fitness.is_fit
    assert fitness.admits("Name three birds.", "Name three birds that cannot fly.")
    assert not fitness.admits("새 세 마리를 말해 주세요.", "날지 못하는 새 세 마리를 말해 주세요.")
    assert fitness.admits("Назови трёх птиц.", "Назови трёх птиц, которые не летают.")
    assert fitness.as_dict()["groups"]["east_asian"]["hits"] == 0


@pytest.mark.parametrize(("false_alarms", "is_fit"), [(1, True), (2, False)])
def test_a_judge_that_flags_what_is_sound_is_admitted_nowhere(
    false_alarms: int, is_fit: bool
) -> None:
    wrong = sound_items(("solvable",), "other", false_alarms)
    judge = ScriptedJudge("impossible", finds_fault=True, errs=wrong)
    assert asyncio.run(Judge(Role(judge, "judge")).examine(RULES["impossible"])).is_fit == is_fit


@pytest.mark.parametrize(
    ("text", "group"),
    [
        ("Explain what a volcano is and why it erupts.", "english"),
        ("1 + 1 = ?", "english"),
        ("건강에 좋은 음식을 알려 주세요.", "east_asian"),
        ("説明してください。", "east_asian"),
        ("请说明原因。", "east_asian"),
        ("Explica por qué los volcanes entran en erupción y qué los distingue.", "other"),
        ("Объясни, что такое вулкан.", "other"),
    ],
)
def test_languages_are_told_apart_by_group(text: str, group: str) -> None:
    assert language_group("", text) == group
