"""Repeated rows: what counts as the same, and by how much."""

import random
from collections.abc import Callable, Sequence

import pytest

from autoevol.metrics.selection.duplicates import Copy, exact_copies, near_copies


@pytest.mark.parametrize(
    ("first", "second", "is_copy"),
    [
        pytest.param("Sort the list.", "sort  the\nlist", True, id="case, space, full stop"),
        pytest.param("문장을 써라.", "문장을 써라", True, id="Korean"),
        pytest.param("café", "cafe\u0301", True, id="composed or not"),
        pytest.param("What is 3+4?", "What is 3 + 4 ?", True, id="space in a sum"),
        pytest.param("What is 3 + 4?", "What is 3 - 4?", False, id="another operator"),
        pytest.param("Add 3.5", "Add 35", False, id="another number"),
        pytest.param("10²", "102", False, id="a power is no digit"),
        pytest.param("", "  ", True, id="both empty"),
        pytest.param("???", "!!!", False, id="only punctuation"),
    ],
)
def test_exact_copies(first: str, second: str, is_copy: bool) -> None:
    assert exact_copies([first, second]) == ([Copy(1, 0, 1.0)] if is_copy else [])
    assert near_copies([first, second], threshold=1.0) == exact_copies([first, second])


@pytest.mark.parametrize("find", [exact_copies, near_copies])
def test_all_equal_rows_are_copies_of_the_first(
    find: Callable[[Sequence[str]], list[Copy]],
) -> None:
    assert find(["same words here"] * 4) == [Copy(n, 0, 1.0) for n in (1, 2, 3)]
    assert find(["one row"]) == find([]) == []


def test_similarity_is_jaccards_of_runs_of_three() -> None:
    words = [f"w{n}" for n in range(20)]
    changed = [*words[:10], "other", *words[11:]]
    copies = near_copies([" ".join(words), "something else entirely", " ".join(changed)])
    assert copies == [Copy(2, 0, 15 / 21)]
    assert near_copies([" ".join(words), " ".join(changed)], threshold=0.72) == []
    assert near_copies([" ".join(words), " ".join(changed)], threshold=15 / 21)


def test_a_row_is_compared_with_rows_that_are_no_copies() -> None:
    """The third is like the second, which is like the first; the third is not like the first."""
    words = [f"w{n}" for n in range(40)]
    second = [*words[:-4], *"abcd"]
    third = [*second[4:], *"efgh"]
    texts = [" ".join(tokens) for tokens in (words, second, third, second)]
    shared = 34 / 42
    assert near_copies(texts) == [Copy(1, 0, shared), Copy(3, 0, shared)]
    assert near_copies(texts[1:]) == [Copy(1, 0, shared), Copy(2, 0, 1.0)]


def test_short_rows_are_compared_as_a_whole() -> None:
    assert near_copies(["Sort it", "sort it!", "Sort them"]) == [Copy(1, 0, 1.0)]


def test_nearly_every_pair_above_the_threshold_is_found_and_none_below() -> None:
    rng = random.Random(4)
    texts = []
    for _ in range(300):
        words = [f"w{rng.randrange(5000)}" for _ in range(40)]
        texts += [" ".join(words), " ".join([*words[:-3], "x", "y", "z"])]
    copies = near_copies(texts)
    assert all(copy.row == copy.of + 1 for copy in copies)
    assert 298 <= len(copies) <= 300
    assert copies == near_copies(texts)


def test_a_copy_is_found_among_many_rows_of_one_template() -> None:
    """More candidates than are judged, all below the threshold but one."""
    same = " ".join(f"word{n}" for n in range(17))
    rows = [f"{same} {n} {same[::-1]} {n * n} {n}" for n in range(700)]
    copies = near_copies([*rows, f"{rows[650]} now"], threshold=0.8)
    assert copies == [Copy(700, 650, 35 / 36)]


@pytest.mark.parametrize("threshold", [0.0, 1.1])
def test_a_threshold_is_a_share(threshold: float) -> None:
    with pytest.raises(ValueError, match="threshold"):
        near_copies(["a"], threshold=threshold)
