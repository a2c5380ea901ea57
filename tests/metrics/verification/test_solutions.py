"""Programs in answers, and tests that were written apart from them."""

import pytest

from autoevol.metrics.verification import solutions

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
    ],
)
def test_other_answers_hold_no_solution(answer: str) -> None:
    assert solutions.solution_in(answer) is None


def test_assertions_that_call_the_solution_are_tests() -> None:
    reply = (
        "```python\nassert half(4) == 2\nassert half( 4 ) == 2\nassert True\n"
        "assert other(1) == 2\nimport os\nassert half(5, up=True) == 3\n```"
    )
    assert solutions.tests_in(reply, ["half"]) == [
        "assert half(4) == 2",
        "assert half(5, up=True) == 3",
    ]
    assert solutions.tests_in("assert half(1) == 0", ["half"]) == ["assert half(1) == 0"]
    many = "\n".join(f"assert half({n}) == {n // 2}" for n in range(99))
    assert len(solutions.tests_in(many, ["half"])) == 20


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
    assert solutions.tests_in(reply, ["half"]) == [body]
    cut = "```python\nassert half(4) == 2\n    assert half(6) == 3\nassert half("
    assert solutions.tests_in(cut, ["half"]) == ["assert half(4) == 2", "assert half(6) == 3"]


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
