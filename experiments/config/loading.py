"""A config's keys as the YAML and `--set` give them, before they are checked."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from autoevol.program.errors import ConfigError

MATRIX = "matrix"
"""The one group of keys whose names are dotted themselves."""


def tree_of(path: Path, overrides: Sequence[str] = ()) -> dict[str, Any]:
    """Return the keys of a YAML file with some overridden: `a.b=c`; the value is read as YAML.

    Raises:
        ConfigError: The file cannot be read, or an override is none.
    """
    tree = read_yaml(path)
    for override in overrides:
        _override(tree, override)
    return tree


def read_yaml(path: Path) -> dict[str, Any]:
    """Return the keys of a YAML file.

    Raises:
        ConfigError: It cannot be read, or holds something else.
    """
    try:
        tree = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(str(path), f"cannot be read: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(str(path), f"is no valid YAML: {' '.join(str(error).split())}") from error
    if not isinstance(tree, dict):
        raise ConfigError(str(path), "must be a mapping of keys")
    return tree


def set_key(tree: dict[str, Any], dotted: str, value: Any, where: str) -> None:
    """Set a key in the tree; groups that are not there are made.

    Args:
        tree: Is changed.
        dotted: `a.b`; behind `matrix.` stands one key, whatever dots it has.
        value: As YAML gives it.
        where: Names the place of the wish, for messages.

    Raises:
        ConfigError: A key on the way is no group of keys.
    """
    *parents, last = dotted.split(".", 1 if dotted.startswith(f"{MATRIX}.") else -1)
    node = tree
    for key in parents:
        child = node.setdefault(key, {})
        if not isinstance(child, dict):
            raise ConfigError(where, f"{key} is no group of keys")
        node = child
    node[last] = value


def _override(tree: dict[str, Any], override: str) -> None:
    dotted, sign, value = override.partition("=")
    where = f"--set {override}"
    if not sign or not dotted:
        raise ConfigError(where, "write --set key.subkey=value")
    try:
        given = yaml.safe_load(value)
    except yaml.YAMLError as error:
        raise ConfigError(where, "the value is no valid YAML") from error
    set_key(tree, dotted, given, where)
