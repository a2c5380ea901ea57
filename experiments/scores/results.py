"""What a score returns, and all scores of a set collected by row and by round."""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from autoevol.metrics.quality.lexical import lengths
from autoevol.metrics.stats.means import Scores, rank_correlation, summary
from autoevol.program.records import Row
from autoevol.program.scoring.scorers import Scored, Value

Rounds = Mapping[int, Sequence[Row]]
"""Rows by round; round 0 are the seeds."""

Figures = dict[str, Any]
"""Numbers by name, None for an unknown one; a mean is a group of numbers."""

RowValues = dict[str, dict[str, Value]]
"""A row's figures and tags: by score, then by name."""


@dataclass
class SetScores:
    """What one score returns for all rows of a set.

    Attributes:
        by_round: Figures by the round's number.
        by_row: Figures by row id.
        evidence: By row id, the reason for a figure.
        problems: By row id, why there is no figure.
        note: A remark on the whole set for the user; "" for none.
    """

    by_round: dict[int, Figures] = field(default_factory=dict)
    by_row: dict[str, dict[str, float]] = field(default_factory=dict)
    evidence: dict[str, str] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)
    note: str = ""


@dataclass
class ScoreResults:
    """All scores of a set.

    Attributes:
        rounds: The rows that were scored.
        figures: By round and by score, as `scores.json` holds them.
        values: By row id.
        problems: By row id and by score, why there is no value.
        evidence: By row id and by score, the reason for a value.
        notes: Remarks of single scores for the user.
    """

    rounds: Rounds
    figures: dict[int, dict[str, Any]] = field(default_factory=dict)
    values: dict[str, RowValues] = field(default_factory=dict)
    problems: dict[str, dict[str, str]] = field(default_factory=dict)
    evidence: dict[str, dict[str, str]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def add_set(self, name: str, scores: SetScores) -> None:
        """Add a score of the whole set."""
        for number, figures in scores.by_round.items():
            self.figures.setdefault(number, {})[name] = figures
        for identity, values in scores.by_row.items():
            self.values.setdefault(identity, {})[name] = dict(values)
        for identity, reason in scores.evidence.items():
            self.evidence.setdefault(identity, {})[name] = reason
        for identity, problem in scores.problems.items():
            self.problems.setdefault(identity, {})[name] = problem
        if scores.note:
            self.notes.append(f"{name}: {scores.note}")

    def add_row(self, name: str, scored: Scored) -> None:
        """Add a model's score of one row."""
        if scored.values:
            self.values.setdefault(scored.id, {})[name] = dict(scored.values)
        if scored.problem:
            self.problems.setdefault(scored.id, {})[name] = scored.problem

    def rounds_with(self, name: str) -> Rounds:
        """Return the rows that a score was tried on: they have its value or its problem."""
        return {
            number: [row for row in rows if self._has(row, name)]
            for number, rows in self.rounds.items()
        }

    def summarise(self, name: str) -> None:
        """Add the means of a row score with their intervals, round by round."""
        for number, rows in self.rounds_with(name).items():
            means = mean_figures([self.number(row, name) for row in rows])
            unscored = len(rows) - means.get("scored", 0)
            self.figures.setdefault(number, {})[name] = {**means, "unscored": unscored}

    def number(self, row: Row, name: str, figure: str | None = None) -> float | None:
        """Return a row's figure, by default the one named like its score; None: it has none."""
        value = self._value(row, name, figure or name)
        return value if isinstance(value, float) else None

    def tags(self, row: Row, name: str) -> tuple[str, ...] | None:
        """Return a row's tags; None: it was not tagged."""
        value = self._value(row, name, name)
        return value if isinstance(value, tuple) else None

    def by_round(self) -> list[dict[str, Any]]:
        """Return the figures of each round, seeds first."""
        return [{"round": number, **self.figures[number]} for number in sorted(self.figures)]

    def entries(self, identity: str) -> dict[str, Mapping[str, Any]]:
        """Return a row's values, problems and evidence, each by score."""
        return {
            "values": self.values.get(identity, {}),
            "problems": self.problems.get(identity, {}),
            "evidence": self.evidence.get(identity, {}),
        }

    def _value(self, row: Row, name: str, figure: str) -> Value | None:
        return self.values.get(row.id, {}).get(name, {}).get(figure)

    def _has(self, row: Row, name: str) -> bool:
        return name in self.values.get(row.id, {}) or name in self.problems.get(row.id, {})


def by_round(rows: Iterable[Row]) -> dict[int, list[Row]]:
    """Return rows by their round, the earliest round first."""
    rounds: defaultdict[int, list[Row]] = defaultdict(list)
    for row in rows:
        rounds[row.round].append(row)
    return dict(sorted(rounds.items()))


def mean_figures(scores: Scores) -> Figures:
    """Return the mean of scores with its interval and median, and the number of scored rows.

    Empty where no row is scored.
    """
    means = summary(scores)
    if means is None:
        return {}
    # JSON has no infinity: an interval without bounds (below six rows) is null.
    is_finite = all(map(math.isfinite, means.interval))
    figures = {**asdict(means), "interval": means.interval if is_finite else None}
    del figures["unscored"]
    return figures


def length_correlation(rows: Sequence[Row], scores: Scores) -> float | None:
    """Return the rank correlation of rows' scores with the words of their responses, in [-1, 1].

    0 is none; near 1, longer responses score better. None: fewer than three rows have a score, or
    all scores or all lengths are the same.
    """
    words = lengths("\n\n".join(row.answers) or row.response for row in rows)
    return rank_correlation(scores, [float(count) for count in words])
