"""`matrix` of a config: the settings that are crossed, and the cells that this makes."""

import hashlib
import itertools
import json
import math
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autoevol.experiments.config.loading import MATRIX, set_key
from autoevol.experiments.matrix.names import canonical, is_private, names_of
from autoevol.program.errors import ConfigError

Varied = Mapping[str, Sequence[Any]]
FIXED = ("name", "output", MATRIX)
"""Groups of keys that all cells share: they say where the cells' folders are."""

MOST_CELLS = 1000
_SHOWN = 60
"""Longest value in characters that a message quotes."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One combination of values.

    Attributes:
        name: Of its folder, made of its values.
        values: By dotted key.
    """

    name: str
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Matrix:
    """What a config varies.

    Attributes:
        file: The config's.
        base: Its keys without the matrix.
        varied: Values by dotted key, in the order of the file.
    """

    file: Path
    base: Mapping[str, Any]
    varied: Varied

    @property
    def cells(self) -> list[Cell]:
        """All combinations; the last key varies fastest."""
        products = itertools.product(*self.varied.values())
        return [
            Cell(name, dict(zip(self.varied, values, strict=True)))
            for name, values in zip(names_of(self.varied), products, strict=True)
        ]

    @property
    def digest(self) -> str:
        """Fingerprint of the keys and their values."""
        return hashlib.sha256(canonical(dict(self.varied)).encode()).hexdigest()[:12]

    def tree(self, cell: Cell) -> dict[str, Any]:
        """Return the keys of a cell's config.

        Raises:
            ConfigError: A part of a dotted key is not a group of keys.
        """
        tree = deepcopy(dict(self.base))
        for key, value in cell.values.items():
            set_key(tree, key, deepcopy(value), self.where(key))
        return tree

    def where(self, key: str) -> str:
        """Return the file and the key, for messages."""
        return f"{self.file}: {MATRIX}.{key}"

    def shown(self, key: str, value: Any) -> str:
        """Return a value for a message; its number stands for one that is long or secret."""
        values = self.varied[key]
        text = json.dumps(value, ensure_ascii=False, default=str)
        # A group of keys may hold a secret, such as an API key that was put there by mistake.
        if is_private(key) or "{" in text or len(text) > _SHOWN:
            return f"value {values.index(value) + 1} of {len(values)}"
        return text


def read_matrix(tree: Mapping[str, Any], file: Path, overrides: Sequence[str]) -> Matrix:
    """Return what a config's keys vary.

    Args:
        tree: The keys, overridden.
        file: Whose they are, for messages.
        overrides: The overrides, `a.b=c`; a key cannot be overridden and vary.

    Raises:
        ConfigError: Names the file and the key.
    """
    varied = tree[MATRIX]
    where = f"{file}: {MATRIX}"
    if not isinstance(varied, dict) or not varied:
        raise ConfigError(where, "must name keys, each with a list of values: `seed: [1, 2]`")
    for key, values in varied.items():
        _check_key(key, where, list(varied))
        _check_values(values, f"{where}.{key}")
    # Before the product is made: a few keys with many values would fill the memory.
    count = math.prod(map(len, varied.values()))
    if count > MOST_CELLS:
        raise ConfigError(where, f"stands for {count:,} cells; at most {MOST_CELLS:,} can be run")
    clash = next((key for key in varied if _is_overridden(key, overrides)), None)
    if clash is not None:
        raise ConfigError(
            f"{where}.{clash}",
            f"cannot vary: --set or the command itself sets it; --set '{MATRIX}.{clash}=[…]' "
            "chooses other values",
        )
    return Matrix(file, {key: value for key, value in tree.items() if key != MATRIX}, varied)


def _check_key(key: Any, where: str, keys: Sequence[Any]) -> None:
    if not isinstance(key, str) or not all(key.split(".")):
        raise ConfigError(f"{where}.{key}", "is not a key; write group.key, as with --set")
    if key.split(".")[0] in FIXED:
        raise ConfigError(f"{where}.{key}", f"cannot vary: all cells share {', '.join(FIXED)}")
    outer = next((group for group in keys if key.startswith(f"{group}.")), None)
    if outer is not None:
        raise ConfigError(f"{where}.{key}", f"cannot vary beside {outer}, which contains it")


def _check_values(values: Any, where: str) -> None:
    if not isinstance(values, list) or not values:
        raise ConfigError(where, "must be a list of values, at least one")
    numbers: dict[str, int] = {}
    for number, value in enumerate(values, start=1):
        try:
            first = numbers.setdefault(canonical(value), number)
        except (TypeError, ValueError) as error:
            # YAML has keys that JSON has no text for.
            raise ConfigError(where, f"value {number} is not plain data: {error}") from error
        if first != number:
            raise ConfigError(where, f"values {first} and {number} are the same")


def _is_overridden(key: str, overrides: Sequence[str]) -> bool:
    """Tell whether an override sets the key or a part of it: the cells' values would undo it."""
    names = (override.partition("=")[0] for override in overrides)
    return any(f"{name}.".startswith(f"{key}.") for name in names)
