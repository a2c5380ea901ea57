"""What is cheap to measure of an arm, against what it taught: rank correlations over arms."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from autoevol.experiments.artifacts.resume import stored_config
from autoevol.experiments.artifacts.row_files import EVOLVED
from autoevol.experiments.artifacts.summary import SUMMARY, read_summary
from autoevol.experiments.data.formats.source import open_source
from autoevol.experiments.files.reading import read_rows
from autoevol.experiments.scores.stored import BY_ROW, stored_rows
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
    ids = _trained_on(results, arm)
    is_run = (target / EVOLVED).is_file()
    rows = read_rows(target / EVOLVED) if is_run else open_source(target).rows
    tags = _tags(target) if is_run else {}
    numbers: defaultdict[str, list[float]] = defaultdict(list)
    for row in rows:
        name = str(row.get("id"))
        if name not in ids:
            continue
        for figure, value in _figures(row).items():
            numbers[figure].append(value)
        if name in tags:
            numbers["tags"].append(float(tags[name]))
    means = {name: float(np.mean(values)) for name, values in numbers.items()}
    return {**means, **_of_run(results, arm)}


def _figures(row: Mapping[str, Any]) -> dict[str, float]:
    """Return what is cheap to measure of one row."""
    scores = {
        name: float(value)
        for name, value in (row.get("scores") or {}).items()
        if isinstance(value, int | float)
    }
    return {
        "instruction_words": len(words(str(row.get("instruction") or ""))),
        "answer_words": len(words(str(row.get("response") or ""))),
        **scores,
    }


def _tags(folder: Path) -> dict[str, int]:
    """Return how many tags each tagged row of a run has: its complexity (InsTag, 2308.07074)."""
    if not (folder / BY_ROW).is_file():
        return {}
    values = {name: row.get("values", {}) for name, row in stored_rows(folder).items()}
    return {name: len(own["tags"]["tags"]) for name, own in values.items() if "tags" in own}


def _trained_on(results: StudyResults, arm: str) -> set[str]:
    """Return the ids of the rows of an arm that were trained on under the first condition."""
    first = results.plan.config.equalise[0]
    return {
        example.row
        for cell in results.cells
        if (cell.cell.arm, cell.cell.condition) == (arm, first)
        for example in cell.cell.data.examples
    }


def _of_run(results: StudyResults, arm: str) -> dict[str, float]:
    """Return the figures of an arm's run: failure rate, and share of verified answers."""
    target = results.plan.target_of(arm)
    if not (target / SUMMARY).is_file():
        return {}
    summary = read_summary(target)
    scored = sum(part["kept"] + part["failed"] for part in summary["rounds"])
    rate = {"failure_rate": summary["rows_failed"] / scored} if scored else {}
    return {**rate, "verified": float(stored_config(target).answer.check != "none")}


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
