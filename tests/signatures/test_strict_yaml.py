"""YAML that a person wrote: plain values, or an error that names key and line."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autoevol.signatures.strict_yaml import MOST_CHARACTERS, YamlError, dump_yaml, load_yaml

LAUGHS = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 10)}]\n"
    for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)

PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(1 << 63), (1 << 63) - 1)
    | st.floats(allow_nan=False)
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
    | st.text("a \n\t\x85\u2028\ufeff\r'\":#-"),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abc -"), inner),
    max_leaves=12,
)


@settings(deadline=None)
@given(PLAIN)
def test_what_yaml_writes_is_read_back(tree: Any) -> None:
    assert load_yaml(dump_yaml(tree)) == tree
    assert load_yaml(dump_yaml(tree, width=100)) == tree


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a: 2024-13-45", "2024-13-45"),
        ("a: 2024-01-02", "2024-01-02"),
        ("a: =", "="),
        ("a: !!str 7", "7"),
        ('a: !!int "7"', 7),
    ],
)
def test_a_date_is_text_and_core_tags_are_taken(text: str, value: Any) -> None:
    assert load_yaml(text) == {"a": value}


def test_anchors_and_merges_are_taken() -> None:
    text = "a: &m {model: x, n: 1}\nb: {<<: *m, n: 2}\nc: [*m, *m]"
    tree = load_yaml(text)
    assert tree["b"] == {"model": "x", "n": 2}
    assert tree["c"] == [tree["a"], tree["a"]]


@pytest.mark.parametrize(
    ("text", "needles"),
    [
        pytest.param("a:\n  b: 1\n  b: 2", ["a.b: line 3", "twice"], id="duplicate key"),
        pytest.param("{yes: 1, true: 2}", ["true: line 1", "twice"], id="duplicate truth"),
        pytest.param("a: !!int abc", ["a: line 1", "'abc' is no whole number"], id="int"),
        pytest.param("a: !!int ''", ["a: line 1"], id="empty int"),
        pytest.param("a: 0x_", ["a: line 1", "'0x_'"], id="hexadecimal"),
        pytest.param("a: !!float x", ["a: line 1", "is no number"], id="float"),
        pytest.param("a: !!bool x", ["a: line 1", "'x'"], id="bool"),
        pytest.param("a: " + "9" * 30, ["a: line 1", "too large"], id="large int"),
        pytest.param("a: " + "9" * 9999, ["a: line 1", "whole number"], id="huge int"),
        pytest.param("a: .nan", ["a: line 1", "NaN"], id="NaN"),
        pytest.param("a: !!python/name:os.system", ["a: line 1", "tag"], id="Python's tag"),
        pytest.param("a: !thing x", ["a: line 1", "'!thing'"], id="own tag"),
        pytest.param("a: !!binary aGk=", ["a: line 1", "tag"], id="binary"),
        pytest.param("a:\n  b: &x [*x]", ["a.b.0: line 2", "itself"], id="list in itself"),
        pytest.param("a: &x {b: *x}", ["a.b: line 1", "itself"], id="mapping in itself"),
        pytest.param("a: *x", ["a: line 1", "*x"], id="no anchor"),
        pytest.param(LAUGHS, ["line 5", "100,000 values"], id="aliases"),
        pytest.param("a: " + "[" * 99, ["a.0.0.0.0.0.…: line 1", "40 levels"], id="deep lists"),
        pytest.param("{a: " * 99, ["a.a.a.a.a.a.…: line 1", "40 levels"], id="deep mappings"),
        pytest.param("? " * 999, ["line 1", "40 levels"], id="deep keys"),
        pytest.param("a: !" + "x" * 999, ["a: line 1", "…"], id="long tag"),
        pytest.param("[a]: b", ["line 1", "key"], id="list as key"),
        pytest.param("<<: 3", ["line 1", "merging"], id="merge of a number"),
        pytest.param('a: "\\0"', ["a: line 1", "NUL"], id="NUL"),
        pytest.param('a: "\\ud800"', ["a: line 1", "surrogate"], id="half a pair"),
        pytest.param("a:\n b: \x00", ["line 2", "#x0000"], id="NUL in the file"),
        pytest.param("a: 1\nkey: [", ["line 2"], id="unclosed list"),
        pytest.param("a: 1\nkey: - x", ["line 2, at 'key'"], id="list on the line of its key"),
        pytest.param("--- a\n--- b", ["line 2", "another document"], id="two documents"),
    ],
)
def test_other_yaml_is_refused_with_key_and_line(text: str, needles: list[str]) -> None:
    with pytest.raises(YamlError) as refused:
        load_yaml(text)
    assert all(needle in str(refused.value) for needle in needles), refused.value


def test_a_text_that_is_too_long_is_refused() -> None:
    with pytest.raises(YamlError, match="longer than 4,194,304 characters"):
        load_yaml("#" * (MOST_CHARACTERS + 1))


def test_a_message_repeats_no_value_that_is_long_or_secret() -> None:
    with pytest.raises(YamlError) as refused:
        load_yaml("api_key: sk-secret: x\n")
    assert "sk-secret" not in str(refused.value)
    with pytest.raises(YamlError) as refused:
        load_yaml("a: !!int " + "x" * 5000)
    assert len(str(refused.value)) < 200
