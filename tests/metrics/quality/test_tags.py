"""Tags merged and counted, checked by hand."""

import math
from collections.abc import Sequence

import numpy as np
import pytest

from autoevol.metrics.quality.neighbours import Vectors
from autoevol.metrics.quality.tags import (
    Tags,
    alike,
    complexity,
    coverage,
    diversity,
    frequent,
    labelled,
    merged,
    spelled_alike,
)


@pytest.mark.parametrize(
    ("first", "second", "is_one"),
    [
        ("Creative Writing", "creative-writing.", True),
        ("story", "Stories", True),
        ("movie", "movies", True),
        ("programming", "programs", True),
        ("code", "coding", True),
        ("data analysis", "data analyses", True),
        ("classes", "class", True),
        ("spelling", "spell", True),
        ("strings", "string", True),
        ("adding", "adds", True),
        ("toy", "toi", False),
        ("ties", "ti", False),
        ("gas", "ga", False),
        ("c3s", "c3", False),
        ("axes", "axe", True),
        ("be", "b", False),
        ("thing", "th", False),
        ("status", "statu", False),
        ("class", "clas", False),
        ("수학 문제들", "수학 문제", False),
        ("수학", " 수학 ", True),
        ("C++", "C#", False),
    ],
)
def test_spelled_alike(first: str, second: str, is_one: bool) -> None:
    one, other = spelled_alike([first, second])
    assert (one == other) is is_one


def test_the_commonest_spelling_represents_all() -> None:
    rows: list[Tags | None] = [("stories", "Maths"), None, ("story",), ("story", "!!"), ()]
    expected = [("story", "Maths"), None, ("story",), ("story",), ()]
    assert merged(rows, spelled_alike) == expected


def test_a_row_has_a_merged_tag_once() -> None:
    assert merged([("plot", "plots", "x"), ("plots",)], spelled_alike) == [
        ("plots", "x"),
        ("plots",),
    ]


def test_equal_labels_merge_and_a_tag_without_a_label_stays() -> None:
    rows: list[Tags | None] = [("maths", "0"), ("algebra", "maths"), ("cooking",)]
    merge = labelled({"maths": 0, "algebra": 0})
    assert merged(rows, merge) == [("maths", "0"), ("maths",), ("cooking",)]


PLACES = {"maths": 0, "mathematics": 10, "arithmetic": 35, "poem": 90}


def places(tags: Sequence[str]) -> Vectors:
    """Put known tags on the unit circle, by degrees, and others nowhere."""
    angles = [math.radians(PLACES[tag]) if tag in PLACES else math.nan for tag in tags]
    return np.array([[math.cos(angle), math.sin(angle)] for angle in angles])


def test_tags_that_mean_the_same_merge() -> None:
    rows: list[Tags | None] = [(tag,) for tag in ("maths", *PLACES, "nowhere", "lost")]
    merged_rows = merged(rows, alike(places, least=math.cos(math.radians(30))))
    flat = [row[0] for row in merged_rows if row]
    assert flat == ["maths", "maths", "maths", "arithmetic", "poem", "nowhere", "lost"]
    assert merged([(), None], alike(places)) == [(), None]


def test_rare_tags_are_cut() -> None:
    rows: list[Tags | None] = [("a", "b", "b"), ("a",), None]
    assert frequent(rows, least=2) == [("a",), ("a",), None]


def test_complexity_is_the_mean_of_tags_of_tagged_rows() -> None:
    assert complexity([("a", "b", "b"), ("a",), (), None]) == 1.0
    assert complexity([None]) is None
    assert complexity([]) is None


def test_diversity_of_a_whole_set_is_its_tags_by_its_rows() -> None:
    rows: list[Tags | None] = [("a", "b"), ("a", "c"), ("a",), None, ()]
    assert diversity(rows) == 3 / 4


def test_diversity_of_a_sample_is_the_mean_over_all_samples() -> None:
    """Pairs of ab, ac, a have 3, 2 and 2 tags."""
    assert diversity([("a", "b"), ("a", "c"), ("a",)], sample=2) == pytest.approx(7 / 3 / 2)
    assert diversity([("a", "b"), ("a", "c"), ("a",)], sample=1) == pytest.approx(5 / 3)


def test_all_equal_rows_have_one_rows_tags() -> None:
    assert diversity([("a", "b")] * 1000) == pytest.approx(0.02)
    assert diversity([("a", "b")]) == 2.0
    assert diversity([None, None]) is None


def test_a_sample_has_a_row() -> None:
    with pytest.raises(ValueError, match="got 0"):
        diversity([("a",)], sample=0)


def test_coverage_of_a_corpus() -> None:
    corpus: list[Tags | None] = [("a", "b"), ("c",), None, ("d", "a")]
    assert coverage([("a",), None, ("c", "z")], corpus) == 0.5
    assert coverage(corpus, corpus) == 1.0
    assert coverage([("a",)], [None, ()]) is None
