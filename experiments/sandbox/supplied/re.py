"""`re` for Monty, on Monty's own: patterns are translated, so that they match what Python's match.

`_rust_pattern` is a function of the host. It raises for a pattern without a counterpart. It says
whether a pattern may match no text: Python finds such a match behind another one, Monty does not.
And it says whether letter case counts: Python takes the Turkish letters for an i, Monty does not.
"""

import re as _re
from typing import Any

I = IGNORECASE = 2  # noqa: E741 - Python's name
M = MULTILINE = 8
S = DOTALL = 16
U = UNICODE = 32
X = VERBOSE = 64
A = ASCII = 256
error = PatternError = _re.error

_patterns: dict[Any, Any] = {}
_MOST_KEPT = 64


class _Pattern:
    def __init__(self, pattern: str, flags: int) -> None:
        self.pattern = pattern
        self.flags = int(flags) | (0 if int(flags) & ASCII else UNICODE)
        text, self.may_be_empty, self.ignores_case = _rust_pattern(pattern, int(flags))  # type: ignore[name-defined]  # noqa: F821
        self.real: Any = _re.compile(text)

    def search(self, string: str) -> Any:
        return _on(self, string).search(string)

    def match(self, string: str) -> Any:
        return _on(self, string).match(string)

    def fullmatch(self, string: str) -> Any:
        return _on(self, string).fullmatch(string)

    def finditer(self, string: str) -> Any:
        return _all_on(self, string).finditer(string)

    def findall(self, string: str) -> Any:
        return _all_on(self, string).findall(string)

    def split(self, string: str, maxsplit: int = 0) -> Any:
        return _all_on(self, string).split(string, maxsplit)

    def sub(self, repl: Any, string: str, count: int = 0) -> str:
        return str(self.subn(repl, string, count)[0])

    def subn(self, repl: Any, string: str, count: int = 0) -> Any:
        if count < 0:
            return string, 0
        if isinstance(repl, str) and "\\" in repl:
            _checked(repl)
        parts, last, number = [], 0, 0
        for match in _all_on(self, string).finditer(string):
            if count and number == count:
                break
            parts.append(string[last : match.start()])
            parts.append(_expanded(repl, match))
            last, number = match.end(), number + 1
        return "".join(parts) + string[last:], number


def _on(pattern: Any, string: str) -> Any:
    """Return Monty's own pattern where it matches as Python's."""
    if pattern.ignores_case and ("İ" in string or "ı" in string):
        raise NotImplementedError("a Turkish letter where case does not count")
    return pattern.real


def _all_on(pattern: Any, string: str) -> Any:
    """Return Monty's own pattern where all its matches are Python's."""
    if pattern.may_be_empty:
        raise NotImplementedError("all matches of a pattern that may match no text")
    return _on(pattern, string)


def _expanded(repl: Any, match: Any) -> Any:
    """Return what replaces a match: the result of a function, or a template."""
    if not isinstance(repl, str):
        return repl(match)
    if "\\" not in repl:
        return repl
    return _template(repl, match)


def _checked(repl: str) -> None:
    """Refuse a template with an escape that `_template` does not know, as Python does at once."""
    place = repl.find("\\")
    while place >= 0:
        if repl[place + 1 : place + 2] not in "g123456789\\nt" or place + 1 == len(repl):
            raise NotImplementedError("a template with " + repl[place : place + 2])
        place = repl.find("\\", place + 2)


def _template(repl: str, match: Any) -> str:
    parts, place = [], 0
    while place < len(repl):
        character = repl[place]
        following = repl[place + 1 : place + 2]
        if character != "\\":
            parts.append(character)
            place += 1
        elif following == "g":
            end = repl.index(">", place)
            name = repl[place + 3 : end]
            parts.append(match.group(int(name) if name.isdigit() else name) or "")
            place = end + 1
        elif following in "123456789" and not repl[place + 2 : place + 3].isdigit():
            parts.append(match.group(int(following)) or "")
            place += 2
        elif following in "\\nt":
            parts.append({"\\": "\\", "n": "\n", "t": "\t"}[following])
            place += 2
        else:
            raise NotImplementedError("a template with \\" + following)
    return "".join(parts)


def compile(pattern: Any, flags: int = 0) -> Any:
    """Return a pattern with Python's methods."""
    if not isinstance(pattern, str):
        return pattern
    if (pattern, flags) not in _patterns:
        if len(_patterns) >= _MOST_KEPT:
            _patterns.clear()
        _patterns[(pattern, flags)] = _Pattern(pattern, flags)
    return _patterns[(pattern, flags)]


def search(pattern: Any, string: str, flags: int = 0) -> Any:
    """See `re.search`."""
    return compile(pattern, flags).search(string)


def match(pattern: Any, string: str, flags: int = 0) -> Any:
    """See `re.match`."""
    return compile(pattern, flags).match(string)


def fullmatch(pattern: Any, string: str, flags: int = 0) -> Any:
    """See `re.fullmatch`."""
    return compile(pattern, flags).fullmatch(string)


def findall(pattern: Any, string: str, flags: int = 0) -> Any:
    """See `re.findall`."""
    return compile(pattern, flags).findall(string)


def finditer(pattern: Any, string: str, flags: int = 0) -> Any:
    """See `re.finditer`."""
    return compile(pattern, flags).finditer(string)


def split(pattern: Any, string: str, maxsplit: int = 0, flags: int = 0) -> Any:
    """See `re.split`."""
    return compile(pattern, flags).split(string, maxsplit)


def sub(pattern: Any, repl: Any, string: str, count: int = 0, flags: int = 0) -> str:
    """See `re.sub`."""
    return str(compile(pattern, flags).sub(repl, string, count))


def subn(pattern: Any, repl: Any, string: str, count: int = 0, flags: int = 0) -> Any:
    """See `re.subn`."""
    return compile(pattern, flags).subn(repl, string, count)


def escape(pattern: str) -> str:
    """See `re.escape`."""
    return str(_re.escape(pattern))
