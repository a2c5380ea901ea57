r"""Python's regular expressions in the words of Monty's engine, so that they match the same texts.

Monty reads patterns as Rust's `fancy-regex` does: there `$` knows no final newline, `&&` in a class
is an intersection, and `\w` takes in marks. So Python's own parser reads the pattern, and what it
found is written anew.
"""

import re
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

# The parser's tree is not public; tests pin its forms for each version of Python.
from re import _constants as codes  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any, NamedTuple

_LONGEST = 2_000  # characters; the parser takes time that grows with them

_FLAGS = int(re.I | re.M | re.S | re.X | re.A | re.U)
"""`re.DEBUG`, for example, would make the parser print in this process."""

_WORD = {False: r"\p{L}\p{N}_", True: "A-Za-z0-9_"}
_DIGIT = {False: r"\p{Nd}", True: "0-9"}
_SPACE = {False: r"\s\x{1C}-\x{1F}", True: r"\x{9}-\x{D}\x{20}"}
_CLASSES: Mapping[Any, tuple[Mapping[bool, str], bool]] = {
    codes.CATEGORY_WORD: (_WORD, False),
    codes.CATEGORY_NOT_WORD: (_WORD, True),
    codes.CATEGORY_DIGIT: (_DIGIT, False),
    codes.CATEGORY_NOT_DIGIT: (_DIGIT, True),
    codes.CATEGORY_SPACE: (_SPACE, False),
    codes.CATEGORY_NOT_SPACE: (_SPACE, True),
}


class UnsupportedPatternError(Exception):
    """The pattern has no counterpart, or Python refuses it."""


class RustPattern(NamedTuple):
    """A pattern for Monty.

    Attributes:
        text: In the syntax of Rust's `fancy-regex`.
        may_be_empty: Whether it may match no text at all.
        ignores_case: Whether a part of it does not tell capitals from small letters.
    """

    text: str
    may_be_empty: bool
    ignores_case: bool


@lru_cache(maxsize=4096)
def rust_pattern(pattern: str, flags: int) -> RustPattern:
    """Return a pattern for Monty that matches what `pattern` matches in Python.

    Args:
        pattern: Python's syntax.
        flags: As `re` takes them.

    Raises:
        UnsupportedPatternError: It has no counterpart, or Python refuses it.
    """
    if flags & ~_FLAGS:
        raise UnsupportedPatternError("flags that Monty does not know")
    if len(pattern) > _LONGEST:
        raise UnsupportedPatternError(f"a pattern of more than {_LONGEST:,} characters")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            tree = parser.parse(pattern, flags)
    except (re.error, OverflowError, RecursionError, ValueError) as error:
        raise UnsupportedPatternError(f"{type(error).__name__}: {error}") from error
    bits = tree.state.flags
    names = {number: name for name, number in tree.state.groupdict.items()}
    text = _whole(_Scope(names, bool(bits & re.ASCII)), tree, bits)
    return RustPattern(text, tree.getwidth()[0] == 0, "(?i:" in text)


@dataclass(frozen=True, slots=True)
class _Scope:
    """What a whole pattern says of its parts.

    Attributes:
        names: Of groups, by number.
        is_ascii: Whether classes know ASCII alone.
    """

    names: Mapping[int, str]
    is_ascii: bool


def _whole(scope: _Scope, tree: Iterable[Any], flags: int) -> str:
    """Return the pattern with its flags."""
    if flags & re.IGNORECASE and scope.is_ascii:
        raise UnsupportedPatternError("letter case of ASCII alone")
    if flags & re.LOCALE:
        raise UnsupportedPatternError("a pattern that depends on the locale")
    text = _text(scope, tree, flags)
    text = f"(?i:{text})" if flags & re.IGNORECASE else text
    if "(?i:" in text and any(letter in text for letter in _TURKISH):
        raise UnsupportedPatternError("a Turkish letter where case does not count")
    return text


def _text(scope: _Scope, tree: Iterable[Any], flags: int) -> str:
    """Return a sequence."""
    return "".join(_part(scope, code, value, flags) for code, value in tree)


def _part(scope: _Scope, code: Any, value: Any, flags: int) -> str:
    writer = _WRITERS.get(code)
    if writer is None:
        raise UnsupportedPatternError(f"{str(code).lower()} in a pattern")
    return str(writer(scope, value, flags))


def _literal(scope: _Scope, value: int, flags: int) -> str:
    """Return a character."""
    return _character(value)


def _other(scope: _Scope, value: int, flags: int) -> str:
    """Return any character but one."""
    return f"[^{_character(value)}]"


def _any(scope: _Scope, value: None, flags: int) -> str:
    """Return any character, a newline only with DOTALL."""
    return "(?s:.)" if flags & re.DOTALL else r"[^\x{A}]"


def _members(scope: _Scope, value: Iterable[Any], flags: int) -> str:
    """Return a class of characters."""
    items = list(value)
    is_negated = items[0][0] is codes.NEGATE
    inner = "".join(_member(scope, *item) for item in items[is_negated:])
    return f"[^{inner}]" if is_negated else f"[{inner}]"


def _member(scope: _Scope, code: Any, value: Any) -> str:
    if code is codes.LITERAL:
        return _character(value)
    if code is codes.RANGE:
        return f"{_character(value[0])}-{_character(value[1])}"
    texts, is_negated = _CLASSES[value]
    text = texts[scope.is_ascii]
    return f"[^{text}]" if is_negated else text


def _branch(scope: _Scope, value: Any, flags: int) -> str:
    """Return alternatives."""
    return "(?:" + "|".join(_text(scope, part, flags) for part in value[1]) + ")"


def _group(scope: _Scope, value: Any, flags: int) -> str:
    """Return a group, with its own flags."""
    number, added, removed, inner = value
    own = (flags | added) & ~removed
    text = _text(scope, inner, own)
    if (own ^ flags) & re.IGNORECASE:
        text = f"(?i:{text})" if own & re.IGNORECASE else f"(?-i:{text})"
    if number is None:
        return f"(?:{text})"
    return f"(?P<{scope.names[number]}>{text})" if number in scope.names else f"({text})"


def _repeat(scope: _Scope, value: Any, flags: int) -> str:
    """Return a repetition that takes as much as it can."""
    least, most, inner = value
    end = "" if most is codes.MAXREPEAT else int(most)
    return f"(?:{_text(scope, inner, flags)}){{{int(least)},{end}}}"


def _lazy(scope: _Scope, value: Any, flags: int) -> str:
    """Return a repetition that takes as little as it can."""
    return _repeat(scope, value, flags) + "?"


def _possessive(scope: _Scope, value: Any, flags: int) -> str:
    """Return a repetition that gives nothing back."""
    return f"(?>{_repeat(scope, value, flags)})"


def _atomic(scope: _Scope, value: Any, flags: int) -> str:
    """Return a group that gives nothing back."""
    return f"(?>{_text(scope, value, flags)})"


def _reference(scope: _Scope, value: int, flags: int) -> str:
    """Return what a group matched."""
    if value in scope.names:
        return f"(?P={scope.names[value]})"
    if scope.names:
        raise UnsupportedPatternError("a numbered reference beside named groups")
    return f"(?:\\{value})"


def _ahead(scope: _Scope, value: Any, flags: int) -> str:
    """Return what must stand before or behind."""
    return f"({'?=' if value[0] > 0 else '?<='}{_text(scope, value[1], flags)})"


def _not_ahead(scope: _Scope, value: Any, flags: int) -> str:
    """Return what must not stand before or behind."""
    return f"({'?!' if value[0] > 0 else '?<!'}{_text(scope, value[1], flags)})"


def _place(scope: _Scope, value: Any, flags: int) -> str:
    """Return a place, as the start of a line."""
    word = f"[{_WORD[scope.is_ascii]}]"
    if value is codes.AT_BEGINNING and flags & re.MULTILINE:
        return "(?m:^)"
    if value is codes.AT_END:
        return "(?m:$)" if flags & re.MULTILINE else r"(?=\x{A}?\z)"
    return {
        codes.AT_BEGINNING: r"\A",
        codes.AT_BEGINNING_STRING: r"\A",
        codes.AT_END_STRING: r"\z",
        codes.AT_BOUNDARY: f"(?:(?<={word})(?!{word})|(?<!{word})(?={word}))",
        codes.AT_NON_BOUNDARY: _INSIDE + f"(?:(?<={word})(?={word})|(?<!{word})(?!{word}))",
    }[value]


_TURKISH = (r"\x{130}", r"\x{131}")
"""Python takes these two for an i where case does not count."""

_INSIDE = "" if re.search(r"\B", "") else r"(?!\A\z)"
"""Before Python 3.14 an empty text has no place that is no boundary."""

_WRITERS: Mapping[Any, Any] = {
    codes.LITERAL: _literal,
    codes.NOT_LITERAL: _other,
    codes.ANY: _any,
    codes.IN: _members,
    codes.BRANCH: _branch,
    codes.SUBPATTERN: _group,
    codes.MAX_REPEAT: _repeat,
    codes.MIN_REPEAT: _lazy,
    codes.POSSESSIVE_REPEAT: _possessive,
    codes.ATOMIC_GROUP: _atomic,
    codes.GROUPREF: _reference,
    codes.ASSERT: _ahead,
    codes.ASSERT_NOT: _not_ahead,
    codes.AT: _place,
}


def _character(number: int) -> str:
    character = chr(number)
    return character if character.isascii() and character.isalnum() else f"\\x{{{number:X}}}"
