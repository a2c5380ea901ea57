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

MOST_CHARACTERS = 4 << 20
MOST_LEVELS = 40
MOST_VALUES = 100_000
"""Values of a text, with those that its aliases repeat."""

_SHOWN, _SHOWN_LEVELS = 40, 12  # characters of a text and levels of a key in a message
_KEY = re.compile(r"[\s-]*([\w.]+):")
"""The key that a line begins with; the rest of the line may hold a secret."""

_BREAKS = re.compile("[\x85\u2028\u2029]")
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
        raise _invalid(text, mark.line if mark else 0, error.problem or error.context) from error
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, int(error.position))
        problem = f"character #x{ord(text[error.position]):04x} is not allowed"
        raise _invalid(text, line, problem) from error


def _invalid(text: str, line: int, problem: str | None) -> YamlError:
    """Return the error of a text that is not YAML; `line` counts from 0."""
    key = _KEY.match(text.split("\n")[line])
    at = f", at {key[1]!r}" if key else ""
    return YamlError(f"is not valid YAML: line {line + 1}{at}: {problem}")


def dump_yaml(tree: Any, *, width: int | None = None) -> str:
    """Return a tree as YAML that `load_yaml` reads back equal, keys in their order.

    Args:
        tree: Mappings, lists, texts, numbers, booleans and nulls.
        width: Characters after which a line is folded; None: PyYAML's.
    """
    options: Any = {"allow_unicode": True, "sort_keys": False, "width": width}
    return str(yaml.dump(tree, Dumper=_FaithfulDumper, **options))


class _FaithfulDumper(yaml.SafeDumper):
    """A writer that escapes the line breaks of Unicode, which PyYAML writes so that it folds them."""

    def represent_str(self, data: str) -> yaml.ScalarNode:
        """Return the node of a text."""
        style = '"' if _BREAKS.search(data) else None
        return self.represent_scalar(f"{_CORE}str", data, style)


_FaithfulDumper.add_representer(str, _FaithfulDumper.represent_str)


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
        self._levels = 0
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
        self._path += [] if index is None else [str(getattr(index, "value", index))[:_SHOWN]]
        # Not the length of the path: a key may be a mapping with keys that are mappings.
        self._levels += 1
        if self._levels > MOST_LEVELS:
            raise self._error(f"nests deeper than {MOST_LEVELS} levels", line)
        self._count(self._repeated(event, line), line)
        node = super().compose_node(parent, index)
        if not isinstance(event, yaml.AliasEvent):
            self._check(node, line)
            self._sizes[id(node)] = self._values - before
        self._levels -= 1
        del self._path[len(self._path) - (index is not None) :]
        return node

    def _repeated(self, event: Any, line: int) -> int:
        """Return how many values a node adds: one, or all those that its alias stands for."""
        if not isinstance(event, yaml.AliasEvent):
            return 1
        if event.anchor not in self.anchors:
            quoted = "a text that begins with * must be quoted"
            raise self._error(f"*{_shown(event.anchor)} names nothing; {quoted}", line)
        size = self._sizes.get(id(self.anchors[event.anchor]))
        # A node without a size is still open: the alias lies in what it stands for.
        if size is None:
            raise self._error(f"*{_shown(event.anchor)} refers to itself", line)
        return size

    def _count(self, values: int, line: int) -> None:
        self._values += values
        if self._values > MOST_VALUES:
            raise self._error(f"holds more than {MOST_VALUES:,} values, aliases included", line)

    def _check(self, node: Any, line: int) -> None:
        if node.tag not in _TAGS:
            raise self._error(f"the tag {_shown(node.tag)!r} is not allowed; remove it", line)
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
            raise self._error(f"{_shown(node.value)!r} is no {kind}", line) from error
        if isinstance(value, int) and not -(1 << 63) <= value < 1 << 63:
            raise self._error(f"{_shown(node.value)!r} is too large a number", line)
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
        shown = self._path if len(self._path) <= _SHOWN_LEVELS else [*self._path[:6], "…"]
        return YamlError(problem, line=line, key=".".join(shown))


def _shown(text: str | None) -> str:
    text = text or ""
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
