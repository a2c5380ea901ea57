"""Python for Monty: what it lacks is supplied or found beforehand, so that no result differs.

Monty raises an error where it lacks something, and code may catch that error and return a value
that Python would not return. So handlers let such errors pass. Code that would differ without an
error is not for Monty at all: see `obstacles`.
"""

import ast
import builtins
from collections.abc import Sequence, Set
from functools import cache
from pathlib import Path
from typing import NamedTuple

from autoevol.experiments.sandbox.obstacles import SUPPLIED, early_nodes, obstacle_in

DOUBTFUL_ERRORS = frozenset(
    "TypeError AttributeError NameError UnboundLocalError ImportError NotImplementedError "
    "LookupError SyntaxError PatternError error RecursionError MemoryError".split()
)
"""Errors that may say what Monty lacks, and not what is wrong with the code."""

_PLAIN_ERRORS = frozenset(
    "KeyError IndexError ModuleNotFoundError ZeroDivisionError ArithmeticError OverflowError "
    "AssertionError StopIteration UnicodeError UnicodeDecodeError UnicodeEncodeError "
    "JSONDecodeError InvalidOperation".split()
)
_CODE_SIZE = 20_000  # characters; more is no verifier, and Python's own parser has to read it first

PRELUDE = f"""
import json as _monty_json
def _monty_doubt(error, is_doubted):
    name, text = type(error).__name__, str(error)
    is_number = name == "ValueError" and ("literal" in text or "convert" in text)
    if is_doubted or "suspension limit" in text:
        raise error
    if (name in {sorted(DOUBTFUL_ERRORS)} and "'NoneType' object" not in text) or (
        is_number and not text.isascii()
    ):
        raise error
def _monty_round(number, digits=None):
    if digits is None:
        return round(number)
    if not isinstance(digits, int) or not 0 <= digits <= 15 or not abs(number) < 1e15:
        raise NotImplementedError("round")
    if isinstance(number, int):
        return number
    return float(("{{:." + str(digits) + "f}}").format(number))
def _monty_maketrans(source, target=None, removed=""):
    if target is not None and len(source) != len(target):
        raise ValueError("the first two maketrans arguments must have equal length")
    table = dict(source) if target is None else dict(zip(source, target))
    table = {{ord(k) if isinstance(k, str) else k: v for k, v in table.items()}}
    for character in removed:
        table[ord(character)] = None
    return table
def _monty_as_json(function):
    value = function(*_monty_arguments, **_monty_options)
    try:
        return _monty_json.dumps(value)
    except TypeError:
        raise ValueError("returned a value that JSON does not have")
def _monty_translate(text, table):
    characters = []
    for character in text:
        try:
            changed = table[ord(character)]
        except LookupError:
            changed = character
        if changed is not None:
            characters.append(chr(changed) if isinstance(changed, int) else changed)
    return "".join(characters)
"""


class Program(NamedTuple):
    """Code for Monty.

    Attributes:
        source: Of the whole program.
        is_early: Whether it may leave items of an iterator unmade; Monty makes all of them, so an
            error of such a program may not be Python's.
        unbound: Names that the code reads and gives no meaning, nor Python: they are defined in
            neither, as where an import was forgotten. None of code that may catch the error.
    """

    source: str
    is_early: bool
    unbound: frozenset[str] = frozenset()


class UnsupportedError(Exception):
    """The code is not for Monty; the message says why."""


def for_monty(code: str) -> Program:
    """Return code that does in Monty what `code` does in Python.

    Raises:
        SyntaxError: It is no Python.
        UnsupportedError: It is too long or too deep, or needs what Monty lacks.
    """
    if len(code) > _CODE_SIZE:
        raise UnsupportedError(f"the code has more than {_CODE_SIZE:,} characters")
    try:
        tree = ast.parse(code)
        why = obstacle_in(tree)
        if why:
            raise UnsupportedError(why)
        supplied, early, unbound = _loaders(tree), early_nodes(tree), _unbound(tree)
        changed = ast.fix_missing_locations(_Dialect(early).visit(tree))
        source = "\n".join((PRELUDE, *supplied, ast.unparse(changed)))
        return Program(source, bool(early), unbound)
    # Python's parser gives up on deep nesting in either way.
    except (RecursionError, MemoryError) as error:
        raise UnsupportedError(f"{type(error).__name__}: {error}") from error


def _unbound(tree: ast.AST) -> frozenset[str]:
    if any(isinstance(node, ast.Try | ast.TryStar) for node in ast.walk(tree)):
        return frozenset()
    read: set[str] = set()
    bound = {*dir(builtins)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            (read if isinstance(node.ctx, ast.Load) else bound).add(node.id)
        else:
            bound |= _names_given(node)
    return frozenset(name for name in read - bound if not name.startswith("_"))


def _names_given(node: ast.AST) -> set[str]:
    """Return names that a node gives a meaning, other than by an assignment."""
    if isinstance(node, ast.Import | ast.ImportFrom):
        return {(alias.asname or alias.name).partition(".")[0] for alias in node.names}
    if isinstance(node, ast.Global | ast.Nonlocal):
        return {*node.names}
    names = (getattr(node, field, None) for field in ("name", "arg", "rest"))
    return {name for name in names if isinstance(name, str)}


def is_doubtful(name: str, message: str) -> bool:
    """Return whether an error may say what Monty lacks.

    Args:
        name: Of its type.
        message: With the type. One about None, as after `re.match(...).group()`, is Python's, too.
    """
    if message.startswith("RuntimeError: Internal error in monty"):
        return True
    # Monty's texts are UTF-8, and it asks this process a limited number of times.
    if "surrogates not allowed" in message or "suspension limit" in message:
        return True
    # Monty's numbers have ASCII digits alone.
    is_number = name == "ValueError" and ("literal" in message or "convert" in message)
    if is_number and not message.isascii():
        return True
    return name in DOUBTFUL_ERRORS and "'NoneType' object" not in message


class _Dialect(ast.NodeTransformer):
    """Replaces what Monty lacks."""

    def __init__(self, early: Set[ast.AST]) -> None:
        self._early = early
        self._doubted: set[ast.ExceptHandler] = set()

    def visit_Try(self, node: ast.Try) -> ast.Try:
        """Note handlers of errors that Python might not have raised."""
        if any(self._early & {*ast.walk(part)} for part in node.body):
            self._doubted |= {*node.handlers}
        self.generic_visit(node)
        return node

    def visit_Name(self, node: ast.Name) -> ast.expr:
        """Replace the module's name: Monty's is that of a program that was started."""
        return ast.Constant("verifier") if node.id == "__name__" else node

    def visit_Import(self, node: ast.Import) -> list[ast.stmt]:
        """Bind supplied modules; leave the others to Monty."""
        return [
            _assigned(alias.asname or alias.name, _loaded(alias.name))
            if alias.name in SUPPLIED
            else ast.Import([alias])
            for alias in node.names
        ]

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.stmt | list[ast.stmt]:
        """Bind names of supplied modules."""
        if node.module not in SUPPLIED:
            return node
        return [
            _assigned(
                alias.asname or alias.name, ast.Attribute(_loaded(node.module), alias.name, _LOAD)
            )
            for alias in node.names
        ]

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        """Replace methods that are taken from `str` itself, as in `map(str.isalpha, text)`."""
        self.generic_visit(node)
        if not (isinstance(node.value, ast.Name) and node.value.id == "str"):
            return node
        if node.attr == "maketrans":
            return ast.Name("_monty_maketrans", _LOAD)
        source = f"lambda _text, *_a, **_k: _text.{node.attr}(*_a, **_k)"
        return ast.parse(source, mode="eval").body

    def visit_Call(self, node: ast.Call) -> ast.expr:
        """Replace `translate`, which Monty's texts lack, and `round`, whose ties differ."""
        self.generic_visit(node)
        if isinstance(node.func, ast.Attribute) and node.func.attr == "translate":
            return ast.Call(ast.Name("_monty_translate", _LOAD), [node.func.value, *node.args], [])
        if isinstance(node.func, ast.Name) and node.func.id == "round":
            node.func = ast.Name("_monty_round", _LOAD)
        return node

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> ast.ExceptHandler:
        """Let errors pass that may say what Monty lacks."""
        self.generic_visit(node)
        is_plain = node.type is not None and set(_error_names(node.type)) <= _PLAIN_ERRORS
        is_doubted = node in self._doubted
        if is_plain and not is_doubted:
            return node
        node.type = node.type or ast.Name("BaseException", _LOAD)
        node.name = node.name or "_error"
        arguments = [ast.Name(node.name, _LOAD), ast.Constant(is_doubted)]
        doubt = ast.Call(ast.Name("_monty_doubt", _LOAD), arguments, [])
        node.body.insert(0, ast.Expr(doubt))
        return node


_LOAD = ast.Load()


def _error_names(node: ast.expr) -> list[str]:
    parts = node.elts if isinstance(node, ast.Tuple) else [node]
    # `json.JSONDecodeError` by its last name.
    return [part.attr if isinstance(part, ast.Attribute) else ast.unparse(part) for part in parts]


def _assigned(name: str, value: ast.expr) -> ast.Assign:
    return ast.Assign([ast.Name(name, ast.Store())], value)


def _loaded(module: str) -> ast.Name:
    return ast.Name(f"_monty_{module}", _LOAD)


def _loaders(tree: ast.AST) -> Sequence[str]:
    """Return the source of the supplied modules that the code imports."""
    imported = {
        name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in (
            [a.name for a in node.names] if isinstance(node, ast.Import) else [node.module]
        )
    }
    return [_loader(name) for name in sorted(SUPPLIED & imported)]


@cache
def _loader(module: str) -> str:
    """Return a function that makes a supplied module as an object; Monty has no own modules."""
    file = Path(__file__).parent / "supplied" / f"{module}.py"
    tree = ast.parse(file.read_text(encoding="utf-8"))
    body = [node for node in tree.body if not isinstance(node, ast.Expr)]  # without its docstring
    names = [name for node in body for name in _defined(node) if not name.startswith("_")]
    tail = [f"_module.{name} = {name}" for name in names]
    lines = [*map(ast.unparse, body), "class _Module: pass", "_module = _Module()", *tail]
    indented = "\n".join(lines).replace("\n", "\n    ")
    loader = f"_load_{module}"
    return f"def {loader}():\n    {indented}\n    return _module\n_monty_{module} = {loader}()"


def _defined(node: ast.stmt) -> Sequence[str]:
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return [node.name]
    targets = node.targets if isinstance(node, ast.Assign) else []
    return [target.id for target in targets if isinstance(target, ast.Name)]
