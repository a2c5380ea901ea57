"""The keys of a YAML file and of `--set`, before they are checked."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from autoevol.program.errors import ConfigError

MATRIX = "matrix"
"""The only section whose keys have dots in their names."""


def tree_of(path: Path, overrides: Sequence[str] = ()) -> dict[str, Any]:
    """Return the keys of a YAML file with some overridden: `a.b=c`; the value is read as YAML.

    Raises:
        ConfigError: The file cannot be read, or an override is not KEY.SUBKEY=VALUE.
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
        raise ConfigError(
            str(path), f"is not valid YAML: {' '.join(str(error).split())}"
        ) from error
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
        if not isinstance(child, dict):
            raise ConfigError(where, f"{key} has no keys below it")
        node = child
    node[last] = value


def _override(tree: dict[str, Any], override: str) -> None:
    dotted, sign, value = override.partition("=")
    where = f"--set {override}"
    if not sign or not dotted:
        raise ConfigError(where, "write --set key.subkey=value")
    try:
        parsed = yaml.safe_load(value)
    except yaml.YAMLError as error:
        raise ConfigError(where, "the value is not valid YAML") from error
    set_key(tree, dotted, parsed, where)
