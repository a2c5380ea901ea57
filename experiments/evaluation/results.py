"""Figures of an evaluation with their intervals, and two evaluations in pairs."""

import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from rich.table import Table

from autoevol.experiments.evaluation.tasks.items import ItemResult, Task, Way
from autoevol.metrics import mean_interval, pairs
from autoevol.metrics.stats.intervals import wilson

EVALUATION = "evaluation.json"
_REASON = 60  # characters of why an item has no score
_KEYS = {field.name for field in fields(ItemResult)}


@dataclass(frozen=True, slots=True)
class TaskFigures:
    """What a task came to.

    Attributes:
        task: Its name.
        way: See `items.Way`.
        items: Questions that were given.
        scored: Of these, those with a score.
        value: Share of the scored that are right, or the mean of their scores in [0, 1], higher is
            better; for `loss` the mean nats a token, lower is better. None: nothing is scored.
        low: Lower end of the 95 % interval: Wilson's of a share, else by the normal approximation
            over questions. None: nothing is scored, or too little for the latter.
        high: Its upper end.
        unscored: Reasons of the others, with how many.
        fingerprint: Of the questions.
    """

    task: str
    way: Way
    items: int
    scored: int
    value: float | None
    low: float | None
    high: float | None
    unscored: Mapping[str, int]
    fingerprint: str

    @property
    def shown(self) -> str:
        """The value with its interval."""
        if self.value is None:
            return "–"
        if self.low is None or self.high is None:
            return f"{self.value:.3f}"
        if self.way == "loss":
            return f"{self.value:.3f} ({self.low:.3f}–{self.high:.3f})"
        return f"{self.value:.1%} ({self.low:.1%}–{self.high:.1%})"


@dataclass(frozen=True, slots=True)
class PairedFigures:
    """Two models on the same questions.

    Attributes:
        task: Its name.
        shared: Questions that both have a score for.
        won: Right here alone; None for a loss, as are `lost` and `p`.
        lost: Right there alone.
        difference: Of the means, this model's minus the other's.
        low: Lower end of its 95 % interval, by the normal approximation over questions; None: there
            are fewer than six.
        high: Its upper end.
        p: Two-sided, of McNemar's exact test.
    """

    task: str
    shared: int
    won: int | None
    lost: int | None
    difference: float
    low: float | None
    high: float | None
    p: float | None


def figures_of(task: Task, results: Sequence[ItemResult], digest: str) -> TaskFigures:
    """Return what a task came to.

    Args:
        task: The task.
        results: One for each question that was given.
        digest: Fingerprint of the task.
    """
    scored = [result for result in results if result.score is not None]
    value, low, high = _share(scored) if _is_binary(scored) else _mean(scored)
    reasons = Counter(
        result.evidence[:_REASON] or "none" for result in results if result.score is None
    )
    return TaskFigures(
        task.name, task.way, len(results), len(scored), value, low, high, dict(reasons), digest
    )


def _share(
    results: Sequence[ItemResult],
) -> tuple[float | None, float | None, float | None]:
    if not results:
        return None, None, None
    right = sum(bool(result.score) for result in results)
    return (right / len(results), *wilson(right, len(results)))


def _is_binary(results: Sequence[ItemResult]) -> bool:
    """Tell whether all scores are 0 or 1: shares and McNemar's test are of such alone."""
    return all(result.score in (0.0, 1.0) for result in results)


def _mean(results: Sequence[ItemResult]) -> tuple[float | None, float | None, float | None]:
    return _interval([float(result.score or 0.0) for result in results])


def _interval(scores: Sequence[float]) -> tuple[float, float | None, float | None]:
    """Return a mean with the ends of its interval; None: of so few scores there is none."""
    value, low, high = mean_interval(scores)
    return (value, low, high) if math.isfinite(low) else (value, None, None)


def paired(
    task: Task, ours: Mapping[str, ItemResult], theirs: Mapping[str, ItemResult]
) -> PairedFigures | None:
    """Return two models' results on the questions that both have a score for; None: there is none.

    Args:
        task: The task of both.
        ours: By the question's id, of the model whose wins are counted.
        theirs: Of the other.
    """
    both = {
        name: (ours[name].score or 0.0, theirs[name].score or 0.0)
        for name in ours.keys() & theirs.keys()
        if ours[name].score is not None and theirs[name].score is not None
    }
    if not both:
        return None
    value, low, high = _interval([own - other for own, other in both.values()])
    if any(score not in (0.0, 1.0) for pair in both.values() for score in pair):
        return PairedFigures(task.name, len(both), None, None, value, low, high, None)
    fails = [{name: not pair[side] for name, pair in both.items()} for side in (0, 1)]
    counted = pairs(fails[0], fails[1])
    one_sided = (counted.p_better, pairs(fails[1], fails[0]).p_better)
    p = min(1.0, 2 * min(one_sided))
    return PairedFigures(task.name, len(both), counted.won, counted.lost, value, low, high, p)


def figures_table(figures: Sequence[TaskFigures], compared: Sequence[PairedFigures] = ()) -> Table:
    """Return a line for each task."""
    columns = ["task", "items", "scored", "right, or nats a token (95 %)"]
    by_task = {pair.task: pair for pair in compared}
    if compared:
        columns += ["to the baseline (95 %)", "won, lost", "p"]
    table = Table(*columns)
    for own in figures:
        cells = [own.task, f"{own.items:,}", f"{own.scored:,}", own.shown]
        pair = by_task.get(own.task)
        table.add_row(*cells, *(_cells(pair) if pair else [""] * 3 if compared else []))
    return table


def _cells(pair: PairedFigures) -> list[str]:
    difference = f"{pair.difference:+.3f}"
    if pair.low is not None and pair.high is not None:
        difference += f" ({pair.low:+.3f} to {pair.high:+.3f})"
    if pair.won is None or pair.p is None:
        return [difference, "", ""]
    return [difference, f"{pair.won}, {pair.lost}", f"{pair.p:.3g}"]


def write_results(file: Path, results: Sequence[ItemResult]) -> None:
    """Append results to a file, a line each, behind what a kill left of one."""
    text = file.read_bytes()[-1:] if file.is_file() else b""
    with file.open("a", encoding="utf-8", errors="backslashreplace") as lines:
        lines.write("\n" if text not in (b"", b"\n") else "")
        for result in results:
            lines.write(json.dumps(asdict(result), ensure_ascii=False) + "\n")


def read_results(file: Path) -> dict[str, ItemResult]:
    """Return the results of a file by id; a line that a kill cut off is none."""
    if not file.is_file():
        return {}
    # By bytes: a kill may cut a line in the middle of a character.
    lines = (_values(line) for line in file.read_bytes().split(b"\n"))
    return {str(values["id"]): ItemResult(**values) for values in lines if values}


def _values(line: bytes) -> dict[str, Any] | None:
    try:
        values = json.loads(line) if line else None
    except ValueError:
        return None
    return values if isinstance(values, dict) and values.keys() == _KEYS else None
