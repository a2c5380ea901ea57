"""Programs in answers, and tests that were written apart from them."""

from typing import Any

import pytest

from autoevol.metrics.verification import programs, solutions, written_tests

ANSWER = """Here is a way:

```bash
pip install nothing
```

```python
def half(n: int, up: bool = False) -> int:
    return (n + up) // 2
```
"""


def test_the_first_program_is_the_solution() -> None:
    solution = solutions.solution_in(ANSWER)
    assert solution
    assert solution.heads == {"half": "def half(n: int, up: bool=False) -> int"}
    assert "pip" not in solution.code


def test_a_class_is_shown_with_its_methods() -> None:
    code = "class Stack:\n    def push(self, item): pass\n    size = 3"
    solution = solutions.solution_in(f"```py\n{code}\n```")
    assert solution
    assert solution.heads == {"Stack": "class Stack:\n    def push(self, item)"}


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "def half(n): return n",  # no block: prose may hold such words
        "```python\ndef half(n) return n\n```",
        "```python\nprint(3)\n```",
        "```java\ndef half(n): return n\n```",
        "```python\n" + "def f(): pass\n" * 2_000 + "```",
        "```python\n" + "(" * 5_000 + "\n```",
        "```python\ndef f(n=" + "+".join("1" * 2_000) + "): pass\n```",
        "```python\ndef f(n=0x" + "f" * 5_000 + "): pass\n```",
    ],
)
def test_other_answers_hold_no_solution(answer: str) -> None:
    assert solutions.solution_in(answer) is None


def test_assertions_that_call_the_solution_are_tests() -> None:
    reply = (
        "```python\nassert half(4) == 2\nassert half( 4 ) == 2\nassert True\n"
        "assert other(1) == 2\nimport os\nassert half(5, up=True) == 3\n```"
    )
    assert written_tests.tests_in(reply, ["half"]) == [
        "assert half(4) == 2",
        "assert half(5, up=True) == 3",
    ]
    assert written_tests.tests_in("assert half(1) == 0", ["half"]) == ["assert half(1) == 0"]
    many = "\n".join(f"assert half({n}) == {n // 2}" for n in range(99))
    assert len(written_tests.tests_in(many, ["half"])) == 20


def test_functions_and_lines_of_a_block_that_was_cut_off_are_tests() -> None:
    reply = """```python
def test_twice():
    both = [half(2), half(4)]
    assert both == [1, 2]

def test_nothing():
    half(3)

def test_fixture(value):
    assert half(value) == 1

class Half: pass
```"""
    body = "both = [half(2), half(4)]\nassert both == [1, 2]"
    assert written_tests.tests_in(reply, ["half"]) == [body]
    cut = "```python\nassert half(4) == 2\n    assert half(6) == 3\nassert half("
    assert written_tests.tests_in(cut, ["half"]) == ["assert half(4) == 2", "assert half(6) == 3"]


def test_tests_in_an_answer_are_no_solution() -> None:
    answer = "```python\ndef test_half():\n    assert half(2) == 1\n```\n" + ANSWER
    solution = solutions.solution_in(answer)
    assert solution
    assert list(solution.heads) == ["half"]


def test_one_function_of_another_name_is_reached() -> None:
    solution = solutions.solution_in("```python\ndef halve(n):\n    return n // 2\n```")
    assert solution
    program = solutions.program_of(solution, ["assert half(4) == 2"], ["half"])
    scope: dict[str, object] = {}
    exec(program, scope)
    (name,) = solutions.test_names(["assert half(4) == 2"])
    assert callable(scope[name])
    assert scope["half"] is scope["halve"]


@pytest.mark.parametrize(
    ("passed", "believed"),
    [
        ([{0, 1, 2}], {0, 1, 2}),
        ([{0, 1}, {0, 1}, {0, 1, 2}], {0, 1}),  # 4 against 3
        ([{0}, {0}, {0, 1, 2}], {0, 1, 2}),  # 2 against 3
        ([{0}, {0}, {1, 2}], {1, 2}),  # 2 each: the one that passes more
        ([set(), set(), {1}], {1}),
        ([set()], set()),
    ],
)
def test_the_group_with_most_samples_times_tests_is_believed(
    passed: list[set[int]], believed: set[int]
) -> None:
    assert solutions.believed_tests([frozenset(own) for own in passed]) == believed


def _solution(answer: str) -> solutions.Solution:
    solution = solutions.solution_in(answer)
    assert solution
    return solution


def test_blocks_that_define_or_import_are_one_program() -> None:
    answer = (
        "First\n```python\nimport math\n```\nthen\n```\ndef a(n):\n    return math.ceil(n)\n```\n"
        "and\n~~~py\nb = lambda n: a(n)\n~~~\nas in\n```python\n>>> b(2)\n```\n"
        "```python\nprint(input())\n```"
    )
    solution = _solution(answer)
    assert list(solution.heads) == ["a", "b"]
    scope: dict[str, Any] = {}
    exec(solution.code, scope)
    assert scope["b"](1.5) == 2


def test_a_block_in_a_list_point_is_read() -> None:
    assert list(_solution("1. So:\n   ```python\n   def f(n):\n       return n\n   ```").heads) == [
        "f"
    ]


def test_heads_show_what_a_caller_needs() -> None:
    code = (
        "@dataclass\nclass P(Base):\n    x: int = 0\n    @property\n    def size(self): return 1\n"
        "    async def wait(self): pass\nasync def g(): pass"
    )
    assert _solution(f"```python\n{code}\n```").heads == {
        "P": "@dataclass\nclass P(Base):\n    x: int = 0\n    @property\n    def size(self)"
    }


@pytest.mark.parametrize(
    ("answer", "is_program"),
    [
        ("```python\ndef f(n)\n    return n\n```", True),
        ("```python\ndef f(n):\n    return (n*", True),
        ("```python\nprint('Hello')\n```", False),
        ("```\ntea and (\n```", False),
        ("```python\n>>> 1 +\n```", False),
        ("Tea is a drink.", False),
        ("```js\nfunction f(n) { return n }\n```", False),
    ],
)
def test_a_broken_program_is_a_program(answer: str, is_program: bool) -> None:
    assert solutions.solution_in(answer) is None
    assert solutions.is_program(answer) is is_program


@pytest.mark.parametrize(
    "test",
    [
        "assert f",
        "assert f(1) == 2 or True",
        "assert (f(1), 'x')",
        "assert 1 == 1",
        "assert await f(1) == 2",
        "def test_a():\n    f(1)",
        "def test_a():\n    try:\n        assert f(1) == 2\n    except Exception:\n        pass",
        "def test_a():\n    f = lambda n: 2\n    assert f(1) == 2",
        "def test_a():\n    def f(n): return 2\n    assert f(1) == 2",
        "def test_a():\n    global f\n    f = None\n    assert f is None",
        "def test_a():\n    import os\n    assert f(os.getpid()) == 2",
        "import os\nassert f(os.getpid()) == 2",
        "assert f(1) == " + "+".join("1" * 1_000),
        "assert f(1) == 0x" + "f" * 5_000,
    ],
)
def test_what_cannot_fail_or_run_is_no_test(test: str) -> None:
    assert written_tests.tests_in(f"```python\n{test}\n```", ["f"]) == []


def test_a_test_brings_what_it_needs() -> None:
    reply = (
        "```python\nfrom solution import f\nimport math\nimport json\nhalf = 0.5\n"
        "expected = half * 4\n"
        "assert math.isclose(f(1), expected)\nassert not f(0)\nassert f(1) == 2 and f(2) == 4\n```"
    )
    assert written_tests.tests_in(reply, ["f"]) == [
        "import math\nhalf = 0.5\nexpected = half * 4\nassert math.isclose(f(1), expected)",
        "assert not f(0)",
        "assert f(1) == 2 and f(2) == 4",
    ]


@pytest.mark.parametrize(
    "reply",
    ["```" + " " * 200_000 + "`", "```\n" * 20_000, "1.\n" * 50_000, "assert " * 50_000],
    ids=["spaces", "fences", "numbers", "asserts"],
)
def test_long_replies_hold_nothing(reply: str) -> None:
    """A quadratic pattern takes minutes for these."""
    assert solutions.solution_in(reply) is None
    assert not solutions.is_program(reply)
    assert written_tests.tests_in(reply, ["f"]) == []
    assert programs.cases_in(reply) == []
