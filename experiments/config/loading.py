"""The keys of a YAML file and of `--set`, before they are checked."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from autoevol.experiments.files.paths import command_line, local_path, read_text
from autoevol.program.errors import ConfigError
from autoevol.signatures.strict_yaml import YamlError, load_yaml

_DATA = frozenset((".csv", ".tsv", ".jsonl", ".parquet", ".txt", ".xlsx"))
"""Endings of files that people name where a config is wanted."""

MATRIX = "matrix"
"""The only section whose keys have dots in their names."""

MODELS = "models"
_SHOWN = 200
"""Longest option in characters that a message repeats whole."""


def tree_of(path: Path, overrides: Sequence[str] = ()) -> dict[str, Any]:
    """Return the keys of a YAML file with some overridden: `a.b=c`; the value is read as YAML.

    Raises:
        ConfigError: The file cannot be read, or an override is not KEY.SUBKEY=VALUE.
    """
    return overridden(read_yaml(path), overrides)


def overridden(tree: dict[str, Any], overrides: Sequence[str]) -> dict[str, Any]:
    """Return a tree of keys with some overridden, as `tree_of`; the tree itself is changed.

    Raises:
        ConfigError: An override is not KEY.SUBKEY=VALUE.
    """
    for override in overrides:
        _override(tree, override)
    return tree


def read_yaml(path: Path) -> dict[str, Any]:
    """Return the keys of a YAML file.

    Raises:
        ConfigError: It cannot be read, or holds something else.
    """
    if path.suffix.lower() in _DATA and path.is_file():
        problem = f"is data, not a config; `{command_line('init', path)}` writes one for it"
        raise ConfigError(str(path), problem)
    try:
        tree = load_yaml(read_text(local_path(path, str(path)), str(path)))
    except YamlError as error:
        where = f"{path}: {error.key}" if error.key else str(path)
        raise ConfigError(where, error.problem) from error
    if not isinstance(tree, dict):
        raise ConfigError(str(path), "must be a mapping of keys")
    return tree


def set_key(tree: dict[str, Any], dotted: str, value: Any, where: str) -> None:
    """Set a key in the tree; missing sections are created.

    Args:
        tree: Is changed in place.
        dotted: `a.b`; what follows `matrix.` is one key, with its dots.
        value: As YAML parses it.
        where: The file and key, or the option, that sets the key; for messages.

    Raises:
        ConfigError: `a` of `a.b` is a value, not a section.
    """
    *parents, last = dotted.split(".", 1 if dotted.startswith(f"{MATRIX}.") else -1)
    node = tree
    for key in parents:
        child = node.setdefault(key, {})
        if isinstance(child, str) and node is tree.get(MODELS):
            # A role's name alone stands for `{model: name}`, below which there are keys.
            child = node[key] = {"model": child}
        if not isinstance(child, dict):
            raise ConfigError(where, f"{key} has no keys below it")
        node = child
    if dotted == "failure.rules":
        # It stands for both stages, which the file may have set one by one.
        for stage in ("evolve", "respond"):
            node.pop(stage, None)
    node[last] = value


def _override(tree: dict[str, Any], override: str) -> None:
    dotted, sign, value = override.partition("=")
    where = f"--set {override if len(override) <= _SHOWN else f'{override[:_SHOWN]}…'}"
    if not sign or not all(dotted.split(".")):
        raise ConfigError(where, "write --set key.subkey=value")
    try:
        parsed = load_yaml(value)
    except YamlError as error:
        raise ConfigError(where, f"the value {error}") from error
    set_key(tree, dotted, parsed, where)
