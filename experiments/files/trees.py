"""Nested groups of keys as one flat group, with the keys joined by dots."""

from collections.abc import Mapping
from typing import Any


def flatten(tree: Mapping[str, Any]) -> dict[str, Any]:
    """Return the leaves by their dotted keys; lists and empty groups are leaves."""
    leaves: dict[str, Any] = {}
    for key, value in tree.items():
        # An empty group would vanish, and with it the difference of two configs that lies in it.
        if isinstance(value, Mapping) and value:
            leaves |= {f"{key}.{inner}": leaf for inner, leaf in flatten(value).items()}
        else:
            leaves[key] = value
    return leaves


def flat_numbers(tree: Mapping[str, Any]) -> dict[str, float]:
    """Return the leaves that are numbers, by their dotted keys; True and False are none."""
    return {
        key: float(value)
        for key, value in flatten(tree).items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }
