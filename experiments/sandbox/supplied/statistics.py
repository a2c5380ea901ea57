"""The commonest functions of `statistics`, for Monty, which has no such module.

`statistics` computes with fractions; of whole numbers alone the results are the same here.
"""

import math
from typing import Any


def _data(data: Any, least: int, name: str) -> list[Any]:
    values = list(data)
    if not all(isinstance(value, int) for value in values):
        raise NotImplementedError("statistics of other values than whole numbers")
    if len(values) < least:
        raise ValueError(name + " requires at least " + str(least) + " data points")
    return values


def _exact(total: float, count: int) -> float:
    """Return an int where the mean of ints is one, as `statistics` does."""
    if isinstance(total, int) and total % count == 0:
        return total // count
    return total / count


def mean(data: Any) -> float:
    """Return the arithmetic mean."""
    values = _data(data, 1, "mean")
    return _exact(sum(values), len(values))


def fmean(data: Any) -> float:
    """Return the arithmetic mean as a float."""
    values = _data(data, 1, "fmean")
    return math.fsum(values) / len(values)


def median(data: Any) -> float:
    """Return the middle value, or the mean of the two middle ones."""
    values = sorted(_data(data, 1, "median"))
    half = len(values) // 2
    high: float = values[half]
    return high if len(values) % 2 else (values[half - 1] + high) / 2


def mode(data: Any) -> Any:
    """Return the commonest value, the first of several."""
    counts: dict[Any, int] = {}
    for value in list(data):
        counts[value] = counts.get(value, 0) + 1
    return max(counts, key=lambda value: counts[value])
