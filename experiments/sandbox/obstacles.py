"""What code may not do in Monty, since it would differ from Python without an error.

Iterators are lists there, so code may make one only where it is consumed at once.
"""

import ast
import sys
from collections.abc import Iterator

MODULES = frozenset(
    "collections copy dataclasses datetime decimal functools itertools json math typing "
    "unicodedata".split()
)
"""Modules of Monty that a pure function needs; the others read a clock, a file or chance."""

SUPPLIED = frozenset({"re", "statistics", "string", "textwrap"})
"""Modules that Monty lacks, or reads in another way; their source is run with the code."""

_ASKING = frozenset(
    "hasattr getattr setattr delattr dir globals locals vars eval exec compile __import__ "
    "__builtins__ input breakpoint id hash next iter".split()
)
_LAX = frozenset({"strptime", "strftime", "fromisoformat", "__format__"})
"""Methods that read other forms in Monty than in Python."""

_ITERATORS = frozenset({"map", "filter", "zip", "enumerate", "reversed"})
_HARMLESS = frozenset({"zip", "enumerate", "reversed"})  # they raise for no item
_CONSUMERS = frozenset(
    "list tuple set frozenset dict sum sorted min max any all Counter deque".split()
)
_CONSUMING_METHODS = frozenset({"join", "extend", "update", "writerows"})
_EARLY = frozenset({"any", "all"})
_ENDLESS = frozenset({"count", "cycle", "repeat"})


def obstacle_in(tree: ast.AST) -> str:
    """Return why code is not for Monty; "": nothing is against it."""
    parents = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
    names = _itertools_names(tree)
    for node in ast.walk(tree):
        why = _obstacle(node) or _iterator_obstacle(node, parents, names)
        if why:
            return why
    return ""


def early_nodes(tree: ast.AST) -> set[ast.AST]:
    """Return iterators of which code may leave items unmade; Monty makes all, and may fail on them.

    Calls of the code's own functions that have such iterators are among them.
    """
    parents = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
    early = {
        node
        for node in ast.walk(tree)
        if _is_iterator(node, frozenset())
        and not _is_harmless(node)
        and _stops_early(parents.get(node))
    }
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    names: set[str] = set()
    while added := {f.name for f in functions if early & {*ast.walk(f)}} - names:
        names |= added
        calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call))
        early |= {call for call in calls if _name(call.func) in names}
    return early


def _stops_early(parent: ast.AST | None) -> bool:
    if isinstance(parent, ast.Call) and isinstance(parent.func, ast.Name):
        return parent.func.id in _EARLY | _ITERATORS
    return isinstance(parent, ast.For | ast.Compare)


def _is_harmless(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and _name(node.func) in _HARMLESS


def _obstacle(node: ast.AST) -> str:
    if isinstance(node, ast.Import | ast.ImportFrom):
        return _import_obstacle(node)
    if isinstance(node, ast.Name):
        return _name_obstacle(node)
    if isinstance(node, ast.Attribute) and (node.attr.startswith("__") or node.attr in _LAX):
        return f"uses {node.attr}"
    if isinstance(node, ast.FunctionDef) and node.name.startswith("__"):
        return "" if node.name == "__init__" else f"defines {node.name}"
    if isinstance(node, ast.Try) and any(_leaves(part) for part in node.finalbody):
        return "leaves a `finally` with a value"
    if isinstance(node, ast.arg) and node.arg == "str":
        return "gives another meaning to str"
    return _value_obstacle(node)


def _name_obstacle(node: ast.Name) -> str:
    if node.id in _ASKING:
        return f"uses {node.id}"
    is_shadow = node.id in ("str", "round") and isinstance(node.ctx, ast.Store)
    return f"gives another meaning to {node.id}" if is_shadow else ""


def _value_obstacle(node: ast.AST) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        is_whole = not any("\ud800" <= character <= "\udfff" for character in node.value)
        return "" if is_whole else "has half a surrogate pair in a text"
    if isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.Is | ast.IsNot):
        other = node.comparators[0]
        if isinstance(other, ast.Constant) and not isinstance(other.value, bool | None):
            return "compares the identity of values"
    return ""


def _import_obstacle(node: ast.Import | ast.ImportFrom) -> str:
    if isinstance(node, ast.ImportFrom):
        names = [node.module or "."]
        if any(alias.name == "*" for alias in node.names):
            return f"imports all names of {names[0]}"
    else:
        names = [alias.name for alias in node.names]
    # No sandbox has a module that is not Python's own: importing it fails in all of them.
    lacking = sys.stdlib_module_names - MODULES - SUPPLIED
    missing = [name for name in names if name.split(".")[0] in lacking]
    return f"imports {missing[0]}" if missing else ""


def _leaves(node: ast.AST) -> bool:
    return any(isinstance(n, ast.Return | ast.Break | ast.Continue) for n in ast.walk(node))


def _iterator_obstacle(
    node: ast.AST, parents: dict[ast.AST, ast.AST], names: frozenset[str]
) -> str:
    if isinstance(node, ast.Call) and _name(node.func) in _ENDLESS & names:
        return "makes items without end"
    if not _is_iterator(node, names) or _is_consumed(node, parents[node], names):
        return ""
    return "keeps an iterator"


def _is_iterator(node: ast.AST, names: frozenset[str]) -> bool:
    if isinstance(node, ast.GeneratorExp):
        return True
    return isinstance(node, ast.Call) and _name(node.func) in _ITERATORS | names | {"finditer"}


def _is_consumed(node: ast.AST, parent: ast.AST, names: frozenset[str]) -> bool:
    if isinstance(parent, ast.Call):
        if node is parent.func:
            return True
        if isinstance(parent.func, ast.Attribute) and parent.func.attr in _CONSUMING_METHODS:
            return True
        return _name(parent.func) in _CONSUMERS or _is_iterator(parent, names)
    if isinstance(parent, ast.Assign):
        return isinstance(parent.targets[0], ast.Tuple)
    return isinstance(parent, ast.For | ast.comprehension | ast.Starred | ast.Compare)


def _name(function: ast.expr) -> str:
    """Return the name of a function, or of a method."""
    if isinstance(function, ast.Name):
        return function.id
    return function.attr if isinstance(function, ast.Attribute) else ""


def _itertools_names(tree: ast.AST) -> frozenset[str]:
    """Return names under which code reaches functions of `itertools`."""
    return frozenset(_imported_names(tree))


def _imported_names(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module == "itertools":
            yield from (alias.asname or alias.name for alias in node.names)
        elif isinstance(node, ast.Attribute) and _name(node.value) == "itertools":
            yield node.attr
