"""Names of metrics, in sections: MLflow draws one chart a metric, and groups by what is before `/`.

Its page sorts the sections by name and puts metrics without one last. So `dev/` comes first.
A run has at most 30 metrics, the most important ones. A number that nobody sorts or charts by is a
tag, and all figures are artifacts. Journals of runs hold the figures under their own names; these
functions alone know what they are called in MLflow.
"""

from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any

from autoevol.metrics import FailureRate

MOST = 30
"""Metrics of a run: charts that a page of the UI shows without a search."""
MOST_SCORES = 13
"""Of them those of scores."""

Points = Mapping[int, Mapping[str, float]]

_HEADLINES = {
    "rows_in": "rows/in",
    "rows_out": "rows/kept",
    "rows_failed": "rows/failed",
    "rows_unscored": "rows/unscored",
    "calls": "usage/calls",
    "tokens_in": "usage/tokens_in",
    "tokens_out": "usage/tokens_out",
    "tokens_cached": "usage/tokens_cached",
    "cost_usd": "usage/cost_usd",
    "wall_s": "usage/seconds",
}
"""Figures of a summary that stay numbers, since MLflow sorts tags and params as texts."""

_RATE = {
    "failure_rate": "dev/failure_rate",
    "failure_rate_low": "dev/failure_rate_low",
    "failure_rate_high": "dev/failure_rate_high",
}

RATES = frozenset(("failure_rate", *_RATE.values()))
"""Metrics with the search's step."""

_CANDIDATE = {
    **_RATE,
    "added_words": "rows/added_words",
    "calls": "usage/calls",
    "tokens_in": "usage/tokens_in",
    "tokens_out": "usage/tokens_out",
    "tokens_cached": "usage/tokens_cached",
}

_SCORES = {
    "length.words": "words",
    "difficulty.mean": "difficulty",
    "complexity.mean": "complexity",
    "grade.mean": "grade",
    "quality.rate": "incomplete_responses",
    "overlap.copies": "copies",
    "neighbours.mnd": "neighbour_distance",
    "tags.diversity": "tag_diversity",
    "tags.complexity": "tags",
    "lexical.distinct_2": "distinct_pairs",
    "solver.mean": "solved",
    "solver.solver_gap.mean": "solver_gap",
    "ifd.ic_ifd.mean": "ic_ifd",
    "ifd.ifd.mean": "ifd",
    "chain.mean": "chain",
    "reward.mean": "reward",
    "growth.mean": "growth",
    "confidence.mean": "confidence",
    "keywords.operations": "operations",
    "length.response_words": "response_words",
    "lexical.compression": "compression",
}
"""Figures of scores that are metrics, the most important first."""


def rate_values(rate: FailureRate) -> dict[str, float]:
    """Return a failure rate on dev rows with the ends of its interval, as journals name them."""
    low, high = rate.interval
    return {"failure_rate": rate.rate, "failure_rate_low": low, "failure_rate_high": high}


def rate_metrics(values: Mapping[str, float]) -> dict[str, float]:
    """Return the metrics of a failure rate on dev rows.

    `failure_rate` is there, too: filters, links and runs of earlier versions have that name.

    Args:
        values: As a journal has them.
    """
    return {**{_RATE.get(name, name): value for name, value in values.items()}, **_plain(values)}


def _plain(values: Mapping[str, float]) -> dict[str, float]:
    return {name: value for name, value in values.items() if name == "failure_rate"}


def bounded(*groups: Mapping[str, float]) -> dict[str, float]:
    """Return metrics as far as a run takes them.

    Args:
        groups: By name, the most important group first: figures, then the ends of their intervals.
    """
    metrics: dict[str, float] = {}
    for group in groups:
        metrics = {**metrics, **{name: v for name, v in group.items() if name not in metrics}}
    return dict(islice(metrics.items(), MOST))


def summary_metrics(figures: Mapping[str, float]) -> dict[str, float]:
    """Return the metrics of a finished run.

    Args:
        figures: Numbers of its summary, by their dotted keys.
    """
    return {_HEADLINES[name]: value for name, value in figures.items() if name in _HEADLINES}


def summary_tags(figures: Mapping[str, float], existing: Iterable[str]) -> dict[str, str]:
    """Return the numbers of a summary that are no metrics, as tags `summary.…`.

    Zeros and groups of numbers are left out: they are in the artifact `figures.json`.

    Args:
        figures: As for `summary_metrics`.
        existing: Tags of the run: those that have become zero are kept up to date.
    """
    present = frozenset(existing)
    tags = {f"summary.{k}": v for k, v in figures.items() if k not in _HEADLINES and "." not in k}
    return {name: _text(value) for name, value in tags.items() if value or name in present}


def _text(value: float) -> str:
    return str(int(value)) if float(value).is_integer() else f"{value:.6g}"


def heldout_points(figures: Mapping[str, float]) -> dict[int, dict[str, float]]:
    """Return the failure rate on held-out rows: the initial method's, after all steps the best's.

    Args:
        figures: As for `summary_metrics`.
    """
    ends = {0: "initial", int(figures.get("steps", 0)): "best"}
    points = {step: _heldout(figures, f"failure_rate_heldout_{end}") for step, end in ends.items()}
    return {step: values for step, values in points.items() if values}


def _heldout(figures: Mapping[str, float], name: str) -> dict[str, float]:
    parts = {"rate": "", "low": "_low", "high": "_high"}
    return {
        f"heldout/failure_rate{end}": figures[f"{name}.{part}"]
        for part, end in parts.items()
        if f"{name}.{part}" in figures
    }


def candidate_metrics(figures: Mapping[str, float]) -> dict[str, float]:
    """Return the metrics of a candidate: rate and interval, usage, then rules by their counts.

    Args:
        figures: As a journal has them: `failed.RULE`, `calls`, ….
    """
    counts = {name: value for name, value in figures.items() if name.startswith("failed.")}
    by_count = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    rules = {f"rules/{name.removeprefix('failed.')}": count for name, count in by_count}
    rest = {_CANDIDATE.get(name, name): v for name, v in figures.items() if name not in counts}
    return bounded(rest, _plain(figures), rules)


def score_points(
    figures: Mapping[str, Mapping[str, float]], existing: Iterable[str]
) -> dict[int, dict[str, float]]:
    """Return the main figure of each score by round, as metrics `score/…`.

    Args:
        figures: By the round's number, as text, and by dotted name.
        existing: Metrics of the run: scores that are added later share its bound.
    """
    present = [name for name in existing if name.startswith("score/")]
    names = dict.fromkeys(name for scores in figures.values() for name in scores)
    new = [f"score/{short}" for name, short in _SCORES.items() if name in names]
    metrics = frozenset(islice(dict.fromkeys([*present, *new]), MOST_SCORES))
    return {
        int(number): {
            metric: value
            for name, value in scores.items()
            if (metric := f"score/{_SCORES.get(name)}") in metrics
        }
        for number, scores in figures.items()
    }


def with_interval(name: str, figure: Mapping[str, Any]) -> dict[str, float]:
    """Return a figure and the ends of its interval; what was not measured is left out.

    Args:
        name: Of the metric; the ends are `NAME_low` and `NAME_high`.
        figure: `value`, `low` and `high`.
    """
    parts = {"value": name, "low": f"{name}_low", "high": f"{name}_high"}
    values = {metric: figure.get(part) for part, metric in parts.items()}
    return {metric: float(value) for metric, value in values.items() if value is not None}
