"""What a model wrote as a verifier is read with care."""

import pytest

from autoevol.metrics.verification.programs import (
    VerifierCase,
    cases_in,
    code_in,
    fault_of,
    unique_programs,
    without_contradictions,
)

CODE = "def evaluate(response):\n    return len(response) > 3"


@pytest.mark.parametrize(
    "reply",
    [
        f"```python\n{CODE}\n```",
        f"Here it is:\n```py\n{CODE}\n```\nkeeps: a",
        f"```\n{CODE}\n```",
        f"```Python\n{CODE}",
        CODE,
        f"```json\n{{}}\n```\n```python\n{CODE}\n```",
    ],
)
def test_the_program_is_found(reply: str) -> None:
    assert code_in(reply) == CODE


@pytest.mark.parametrize(
    "reply", ["", "I cannot.", "```python\nprint(1)\n```", "def check(x): pass"]
)
def test_no_program_is_none(reply: str) -> None:
    assert code_in(reply) == ""


def test_cases_are_read_in_many_forms() -> None:
    reply = (
        f"```python\n{CODE}  # keeps: not this\n```\n"
        'keeps: "one\\ntwo"\n'
        "Breaks: plain words\n"
        '- **keeps**: "bold"\n'
        "1. breaks: 5\n"
        'keeps: "one\\ntwo"\n'
        'breaks: "open\n'
        "keeps:\n"
    )
    assert cases_in(reply) == [
        VerifierCase("one\ntwo", True),
        VerifierCase("plain words", False),
        VerifierCase("bold", True),
        VerifierCase("5", False),
        VerifierCase("open", False),
    ]


@pytest.mark.parametrize(
    "body",
    [
        "if a: pass\n" + "    elif a: pass\n" * 600,
        "return 0x" + "f" * 5_000,
        "return " + "+".join("1" * 3_000),
    ],
)
def test_a_program_that_is_too_deep_is_none(body: str) -> None:
    assert fault_of(f"def evaluate(a):\n    {body}") == "syntax_error"


def test_a_response_on_both_sides_is_no_case() -> None:
    cases = [VerifierCase("a", True), VerifierCase("b", False), VerifierCase("a", False)]
    assert without_contradictions(cases) == [VerifierCase("b", False)]


@pytest.mark.parametrize(
    ("code", "fault"),
    [
        (CODE, ""),
        ("import re\n" + CODE, ""),
        ("", "no_code"),
        ("def evaluate(response) return", "syntax_error"),
        ("\0", "syntax_error"),
        ("(" * 5000, "syntax_error"),
        ("x = 1\n" * 20_000, "too_long"),
        ("import os\n" + CODE, "dangerous_import"),
        ("from urllib.request import urlopen\n" + CODE, "dangerous_import"),
        ("def evaluate(response):\n    import subprocess\n    return True", "dangerous_import"),
        ("def check(response):\n    return True", "no_function"),
        ("class A:\n    def evaluate(self, response):\n        return True", "no_function"),
    ],
)
def test_what_speaks_against_a_program(code: str, fault: str) -> None:
    assert fault_of(code) == fault


def test_programs_that_differ_in_layout_are_one() -> None:
    other = "def evaluate(response):\n\n    # how long\n    return (len(response) > 3)"
    third = CODE.replace("3", "4")
    assert unique_programs([CODE, other, third, CODE]) == [CODE, third]
