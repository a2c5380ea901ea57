"""The commonest functions of `statistics`, for Monty, which has no such module.

Where `statistics` computes with fractions, results may differ in the last digits of a float.
"""

import math
from typing import Any


def _data(data: Any, least: int, name: str) -> list[Any]:
    values = list(data)
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
    total = sum(values) if all(isinstance(v, int) for v in values) else math.fsum(values)
    return _exact(total, len(values))


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
    for value in _data(data, 1, "mode"):
        counts[value] = counts.get(value, 0) + 1
    return max(counts, key=lambda value: counts[value])


def _squares(values: list[float]) -> float:
    centre = math.fsum(values) / len(values)
    return math.fsum([(value - centre) ** 2 for value in values])


def variance(data: Any) -> float:
    """Return the sample variance."""
    values = _data(data, 2, "variance")
    return _squares(values) / (len(values) - 1)


def pvariance(data: Any) -> float:
    """Return the population variance."""
    values = _data(data, 1, "pvariance")
    return _squares(values) / len(values)


def stdev(data: Any) -> float:
    """Return the sample standard deviation."""
    return math.sqrt(variance(data))


def pstdev(data: Any) -> float:
    """Return the population standard deviation."""
    return math.sqrt(pvariance(data))
