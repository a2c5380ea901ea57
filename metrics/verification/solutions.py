"""Solutions of a programming task and tests that were written apart from them: which agree?

CodeT (arXiv 2207.10397, section 2): samples that pass the same tests form a group, and the group
with the most samples times tests is believed. All of this is about text that a model wrote: it is
parsed and never run here.
"""

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from textwrap import dedent, indent

_FENCE = re.compile(r"^[ \t]*(```|~~~)([^\n`]*)$", re.MULTILINE)
_DEFINITION = re.compile(r"^[ \t]*(?:async )?(?:def|class) ", re.MULTILINE)
_PYTHON = ("py", "python", "python3")
_CODE_SIZE = 20_000
_TEST = "_autoevol_test_{}"
NO_PYTHON = (SyntaxError, ValueError, RecursionError, MemoryError)
"""What Python's own parser and printer raise for text that is no Python, or too deep."""


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
    """Return the program in an answer: its blocks that define or import something, in order.

    None: no block defines a function or a class, or one that says it is Python cannot be read.
    """
    blocks = list(python_blocks(answer))
    if any(_is_broken(*block) for block in blocks):
        return None
    parts = [(code, tree.body) for _, code in blocks if (tree := parsed(code))]
    own = [(code, body) for code, body in parts if any(map(_defines, body))]
    try:
        heads = {name: head for _, body in own for node in body for name, head in _heads(node)}
    except NO_PYTHON:
        return None
    return Solution("\n\n".join(code for code, _ in own), heads) if heads else None


def is_program(answer: str) -> bool:
    """Return whether an answer is to a programming task, its program broken or whole."""
    is_broken = any(_is_broken(*block) for block in python_blocks(answer))
    return is_broken or solution_in(answer) is not None


def _is_broken(is_python: bool, code: str) -> bool:
    """Return whether a block that says it is Python defines something and cannot be read."""
    return is_python and parsed(code) is None and bool(_DEFINITION.search(code))


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


def python_blocks(text: str) -> Iterator[tuple[bool, str]]:
    """Yield the blocks that may be Python, and whether they say so; a last one may be cut off."""
    start, language, mark = None, "", ""
    for fence in _FENCE.finditer(text):
        if start is None:
            start, mark = fence.end() + 1, fence[1]
            language = (fence[2].split() or [""])[0].lower()
        elif fence[1] == mark and not fence[2].strip():
            yield from _block(language, text[start : fence.start()])
            start = None
    if start is not None:
        yield from _block(language, text[start:])


def _block(language: str, code: str) -> Iterator[tuple[bool, str]]:
    if language in ("", *_PYTHON):
        yield language in _PYTHON, dedent(code)


def parsed(code: str) -> ast.Module | None:
    """Return the tree of Python source; None: it is none, or too long or too deep to be read."""
    try:
        return ast.parse(code) if len(code) <= _CODE_SIZE else None
    except NO_PYTHON:
        return None


def _defines(node: ast.stmt) -> bool:
    definitions = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom)
    return isinstance(node, definitions) or bool(_lambda_name(node))


def _lambda_name(node: ast.stmt) -> str:
    if isinstance(node, ast.Assign) and isinstance(node.value, ast.Lambda):
        target = node.targets[0]
        return target.id if isinstance(target, ast.Name) else ""
    return ""


def _heads(node: ast.stmt) -> list[tuple[str, str]]:
    """Return the name under which a statement is reached, with its head; a class's has several."""
    if isinstance(node, ast.FunctionDef) and not node.name.startswith("test"):
        returned = f" -> {ast.unparse(node.returns)}" if node.returns else ""
        marks = [f"@{ast.unparse(mark)}" for mark in node.decorator_list]
        head = f"def {node.name}({ast.unparse(node.args)}){returned}"
        return [(node.name, "\n".join([*marks, head]))]
    if isinstance(node, ast.ClassDef):
        return [(node.name, _class_head(node))]
    name = _lambda_name(node)
    return [(name, ast.unparse(node))] if name else []


def _class_head(node: ast.ClassDef) -> str:
    marks = [f"@{ast.unparse(mark)}" for mark in node.decorator_list]
    bases = ", ".join(map(ast.unparse, node.bases))
    fields = [ast.unparse(part) for part in node.body if isinstance(part, ast.AnnAssign)]
    methods = [head for part in node.body for _, head in _heads(part)]
    inner = indent("\n".join([*fields, *methods]), "    ")
    return "\n".join(
        [*marks, f"class {node.name}({bases}):" if bases else f"class {node.name}:", inner]
    )


def _alias(solution: Solution, names: Sequence[str]) -> list[str]:
    own = list(solution.heads)
    is_other = len(own) == len(names) == 1 and own[0] != names[0]
    return [f"{names[0]} = {own[0]}"] if is_other else []
