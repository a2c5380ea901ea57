"""What is cheap to measure of an arm, against what it taught: rank correlations over arms."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from autoevol.experiments.artifacts.row_files import EVOLVED
from autoevol.experiments.artifacts.summary import SUMMARY, read_summary
from autoevol.experiments.data.formats.source import open_source
from autoevol.experiments.files.reading import read_rows
from autoevol.experiments.study.figures import CellFigures
from autoevol.experiments.study.work import StudyResults
from autoevol.metrics.stats.means import rank_correlation
from autoevol.metrics.text.wording import words

_RESAMPLES = 2_000
_LEAST_ARMS, _LEAST_FOR_INTERVAL = 3, 5
"""Fewer arms have no correlation worth a number, or no interval."""


@dataclass(frozen=True, slots=True)
class Proxy:
    """A cheap figure of the arms, and the gain that it goes with.

    Attributes:
        name: Of the figure.
        values: By arm.
        correlation: Spearman's, over arms, with the mean of the task that decides, in [-1, 1];
            of a loss the sign is turned, so that 1 always says: more of it, better students. None:
            fewer than three arms have the figure.
        low: Lower end of the 95 % bootstrap interval over arms; None: there are fewer than five.
        high: Its upper end.
    """

    name: str
    values: Mapping[str, float]
    correlation: float | None
    low: float | None
    high: float | None


def proxies(results: StudyResults, figures: Sequence[CellFigures]) -> list[Proxy]:
    """Return the cheap figures of the arms, each with its correlation over them."""
    gains = _gains(results, figures)
    cheap: defaultdict[str, dict[str, float]] = defaultdict(dict)
    for arm in results.arms:
        for name, value in _cheap(results, arm).items():
            cheap[name][arm] = value
    return [_proxy(name, values, gains) for name, values in sorted(cheap.items())]


def _gains(results: StudyResults, figures: Sequence[CellFigures]) -> dict[str, float]:
    """Return what each arm taught under the first condition, by the task that decides."""
    config = results.plan.config
    tasks = {task.name: task for task in results.plan.all_tasks}
    sign = -1.0 if tasks[config.decisive].way == "loss" else 1.0
    return {
        own.arm: sign * own.value.value
        for own in figures
        if (own.condition, own.task) == (config.equalise[0], config.decisive) and own.value
    }


def _cheap(results: StudyResults, arm: str) -> dict[str, float]:
    target = results.plan.target_of(arm)
    ids = {example.row for example in results.arms[arm].examples}
    is_run = (target / EVOLVED).is_file()
    rows = read_rows(target / EVOLVED) if is_run else open_source(target).rows
    numbers: defaultdict[str, list[float]] = defaultdict(list)
    for row in rows:
        if str(row.get("id")) not in ids:
            continue
        numbers["instruction_words"].append(len(words(str(row.get("instruction") or ""))))
        numbers["answer_words"].append(len(words(str(row.get("response") or ""))))
        for name, value in (row.get("scores") or {}).items():
            if isinstance(value, int | float):
                numbers[name].append(float(value))
    means = {name: float(np.mean(values)) for name, values in numbers.items()}
    return {**means, **_failure_rate(results, arm)}


def _failure_rate(results: StudyResults, arm: str) -> dict[str, float]:
    target = results.plan.target_of(arm)
    if not (target / SUMMARY).is_file():
        return {}
    summary = read_summary(target)
    scored = sum(part["kept"] + part["failed"] for part in summary["rounds"])
    return {"failure_rate": summary["rows_failed"] / scored} if scored else {}


def _proxy(name: str, values: Mapping[str, float], gains: Mapping[str, float]) -> Proxy:
    arms = [arm for arm in values if arm in gains]
    pairs = np.array([[values[arm], gains[arm]] for arm in arms]).reshape(-1, 2)
    correlation = rank_correlation(*pairs.T) if len(arms) >= _LEAST_ARMS else None
    has_interval = correlation is not None and len(arms) >= _LEAST_FOR_INTERVAL
    low, high = _interval(pairs) if has_interval else (None, None)
    return Proxy(name, dict(values), correlation, low, high)


def _interval(pairs: np.ndarray) -> tuple[float | None, float | None]:
    rng = np.random.default_rng(0)
    draws = rng.integers(len(pairs), size=(_RESAMPLES, len(pairs)))
    drawn = [rank_correlation(*pairs[draw].T) for draw in draws]
    numbers = [value for value in drawn if value is not None]
    if len(numbers) < _RESAMPLES // 2:
        return None, None  # most draws repeat one arm, and have no correlation
    low, high = np.percentile(numbers, (2.5, 97.5))
    return float(low), float(high)
