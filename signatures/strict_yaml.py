"""YAML that a person wrote, read within bounds: configs and the front matter of methods.

YAML can hold more than settings need. A few lines of aliases stand for gigabytes, a tag can name
any type, and of two equal keys the last one wins silently. Here such a text is an error with its
line and key. It lies beside the methods since their front matter is YAML; `experiments` reads its
configs with it, too.
"""

import math
import re
from typing import Any

import yaml

MOST_CHARACTERS = 1 << 20
MOST_LEVELS = 40
MOST_VALUES = 100_000
"""Values of a text, with those that its aliases repeat."""

_SHOWN_LEVELS = 12
_KEY = re.compile(r"[\s-]*([\w.]+):")
"""The key that a line begins with; the rest of the line may hold a secret."""

_UNUSABLE = re.compile("[\0\ud800-\udfff]")
_CORE = "tag:yaml.org,2002:"
_TAGS = {_CORE + name for name in ("str", "int", "float", "bool", "null", "map", "seq", "merge")}
_KINDS = {f"{_CORE}int": "whole number of 64 bits", f"{_CORE}float": "number"}
# A date is text, as in JSON, which is what a config becomes in files and requests. `=` is text as
# well: PyYAML gives it a tag of its own that nothing can construct.
_AS_TEXT = {_CORE + "timestamp", _CORE + "value"}


class YamlError(ValueError):
    """A text is not the YAML that settings are written in.

    Attributes:
        key: Dotted key of the value that is wrong; "": it has none.
        problem: What is wrong, with its line where it is known.
    """

    def __init__(self, problem: str, *, line: int | None = None, key: str = "") -> None:
        self.key = key
        self.problem = problem if line is None else f"line {line}: {problem}"
        super().__init__(f"{key}: {self.problem}" if key else self.problem)


def load_yaml(text: str, *, any_character: bool = False) -> Any:
    """Return the value of a YAML text: mappings, lists, texts, numbers, booleans and nulls.

    Args:
        text: What a person or AutoEvol wrote.
        any_character: Take texts with a NUL or half of a surrogate pair, which a model may have
            written, but which no path, name or request can hold.

    Raises:
        YamlError: The text is not YAML, is larger or deeper than a config has reason to be, sets a
            key twice, or holds a tag, a number beyond 64 bits, or a character that is not taken.
    """
    if len(text) > MOST_CHARACTERS:
        raise YamlError(f"is longer than {MOST_CHARACTERS:,} characters")
    try:
        return _BoundedLoader(text, any_character=any_character).get_single_data()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line if mark else 0
        key = _KEY.match(text.split("\n")[line]) if mark else None
        problem = f"is not valid YAML: {error.problem or error.context}"
        raise YamlError(problem, line=line + 1, key=key[1] if key else "") from error
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, int(error.position)) + 1
        problem = f"is not valid YAML: character #x{ord(text[error.position]):04x} is not allowed"
        raise YamlError(problem, line=line) from error


class _BoundedLoader(yaml.SafeLoader):
    """A loader that checks each value while the text is parsed, before anything is built."""

    yaml_implicit_resolvers = {  # noqa: RUF012 - PyYAML's own class attribute
        first: [(tag, pattern) for tag, pattern in resolvers if tag not in _AS_TEXT]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def __init__(self, text: str, *, any_character: bool) -> None:
        super().__init__(text)
        self._any_character = any_character
        self._path: list[str] = []
        self._values = 0
        self._sizes: dict[int, int] = {}

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        """Return the next node of the text, checked.

        Args:
            parent: The node around it.
            index: Its number in a list, the node of its key in a mapping; None: it is a key.
        """
        event: Any = self.peek_event()  # type: ignore[no-untyped-call]  # so are its stubs
        line, before = event.start_mark.line + 1, self._values
        self._path += [] if index is None else [str(getattr(index, "value", index))]
        if len(self._path) > MOST_LEVELS:
            raise self._error(f"nests deeper than {MOST_LEVELS} levels", line)
        if not isinstance(event, yaml.AliasEvent):
            self._count(1, line)
            node = super().compose_node(parent, index)
            self._check(node, line)
            self._sizes[id(node)] = self._values - before
        elif event.anchor not in self.anchors:
            raise self._error(
                f"*{event.anchor} names nothing; a text that begins with * is quoted", line
            )
        else:
            node = super().compose_node(parent, index)
            # A node without a size is still open: the alias lies in what it stands for.
            if id(node) not in self._sizes:
                raise self._error(f"*{event.anchor} refers to itself", line)
            self._count(self._sizes[id(node)], line)
        del self._path[len(self._path) - (index is not None) :]
        return node

    def _count(self, values: int, line: int) -> None:
        self._values += values
        if self._values > MOST_VALUES:
            raise self._error(f"holds more than {MOST_VALUES:,} values, aliases included", line)

    def _check(self, node: Any, line: int) -> None:
        if node.tag not in _TAGS:
            raise self._error(f"the tag {node.tag!r} is not allowed; remove it", line)
        if isinstance(node, yaml.MappingNode):
            self._check_keys(node)
        elif isinstance(node, yaml.ScalarNode):
            self._check_scalar(node, line)

    def _check_keys(self, node: yaml.MappingNode) -> None:
        keys = set()
        for key, _ in node.value:
            line = key.start_mark.line + 1
            if not isinstance(key, yaml.ScalarNode):
                raise self._error("has a key that is a list or a mapping", line)
            name = self._scalar(key)
            if name in keys:
                self._path.append(key.value)
                raise self._error("is set twice", line)
            keys.add(name)

    def _check_scalar(self, node: yaml.ScalarNode, line: int) -> None:
        try:
            value = self._scalar(node)
        # A KeyError: `!!bool x`. An IndexError: `!!int ""`.
        except (ValueError, KeyError, IndexError) as error:
            kind = _KINDS.get(node.tag, "value of its tag")
            raise self._error(f"{_shown(node.value)} is no {kind}", line) from error
        if isinstance(value, int) and not -(1 << 63) <= value < 1 << 63:
            raise self._error(f"{_shown(node.value)} is too large a number", line)
        if isinstance(value, float) and math.isnan(value):
            raise self._error("is no number (NaN)", line)
        if isinstance(value, str) and not self._any_character and _UNUSABLE.search(value):
            raise self._error("holds a NUL or half of a surrogate pair; remove it", line)

    def _scalar(self, node: yaml.ScalarNode) -> Any:
        # `<<` has no value: what it merges is built with the mapping around it.
        is_merge = node.tag == f"{_CORE}merge"
        return node.value if is_merge else self.yaml_constructors[node.tag](self, node)

    def _error(self, problem: str, line: int) -> YamlError:
        # Where the nesting is the mistake, its first keys say where it is.
        shown = self._path if len(self._path) <= _SHOWN_LEVELS else [*self._path[:3], "…"]
        return YamlError(problem, line=line, key=".".join(shown))


def _shown(text: str) -> str:
    return repr(text if len(text) <= 40 else f"{text[:40]}…")
