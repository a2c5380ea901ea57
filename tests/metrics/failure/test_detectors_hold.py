"""No text makes a detector raise, and no pattern takes more than linear time."""

import re
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autoevol.metrics import RULES, Case, broken
from autoevol.metrics.failure import (
    answers,
    drift,
    form,
    lost_content,
    published,
    replies,
    unchanged,
    word_problems,
)
from autoevol.metrics.failure import code as coding
from autoevol.metrics.quality import difficulty, tags
from autoevol.metrics.selection import duplicates
from autoevol.metrics.text import wording
from autoevol.metrics.text.languages import LANGUAGES
from autoevol.metrics.text.languages.phrases import PHRASES

LONG = 20_000
"""Characters; a quadratic pattern needs some 10^8 steps for them, a linear one a few 10^4."""

SECONDS = 2.0
"""A linear pattern needs some milliseconds: a machine may be 100 times slower and still pass."""

PIECES = [
    *[
        "\n",
        " ",
        "\t",
        "a",
        "A",
        "_",
        "1",
        "1+",
        "1 + 1 ",
        "(",
        "[",
        "```",
        "`",
        '"',
        "'",
        "“",
        "*",
    ],
    *[
        ", a",
        "a,",
        "a, b; ",
        ": ",
        "#",
        "# ",
        "- a\n",
        "1. ",
        ".",
        "?",
        "! ",
        "가",
        "가나 ",
        "요.",
        "?\n",
    ],
    *[
        "the ",
        "sure ",
        "please ",
        "step 1 ",
        "to find ",
        "what is the ",
        "answer: ",
        "def ",
        "=",
        "$1",
    ],
    *[
        "instruction ",
        "{",
        "}",
        "[[ ##",
        "\ufffd",
        "\u200b",
        "é",
        "é",
        "🙂",
        "は",
        "ﬁ",
        "aB",
        "f(x)",
    ],
]
texts = st.one_of(
    st.text(max_size=300),
    st.lists(st.sampled_from(PIECES), max_size=60).map("".join),
)
pieces = st.lists(st.sampled_from(PIECES), min_size=1, max_size=4)


def long_text(parts: list[str]) -> str:
    return ("".join(parts) * LONG)[:LONG]


def patterns() -> dict[str, re.Pattern[str]]:
    detectors = (answers, coding, drift, form, lost_content, published, replies, unchanged)
    modules = (*detectors, word_problems, wording, difficulty, duplicates, tags)
    by_name = {
        f"{module.__name__}.{name}": value
        for module in modules
        for name, value in vars(module).items()
        if isinstance(value, re.Pattern)
    }
    tables: list[tuple[str, Any]] = [(table.code, table) for table in LANGUAGES]
    for code, table in (*tables, *PHRASES.items()):
        for name in table.__slots__:
            value: Any = getattr(table, name)
            if isinstance(value, re.Pattern):
                by_name[f"{code}.{name}"] = value
    return by_name


@settings(max_examples=200, deadline=None)
@given(source=texts, evolved=st.none() | texts, response=st.none() | texts, method=texts)
def test_no_text_makes_a_rule_raise(
    source: str, evolved: str | None, response: str | None, method: str
) -> None:
    case = Case(
        source,
        evolved,
        response,
        raw=method,
        method=method,
        demonstrations=method,
        expected=source,
    )
    reasons = broken(tuple(RULES.values()), case)
    assert all(reason.evidence for reason in reasons)


@settings(max_examples=100, deadline=None)
@given(text=st.text(alphabet=st.characters(max_codepoint=127)))
def test_the_fast_path_to_words_returns_the_same(text: str) -> None:
    """An apostrophe in another word makes `words` take the slow path."""
    assert (*wording.words(text), "it's") == wording.words(f"{text} it's")


@settings(max_examples=100, deadline=None)
@given(source=texts, evolved=texts)
def test_a_verdict_is_the_same_every_time(source: str, evolved: str) -> None:
    rules = tuple(RULES.values())
    assert broken(rules, Case(source, evolved)) == broken(rules, Case(source, evolved))


@pytest.mark.parametrize("name", patterns())
def test_a_pattern_takes_linear_time(name: str) -> None:
    pattern = patterns()[name]

    @settings(max_examples=40, deadline=None, database=None, derandomize=True)
    @given(parts=pieces)
    def holds(parts: list[str]) -> None:
        text = long_text(parts)
        started = time.process_time()
        sum(1 for _ in pattern.finditer(text))
        assert time.process_time() - started < SECONDS

    holds()


@settings(max_examples=40, deadline=None, database=None, derandomize=True)
@given(first=pieces, second=pieces)
def test_long_texts_take_linear_time(first: list[str], second: list[str]) -> None:
    rules, source, evolved = tuple(RULES.values()), long_text(first), long_text(second)
    started = time.process_time()
    broken(rules, Case(source, evolved, method=source))
    broken(rules, Case(source, evolved, response=source))
    assert time.process_time() - started < 5 * SECONDS
