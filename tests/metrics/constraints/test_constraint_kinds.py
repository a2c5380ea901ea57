"""Shipped constraints: what keeps them, what breaks them, in Python and in the sandbox."""

import asyncio
import inspect
import json
import random
import string
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from autoevol.experiments.sandbox import open_sandbox
from autoevol.program.checks.check import Check, checks_of
from autoevol.program.checks.checking import Finding, findings
from autoevol.signatures.constraints import ConstraintKind, constraint_kinds
from tests.support.kept_constraints import CASES, words

KINDS = constraint_kinds()
ANSWERS = [
    json.loads(line)
    for line in (Path(__file__).parent / "answers.jsonl").read_text("utf-8").split("\n")
    if line
]
"""Written from the constraint's words, without a look at its check."""


def _function(kind: ConstraintKind) -> Any:
    module = import_module(f"autoevol.metrics.constraints.{kind.family}")
    return getattr(module, kind.function)


def test_every_kind_has_cases() -> None:
    assert set(CASES) == set(KINDS)
    assert len(KINDS) >= 40
    assert all(case.keeps and len(case.breaks) > 1 for case in CASES.values())


@pytest.mark.parametrize("name", KINDS)
def test_a_kind_tells_what_keeps_it_from_what_breaks_it(name: str) -> None:
    function, case = _function(KINDS[name]), CASES[name]
    assert [text for text in case.keeps if function(text, **case.options) is not True] == []
    assert [text for text in case.breaks if function(text, **case.options) is not False] == []


@pytest.mark.parametrize("name", KINDS)
def test_options_and_wording_belong_to_the_function(name: str) -> None:
    kind = KINDS[name]
    parameters = list(inspect.signature(_function(kind)).parameters)
    assert parameters[0] == "response"
    assert set(kind.options) == set(parameters[1:])
    for wording in kind.wording.values():
        fields = {field for _, field, _, _ in string.Formatter().parse(wording) if field}
        # What has one value alone may be said in words.
        assert fields == {option for option, values in kind.options.items() if len(values) > 1} or (
            fields <= set(kind.options) and all(len(v) == 1 for v in kind.options.values())
        )


def test_drawn_options_make_checks() -> None:
    for kind in KINDS.values():
        for seed in range(20):
            options = kind.drawn(random.Random(seed))
            row = {"kind": kind.name, "options": options, "text": kind.text(options, "ko")}
            assert [check.as_json() for check in checks_of([row])] == [row]
            assert kind.text(options)
            _function(kind)(words(30), **options)


def test_the_sandbox_says_what_python_says() -> None:
    pairs = [
        (Check(name, case.options), text)
        for name, case in CASES.items()
        for text in (*case.keeps, *case.breaks)
    ]

    async def run() -> list[Finding]:
        async with open_sandbox("monty") as sandbox:
            return await findings(sandbox, pairs)

    for (check, text), finding in zip(pairs, asyncio.run(run()), strict=True):
        expected = _function(KINDS[check.kind])(text, **check.options)
        assert (finding.strict, finding.problem) == (expected, ""), (check.kind, text)


def test_answers_written_from_the_words_alone_are_told_apart() -> None:
    """416 answers that keep a drawn constraint and 416 that just break it, in Python and Monty."""
    pairs = [
        (check, row[side], side == "keeps")
        for row in ANSWERS
        for check in checks_of([{"kind": row["kind"], "options": row["options"]}])
        for side in ("keeps", "breaks")
    ]

    async def run() -> list[Finding]:
        async with open_sandbox("monty") as sandbox:
            return await findings(sandbox, [(check, text) for check, text, _ in pairs])

    assert len(pairs) == 832
    for (check, text, keeps), finding in zip(pairs, asyncio.run(run()), strict=True):
        assert (finding.strict, finding.problem) == (keeps, ""), (check, text)
        assert _function(KINDS[check.kind])(text, **check.options) is keeps


def test_the_documentation_lists_every_kind() -> None:
    text = (Path(__file__).parents[3] / "docs" / "verified.md").read_text("utf-8")
    for kind in KINDS.values():
        options = ", ".join(f"`{name}`" for name in kind.options)
        assert f"| `{kind.name}` | {options} |" in text
