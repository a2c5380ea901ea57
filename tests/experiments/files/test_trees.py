"""Nested groups of keys as one flat group."""

from autoevol.experiments.files.trees import flat_numbers, flatten

TREE = {"a": {"b": {"c": 1, "d": [1, 2]}, "e": {}}, "f": True, "g": 0.5, "h": None}


def test_leaves_get_dotted_keys() -> None:
    flat = {"a.b.c": 1, "a.b.d": [1, 2], "a.e": {}, "f": True, "g": 0.5, "h": None}
    assert flatten(TREE) == flat


def test_only_numbers_are_numbers() -> None:
    assert flat_numbers(TREE) == {"a.b.c": 1.0, "g": 0.5}
