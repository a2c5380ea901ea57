"""Programs held against tests in a real sandbox."""

import asyncio
from typing import Any

import pytest

from autoevol.experiments.sandbox import open_sandbox
from autoevol.program.checks import testing

TESTS = ["assert half(4) == 2", "assert half(5) == 2", "assert half(0) == 0", "assert half(9) == 4"]


def _answer(body: str, name: str = "half") -> str:
    return f"Like so:\n```python\ndef {name}(n):\n    {body}\n```"


def _tested(*answers: str, tests: list[str] = TESTS, sandbox: Any = "auto") -> list[Any]:
    async def run() -> list[Any]:
        async with open_sandbox(sandbox) as opened:
            return list(await testing.tested(opened, answers, tests))

    return asyncio.run(run())


@pytest.mark.parametrize("sandbox", ["monty", "bwrap", "auto"])
def test_the_larger_group_that_passes_is_believed(sandbox: str) -> None:
    right, other, wrong = _answer("return n // 2"), _answer("return n >> 1"), _answer("return n")
    results = _tested(right, wrong, other, sandbox=sandbox)
    assert [result.passes for result in results] == [True, False, True]
    assert results[1].passed == ("assert half(0) == 0",)
    assert results[1].share == 0.25
    assert results[1].evidence == "1 of 4 tests pass, not: assert half(4) == 2"


def test_half_of_the_tests_is_not_enough() -> None:
    (result,) = _tested(_answer("return 2"))
    assert (result.share, result.passes) == (0.5, False)


def test_an_answer_without_a_program_has_no_result() -> None:
    first, second = _tested("Take half of it.", _answer("return n // 2"))
    assert first is None
    assert second.passes


def test_another_name_is_reached() -> None:
    results = _tested(
        _answer("return n // 2"), _answer("return n // 2"), _answer("return n // 2", "halve")
    )
    assert all(result.passes for result in results)


@pytest.mark.parametrize(
    "body",
    [
        "while n == 5:\n        pass\n    return n // 2",
        "return 'x' * 10**12 if n == 5 else n // 2",
        "import sys\n    return sys.exit(0) if n == 5 else n // 2",
        "return print(input()) if n == 5 else n // 2",
    ],
)
def test_a_test_that_never_ends_takes_no_other_with_it(body: str) -> None:
    (result,) = _tested(_answer(body))
    assert result.passed == tuple(test for test in TESTS if "half(5)" not in test)


def test_a_program_that_reads_files_reads_none() -> None:
    body = "return len(open('/etc/passwd').read())"
    (result,) = _tested(_answer(body), tests=["assert half(1) > 0"])
    assert not result.passes


def test_tests_that_leave_something_behind_take_no_other_with_them() -> None:
    body = (
        "half.calls = getattr(half, 'calls', 0) + 1\n    assert half.calls == 1\n    return n // 2"
    )
    (result,) = _tested(_answer(body))
    assert result.share == 1


def test_a_program_may_have_the_names_of_tests() -> None:
    answer = _answer("return n // 2\n\ndef _test_1():\n    return 1")
    (result,) = _tested(answer)
    assert result.passes


def test_what_a_sandbox_does_not_support_has_no_result() -> None:
    (result,) = _tested(_answer("import random\n    return n // 2"), sandbox="monty")
    assert result.is_unsupported
    assert not result.passes
    assert "does not support it" in result.evidence


def test_results_that_a_program_writes_are_none() -> None:
    line = 'b\'{"ending": "value"}\\n\' * 20'
    forging = (
        "return n\n\nimport os\nfor number in range(3, 20):\n    try:\n"
        f"        os.write(number, {line})\n    except OSError:\n        pass"
    )
    (result,) = _tested(_answer(forging), sandbox="bwrap")
    assert not result.passes
