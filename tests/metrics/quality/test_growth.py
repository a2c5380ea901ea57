"""Words added per round, counted by hand."""

import pytest

from autoevol.metrics.quality.growth import added_by_round, within_budget


def test_each_round_is_compared_with_the_one_before() -> None:
    chains = [["a", "a b c", "a b c d"], ["a b", "a b c"], ["a b c d", "a b"], ["alone"], []]
    first, second = added_by_round(chains)
    assert first.mean == pytest.approx(1 / 3)
    assert first.scored == 3
    assert (second.mean, second.scored) == (1, 1)


def test_a_version_without_words_is_unscored() -> None:
    (only,) = added_by_round([["a", ""], ["가 나", "가 나 다"]])
    assert (only.mean, only.scored, only.unscored) == (1, 1, 1)


@pytest.mark.parametrize("chains", [[], [["one"]], [["", ""]]])
def test_no_rounds(chains: list[list[str]]) -> None:
    assert added_by_round(chains) == []


def test_the_budget_is_ten_to_twenty_words() -> None:
    estimate = within_budget([9, 10, 20, 21, -3])
    assert estimate is not None
    assert estimate.value == 0.4
    assert within_budget([]) is None
