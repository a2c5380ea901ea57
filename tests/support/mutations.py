"""Seeded mutations of a config: one key deleted, renamed, set twice, or given an odd value."""

import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import yaml

_LAUGHS = "&a [x, x, x, x, x, x, x, x, x, x]"
for _name, _next in zip("abcdefg", "bcdefgh", strict=True):
    _LAUGHS = f"&{_next} [{_LAUGHS}, {', '.join([f'*{_name}'] * 9)}]"

ODD_VALUES = (
    *("null", "true", "false", "0", "-1", "1.5", "-0.0", "9223372036854775807"),
    *("1" + "0" * 40, "1" * 5000, "0x_", "1:99", ".nan", ".inf", "-.inf", "1e400", "1_0"),
    *("''", "' '", '"\\n"', "'word'", "' word '", "x" * 300, "'" + "long " * 2000 + "'"),
    *('"a\\0b"', '"\\ud800"', '"\\u2028"', '"\\e[31m"', "'[red]'", "'{x}'", "'%s'"),
    *("[]", "[1, word]", "[null]", "[[]]", "{}", "{key: value}", "{1: 2}", "{null: 1}"),
    *("2024-01-01", "2024-13-45", "2024-01-01 10:00:00", "!!int abc", "!!timestamp x"),
    *("!!binary aGk=", "!!set {a, b}", "!!python/name:os.system", "!thing x"),
    *("&z [*z]", "&z {a: *z}", "*nobody", _LAUGHS, "[" * 60 + "]" * 60, "{a: " * 60 + "}" * 60),
    *("~nosuchuser/x", "/dev/stdin", "/dev/zero", "fifo", "folder", "../..", "/", "."),
    *("x/" * 3000, "loop", "secret/x", "CON", "http://[", "nobody/nothing", "-"),
)
"""Values as YAML texts. `fifo`, `folder` and `loop` are such files where the config lies."""

_HOLE = "a hole for YAML text"


@dataclass(frozen=True)
class Mutation:
    """A config's text with one change.

    Attributes:
        keys: The keys down to the one that was changed; numbers of list items are left out.
        kind: What was done to it, for messages.
    """

    text: str
    keys: tuple[str, ...]
    kind: str

    @property
    def names(self) -> tuple[str, str]:
        """What a message may call the key: its dotted path, or its last part."""
        return ".".join(self.keys), self.keys[-1]


def mutations(text: str, *, seed: str, count: int) -> Iterator[Mutation]:
    """Yield `count` mutations of a config; the same seed gives the same ones."""
    rng = random.Random(seed)
    paths = [path for path in _paths(yaml.safe_load(text)) if path]
    for _ in range(count):
        yield _mutation(yaml.safe_load(text), rng.choice(paths), rng)


def _paths(tree: Any) -> Iterator[tuple[Any, ...]]:
    yield ()
    items: Iterable[tuple[Any, Any]] = ()
    if isinstance(tree, dict | list):
        items = tree.items() if isinstance(tree, dict) else enumerate(tree)
    for key, value in items:
        yield from ((key, *rest) for rest in _paths(value))


def _mutation(tree: Any, path: tuple[Any, ...], rng: random.Random) -> Mutation:
    node = tree
    for key in path[:-1]:
        node = node[key]
    last, keys = path[-1], tuple(key for key in path if isinstance(key, str))
    # Most mutations change a value: there are many odd ones.
    action = rng.choice(["delete", "rename", "twice", *["value"] * 12])
    if action == "value" or isinstance(node, list):
        odd = rng.choice(ODD_VALUES)
        node[last] = _HOLE
        return Mutation(_dumped(tree, odd), keys, f"{path} = {odd[:60]}")
    value = node.pop(last)
    if action == "rename":
        node[f"{last}x"] = value
        return Mutation(_dumped(tree), keys, f"{path} renamed")
    if action == "twice":
        node[last] = value
        node[f"{_HOLE}: 1"] = value
        text = _dumped(tree).replace(f"'{_HOLE}: 1'", last)
        return Mutation(text, keys, f"{path} twice")
    return Mutation(_dumped(tree), keys, f"{path} deleted")


def _dumped(tree: Any, odd: str = "") -> str:
    text = yaml.safe_dump(tree, sort_keys=False, allow_unicode=True, width=10**6)
    return text.replace(_HOLE, odd) if odd else text
