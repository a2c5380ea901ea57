"""A row's checks are read as hostile input, and run together without one harming another."""

import asyncio
import json
from collections.abc import Sequence
from typing import Any

import pytest

from autoevol.metrics.verification.loose import loose_forms
from autoevol.program.checks.check import Check, CheckError, checks_of
from autoevol.program.checks.checking import findings, verdicts
from autoevol.program.sandbox import DEFAULT_LIMITS, Call, CallResult, Limits

SHORT = {"kind": "words_at_most", "options": {"count": 5}}


def test_checks_are_read() -> None:
    code = {"code": "def evaluate(response):\n    return True"}
    first, second = checks_of([SHORT, code])
    assert (first.kind, first.options) == ("words_at_most", {"count": 5})
    assert (second.kind, second.code) == ("code", code["code"])
    assert checks_of(None) == checks_of([]) == checks_of("") == []
    table = [{"kind": "no_commas", "options": {"count": None, "words": None}, "code": None}]
    assert checks_of(table) == checks_of(json.dumps(table)) == [Check("no_commas")]


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("text", "checks are no JSON"),
        ('{"kind": "no_commas"}', "must be a list, is dict"),
        ({"kind": "no_commas"}, "must be a list, is dict"),
        (["no_commas"], r"checks\[0\] must be an object, is str"),
        ([SHORT, {"kind": "unheard_of"}], r"checks\[1\]: no kind 'unheard_of'"),
        ([{"kind": ["no_commas"]}], "no kind"),
        ([{"kind": "no_commas", "function": "f"}], "no key 'function'"),
        ([{"kind": "words_at_most"}], "words_at_most has the options: count"),
        ([{"kind": "no_commas", "options": {"count": 1}}], "has the options: none"),
        ([{"kind": "words_at_most", "options": {"count": "5"}}], "count of words_at_most must be"),
        ([{"kind": "words_at_most", "options": {"count": True}}], "must be like 30"),
        ([{"kind": "words_at_most", "options": {"count": 5.0}}], "must be like 30"),
        ([{"kind": "words_at_most", "options": {"count": -5}}], "must be like 30"),
        (
            [{"kind": "korean_endings", "options": {"style": "rude"}}],
            "one of formal",
        ),
        ([{"kind": "includes_all", "options": {"words": []}}], "must be like"),
        ([{"kind": "includes_all", "options": {"words": [1]}}], "must be like"),
        ([{"kind": "starts_with", "options": {"text": ""}}], "must be like"),
        ([{"kind": "words_at_most", "options": [5]}], "has the options"),
        ([{"kind": "code", "code": " "}], r"needs code, which defines evaluate\(response\)"),
        ([{}], "needs code"),
        ([SHORT] * 51, "51 checks; a row has at most 50"),
    ],
)
def test_what_is_no_check_is_named(value: Any, words: str) -> None:
    with pytest.raises(CheckError, match=words):
        checks_of(value)


def test_loose_forms_drop_lines_and_asterisks() -> None:
    forms = loose_forms("Sure!\n**Answer**\nBye!")
    assert forms == [
        "Sure!\n**Answer**\nBye!",
        "**Answer**\nBye!",
        "Sure!\n**Answer**",
        "**Answer**",
        "Sure!\nAnswer\nBye!",
        "Answer\nBye!",
        "Sure!\nAnswer",
        "Answer",
    ]
    assert loose_forms("one line") == ["one line"]
    assert loose_forms("") == [""]


class _Counting:
    """A sandbox in this process, for code of this test alone, that runs out of time on "slow"."""

    def __init__(self) -> None:
        self.runs: list[int] = []

    async def run(
        self, code: str, calls: Sequence[Call], limits: Limits = DEFAULT_LIMITS
    ) -> list[CallResult]:
        self.runs.append(len(calls))
        results: list[CallResult] = []
        for call in calls:
            is_over = any(result.ending == "timeout" for result in results)
            is_slow = is_over or call.arguments[0] == "slow"
            ending: Any = "timeout" if is_slow else "value"
            results.append(CallResult(ending, value=None if is_slow else True, message="5 s"))
        return results


def test_calls_of_a_kind_share_a_run() -> None:
    sandbox = _Counting()
    pairs = [(Check("words_at_most", {"count": 5}), f"text {n}") for n in range(120)]
    results = asyncio.run(findings(sandbox, pairs))
    assert [result.strict for result in results] == [True] * 120
    assert sandbox.runs == [100, 20]


def test_a_call_that_uses_up_a_limit_harms_no_other() -> None:
    sandbox = _Counting()
    texts = ["a", "slow", "b"]
    results = asyncio.run(findings(sandbox, [(Check("no_commas"), text) for text in texts]))
    assert [result.strict for result in results] == [True, None, True]
    assert results[1].problem == "timeout: 5 s"
    assert sandbox.runs == [3, 1, 1, 1]


def test_code_of_models_shares_no_run() -> None:
    sandbox = _Counting()
    check = Check("code", code="def evaluate(response):\n    return True")
    asyncio.run(findings(sandbox, [(check, "a"), (check, "b")]))
    assert sandbox.runs == [1, 1]


def test_a_verifier_that_hangs_on_one_text_is_tried_on_the_others() -> None:
    results = asyncio.run(verdicts(_Counting(), "", ["a", "slow", "b"]))
    assert [result.ending for result in results] == ["value", "timeout", "value"]


def test_a_verifier_that_hangs_again_and_again_is_given_up() -> None:
    sandbox = _Counting()
    results = asyncio.run(verdicts(sandbox, "", ["slow", "slow", "a", "b", "c"]))
    assert [result.ending for result in results] == ["timeout"] * 5
    assert sandbox.runs == [5, 1, 1]
