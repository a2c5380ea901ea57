"""Tests of a programming task, as a model wrote them: those that can fail, each whole by itself."""

import ast
import re
import sys
import warnings
from collections.abc import Sequence
from textwrap import indent

from autoevol.metrics.verification.programs import DANGEROUS_IMPORTS, imports_of
from autoevol.metrics.verification.solutions import NO_PYTHON, parsed, python_blocks

_ASSERTION = re.compile(r"^[ \t]*(assert\b.+)$", re.MULTILINE)
_MOST = 20


def tests_in(reply: str, names: Sequence[str]) -> list[str]:
    """Return the tests in a reply that can fail and use one of the names, none twice, at most 20.

    A test is an assertion that compares, calls or negates, or the body of a function without
    arguments whose name begins with "test", with the imports and values before it that it uses.
    """
    tests: dict[str, None] = {}
    for code in [code for _, code in python_blocks(reply)] or [reply]:
        preamble: list[ast.stmt] = []
        for node in _statements(code):
            if _is_given(node):
                preamble.append(node)
            elif test := _test(node, preamble, names):
                tests.setdefault(test)
    return list(tests)[:_MOST]


def _test(node: ast.stmt, preamble: Sequence[ast.stmt], names: Sequence[str]) -> str:
    """Return the source of a test with what it needs of the statements before it; "": no test."""
    try:
        body = _test_body(node, names)
        return _source(_with_needed(body, preamble)) if body else ""
    except NO_PYTHON:
        return ""


def _statements(code: str) -> list[ast.stmt]:
    """Return the statements of a block; of one that does not parse, its single assertions."""
    if whole := parsed(code):
        return whole.body
    lines = map(parsed, _ASSERTION.findall(code))
    return [node for line in lines if line for node in line.body]


def _is_given(node: ast.stmt) -> bool:
    """Return whether a statement gives tests a module of Python's own, or a value."""
    if isinstance(node, ast.Import):
        return all(alias.name.partition(".")[0] in sys.stdlib_module_names for alias in node.names)
    if isinstance(node, ast.ImportFrom):
        is_own = (node.module or "").partition(".")[0] in sys.stdlib_module_names
        return is_own and not any(alias.name == "*" for alias in node.names)
    return isinstance(node, ast.Assign | ast.AnnAssign)


def _test_body(node: ast.stmt, names: Sequence[str]) -> list[ast.stmt]:
    """Return the statements of a test; []: it is none, or it can only pass."""
    if isinstance(node, ast.Assert):
        is_test = _may_fail(node.test) and bool(_names(node) & {*names})
        return [node] if is_test else []
    if not isinstance(node, ast.FunctionDef) or not node.name.startswith("test"):
        return []
    asserts = [part for part in node.body if isinstance(part, ast.Assert | ast.For)]
    may_fail = any(
        _may_fail(a.test) for part in asserts for a in ast.walk(part) if isinstance(a, ast.Assert)
    )
    own = {n.name for n in ast.walk(node) if isinstance(n, ast.FunctionDef | ast.ClassDef)}
    own |= {
        n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
    }
    is_plain = not any(isinstance(n, ast.Try | ast.Global) for n in ast.walk(node))
    uses = bool(_names(node) & {*names}) and not own & {*names}
    return node.body if may_fail and is_plain and uses and not ast.unparse(node.args) else []


def _may_fail(test: ast.expr) -> bool:
    """Return whether an assertion decides something: a comparison, a call, or "not" of these."""
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        return _may_fail(test.operand)
    if isinstance(test, ast.BoolOp):
        return isinstance(test.op, ast.And) and all(map(_may_fail, test.values))
    return isinstance(test, ast.Compare | ast.Call)


def _with_needed(body: Sequence[ast.stmt], preamble: Sequence[ast.stmt]) -> list[ast.stmt]:
    needed = {name for node in body for name in _names(node)}
    kept = list(body)
    for node in reversed(preamble):
        if _bound(node) & needed:
            kept.insert(0, node)
            needed |= _names(node)
    return kept


def _source(nodes: Sequence[ast.stmt]) -> str:
    if {name for node in nodes for name in imports_of(node)} & DANGEROUS_IMPORTS:
        return ""
    text = "\n".join(map(ast.unparse, nodes))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        compile(f"def test():\n{indent(text, '    ')}", "test", "exec", dont_inherit=True)
    return text


def _bound(node: ast.stmt) -> set[str]:
    names = {
        n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
    }
    if isinstance(node, ast.Import | ast.ImportFrom):
        names |= {(alias.asname or alias.name).partition(".")[0] for alias in node.names}
    return names


def _names(node: ast.AST) -> set[str]:
    return {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}
