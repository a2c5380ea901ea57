"""What a model wrote as a verifier: program and cases in its reply, and what speaks against it."""

import ast
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

_BLOCK = re.compile(r"```[^\n`]*\n(.*?)(?:```|\Z)", re.DOTALL)
_CASE = re.compile(r"^[^A-Za-z\n]*(keeps|breaks)\W*?:[ \t]*(.+)$", re.MULTILINE | re.IGNORECASE)
FUNCTION = "evaluate"
_CODE_SIZE = 20_000

DANGEROUS_IMPORTS = frozenset(
    "asyncio builtins ctypes ftplib glob http importlib inspect io multiprocessing os pathlib "
    "pickle platform pty requests resource shutil signal site smtplib socket sqlite3 ssl "
    "subprocess sys tempfile threading time urllib webbrowser".split()
)
"""Modules that a check of a text has no use for: files, network, processes, time."""


@dataclass(frozen=True, slots=True)
class VerifierCase:
    """A response with what its author says of it.

    Attributes:
        response: The text.
        keeps: Whether it keeps the constraint.
    """

    response: str
    keeps: bool


def code_in(reply: str) -> str:
    """Return the first program in a reply, without its fence; "": there is none."""
    for code in (*_BLOCK.findall(reply), reply):
        if f"def {FUNCTION}" in code:
            return str(code).strip("\n").rstrip()
    return ""


def cases_in(reply: str) -> list[VerifierCase]:
    """Return the cases in a reply: lines `keeps: TEXT` and `breaks: TEXT`, none twice.

    A text in double quotation marks is read as JSON has it, so that it can hold several lines.
    """
    outside = _BLOCK.sub("", reply)
    cases = [
        VerifierCase(_text(text), word.lower() == "keeps") for word, text in _CASE.findall(outside)
    ]
    return list(dict.fromkeys(case for case in cases if case.response))


def without_contradictions(cases: Sequence[VerifierCase]) -> list[VerifierCase]:
    """Return the cases without those that are said to keep and to break the constraint."""
    both = {case.response for case in cases if case.keeps}
    both &= {case.response for case in cases if not case.keeps}
    return [case for case in cases if case.response not in both]


def _text(written: str) -> str:
    text = written.strip()
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return text.strip('"')
    return value if isinstance(value, str) else text


def fault_of(code: str) -> str:
    """Return why a program is no verifier, as a slug; "": nothing speaks against it."""
    if not code:
        return "no_code"
    try:
        tree = ast.parse(code) if len(code) <= _CODE_SIZE else None
        _form(tree)  # what it is compared by goes deeper than the parser
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return "syntax_error"
    if tree is None:
        return "too_long"
    if imports_of(tree) & DANGEROUS_IMPORTS:
        return "dangerous_import"
    names = [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
    return "" if FUNCTION in names else "no_function"


def imports_of(tree: ast.AST) -> set[str]:
    """Return the modules that code imports, without their submodules."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add((node.module or "").partition(".")[0])
    return names


def unique_programs(programs: Sequence[str]) -> list[str]:
    """Return programs that differ in more than layout and comments, the first of each."""
    unique: dict[str, str] = {}
    for code in programs:
        unique.setdefault(_form(ast.parse(code)), code)
    return list(unique.values())


def _form(tree: ast.AST | None) -> str:
    return ast.dump(tree) if tree else ""
