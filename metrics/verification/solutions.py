"""Solutions of a programming task and tests that were written apart from them: which agree?

CodeT (arXiv 2207.10397, section 2): samples that pass the same tests form a group, and the group
with the most samples times tests is believed.
"""

import ast
import re
from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import indent

_BLOCK = re.compile(r"```[ \t]*(\w*)[^\n`]*\n(.*?)(?:```|\Z)", re.DOTALL)
_ASSERTION = re.compile(r"^[ \t]*(assert\b.+)$", re.MULTILINE)
_PYTHON = ("", "py", "python", "python3")
_MOST_TESTS, _CODE_SIZE = 20, 20_000
_TEST = "_test_{}"


@dataclass(frozen=True, slots=True)
class Solution:
    """The program in an answer.

    Attributes:
        code: Python source that parses.
        heads: How its functions and classes are called, by name, without their bodies.
    """

    code: str
    heads: dict[str, str]


def solution_in(answer: str) -> Solution | None:
    """Return the first program in an answer that defines a function or a class; None: none does."""
    for code in _blocks(answer):
        tree = _parsed(code)
        nodes = [node for node in tree.body if not _test_body(node)] if tree else []
        heads = {name: head for node in nodes for name, head in _heads(node)}
        if heads:
            return Solution(code, heads)
    return None


def tests_in(reply: str, names: Sequence[str]) -> list[str]:
    """Return the tests in a reply that use one of the names, none twice, at most 20.

    A test is an assertion, or the body of a function without arguments whose name begins with
    "test". Where a block does not parse, as one that was cut off, its single lines are read.
    """
    nodes = [node for code in _blocks(reply) or [reply] for node in _statements(code)]
    bodies = [body for node in nodes if (body := _test_body(node))]
    used = [body for body in bodies if {*names} & {n for node in body for n in _names(node)}]
    tests = dict.fromkeys("\n".join(map(ast.unparse, body)) for body in used)
    return list(tests)[:_MOST_TESTS]


def _statements(code: str) -> list[ast.stmt]:
    whole = _parsed(code)
    if whole:
        return whole.body
    lines = map(_parsed, _ASSERTION.findall(code))
    return [node for line in lines if line for node in line.body]


def _test_body(node: ast.stmt) -> list[ast.stmt]:
    """Return the statements of a test; []: it is none, or asserts nothing."""
    if isinstance(node, ast.Assert):
        return [node]
    if not isinstance(node, ast.FunctionDef) or not node.name.startswith("test"):
        return []
    takes = ast.unparse(node.args)
    asserts = any(isinstance(part, ast.Assert) for part in ast.walk(node))
    return node.body if asserts and not takes else []


def program_of(solution: Solution, tests: Sequence[str], names: Sequence[str]) -> str:
    """Return a solution with each test as a function, which `test_names` names.

    A solution with one function of another name is reached under the name that the tests use.
    """
    functions = [
        f"def {name}():\n{indent(test, '    ')}"
        for name, test in zip(test_names(tests), tests, strict=True)
    ]
    return "\n\n".join([solution.code, *_alias(solution, names), *functions]) + "\n"


def test_names(tests: Sequence[str]) -> list[str]:
    """Return the names of the functions that hold tests."""
    return [_TEST.format(number) for number, _ in enumerate(tests, 1)]


def believed_tests(passed: Sequence[frozenset[int]]) -> frozenset[int]:
    """Return the tests that the believed samples pass.

    Args:
        passed: For each sample, the numbers of the tests that it passes.
    """
    # Of equal groups the one that passes more tests, then the first.
    return max(passed, key=lambda tests: (passed.count(tests) * len(tests), len(tests)))


def _blocks(text: str) -> list[str]:
    return [code for language, code in _BLOCK.findall(text) if language.lower() in _PYTHON]


def _parsed(code: str) -> ast.Module | None:
    try:
        return ast.parse(code) if len(code) <= _CODE_SIZE else None
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _heads(node: ast.stmt) -> list[tuple[str, str]]:
    """Return the name under which a statement is reached, with its head; a class's has several."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        returned = f" -> {ast.unparse(node.returns)}" if node.returns else ""
        return [(node.name, f"def {node.name}({ast.unparse(node.args)}){returned}")]
    if not isinstance(node, ast.ClassDef):
        return []
    methods = [head for part in node.body for _, head in _heads(part)]
    return [(node.name, "\n    ".join([f"class {node.name}:", *methods]))]


def _names(node: ast.AST) -> set[str]:
    return {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}


def _alias(solution: Solution, names: Sequence[str]) -> list[str]:
    own = list(solution.heads)
    is_other = len(own) == len(names) == 1 and own[0] != names[0]
    return [f"{names[0]} = {own[0]}"] if is_other else []
