"""The interval of a ratio of yields in `benchmarks.search.learnable`."""

import math
from typing import Any

from benchmarks.search.learnable import bootstrap


def _rows(kept: int) -> dict[str, dict[str, Any]]:
    return {f"r{n:02}": {"kept": n < kept, "calls": 3} for n in range(60)}


def test_the_interval_holds_the_ratio_where_some_draws_have_none() -> None:
    # With 3 of 60 kept one draw in twenty keeps nothing under the start, and has no ratio.
    for kept in (2, 3, 5, 8):
        ratio, low, high = bootstrap(_rows(3), _rows(kept))
        assert math.isclose(ratio, kept / 3)
        assert low <= ratio <= high
        assert not math.isnan(high)


def test_a_start_that_keeps_nothing_has_no_ratio() -> None:
    assert all(map(math.isnan, bootstrap(_rows(0), _rows(5))))
