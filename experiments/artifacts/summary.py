"""The figures of a finished run, as `summary.json` holds them."""

import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from autoevol.experiments.files.records import read_object
from autoevol.experiments.models.budget import Totals
from autoevol.metrics import FailureRate, Pairs, pairs
from autoevol.program.errors import ConfigError
from autoevol.program.records import Evaluation, FinalChoice, RoundCount, Status, StepRecord

SUMMARY = "summary.json"


@dataclass
class Findings:
    """What a run has found so far; filled phase by phase.

    Attributes:
        initial: The initial method on the dev rows.
        headroom: Why the search was skipped; None when it was not.
        choice: The second look; None when there was none.
        filtered: Kept rows that each filter took out.
        prefix_hits: Share of the method's prompt tokens that came from the prefix cache in the
            bulk phase, in [0, 1]; None when the search had made all of its calls already.
    """

    started: float = field(default_factory=time.monotonic)
    initial: FailureRate | None = None
    headroom: str | None = None
    steps: list[StepRecord] = field(default_factory=list)
    choice: FinalChoice | None = None
    heldout_initial: Evaluation | None = None
    heldout_best: Evaluation | None = None
    rounds: list[RoundCount] = field(default_factory=list)
    by_method: dict[str, Counter[Status]] = field(default_factory=dict)
    filtered: Mapping[str, int] = field(default_factory=dict)
    prefix_hits: float | None = None
    best_method_id: str | None = None

    @property
    def best(self) -> FailureRate | None:
        """The best method on the dev rows; flattered, since they chose it."""
        if self.choice:
            return self.choice.best.failure_rate
        return self.steps[-1].best.failure_rate if self.steps else self.initial

    @property
    def has_gain(self) -> bool:
        """Whether the best method fails less than the initial one on the held-out rows.

        Or as often, and adds more; or whether no row could be scored under both, so that the
        second look's word stands.
        """
        found, before, after = self._heldout_pairs, self.heldout_initial, self.heldout_best
        if not (found and before and after and found.shared):
            return True
        is_tied = found.difference == 0 and after.added_words > before.added_words
        return found.difference < 0 or is_tied

    @property
    def no_gain(self) -> str:
        """Say in words that the best method is not better on the held-out rows."""
        found = self._heldout_pairs
        told = f"mended {found.won} rows and broke {found.lost}" if found else "was not measured"
        return f"the best method is not better on held-out rows: it {told}"

    @property
    def _heldout_pairs(self) -> Pairs | None:
        before, after = self.heldout_initial, self.heldout_best
        return pairs(after.verdicts, before.verdicts) if before and after else None


def summarise(
    findings: Findings, totals: Totals, *, rows_in: int, mlflow_run_id: str | None, resumed: bool
) -> dict[str, Any]:
    """Return the contract's figures."""
    rounds = findings.rounds
    return {
        "rows_in": rows_in,
        "rows_out": sum(count.kept for count in rounds),
        "rows_failed": sum(count.failed for count in rounds),
        "rows_unscored": sum(count.unscored for count in rounds),
        "rounds": [asdict(count) for count in rounds],
        "rows_filtered": dict(findings.filtered),
        "attempts_by_method": {
            name: dict(tally) for name, tally in sorted(findings.by_method.items())
        },
        "failure_rate_initial": rate_of(findings.initial),
        "failure_rate_best": rate_of(findings.best),
        "failure_rate_heldout_initial": _heldout(findings.heldout_initial),
        "failure_rate_heldout_best": _heldout(findings.heldout_best),
        "heldout_verdict": heldout_verdict(findings),
        "search_skipped": findings.headroom,
        "second_look": _second_look(findings.choice),
        "steps": len(findings.steps),
        "accepted_steps": sum(step.is_accepted for step in findings.steps),
        "calls": totals.calls.total(),
        "calls_by_role": dict(totals.calls),
        "calls_replayed": totals.replayed,
        "calls_discarded": totals.discarded.total(),
        "faults": dict(totals.faults),
        "tokens_in": totals.tokens_in,
        "tokens_out": totals.tokens_out,
        "tokens_cached": totals.tokens_cached,
        "method_tokens_cached": findings.prefix_hits,
        "cost_usd": None if totals.unpriced else round(totals.cost_usd, 6),
        "wall_s": round(time.monotonic() - findings.started, 1),
        "best_method_id": findings.best_method_id,
        "mlflow_run_id": mlflow_run_id,
        "resumed": resumed,
    }


def rate_of(rate: FailureRate | None) -> dict[str, Any] | None:
    """Return a failure rate with its 95 % interval as plain data."""
    if rate is None:
        return None
    low, high = rate.interval
    return {
        "rate": round(rate.rate, 4),
        "low": round(low, 4),
        "high": round(high, 4),
        "failed": rate.failed,
        "scored": rate.scored,
    }


def heldout_verdict(findings: Findings) -> str | None:
    """Say in words whether the best method is better on rows that did not choose it."""
    before, after = findings.heldout_initial, findings.heldout_best
    if before is None or after is None:
        return None
    if before.method.id == after.method.id:
        return "the initial method stays"
    if before.failure_rate.overlaps(after.failure_rate):
        return "too few rows to tell"
    better = after.failure_rate.rate < before.failure_rate.rate
    return "the best method is better" if better else "the best method is worse"


def _second_look(choice: FinalChoice | None) -> list[dict[str, Any]] | None:
    """Return the contenders of the second look, the initial method first."""
    if choice is None or not choice.finalists:
        return None
    first = {"method": choice.initial.method.name, "fresh": rate_of(choice.initial.failure_rate)}
    others = [
        {
            "method": each.dev.method.name,
            "dev": rate_of(each.dev.failure_rate),
            "fresh": rate_of(each.fresh.failure_rate),
            "verdict": each.preference.why,
            "is_best": each.dev.method.id == choice.best.method.id,
        }
        for each in choice.finalists
    ]
    return [first, *others]


def _heldout(evaluation: Evaluation | None) -> dict[str, Any] | None:
    return rate_of(evaluation.failure_rate) if evaluation else None


_NUMBERS = (
    *("rows_in", "rows_out", "rows_failed", "rows_unscored"),
    *("calls", "tokens_in", "tokens_out", "wall_s"),
)
_OF_A_ROUND = ("round", "entered", "kept", "failed", "unscored")


def read_summary(folder: Path) -> dict[str, Any]:
    """Return a finished run's figures.

    Raises:
        ConfigError: The file is damaged.
    """
    file = folder / SUMMARY
    tree = read_object(file)
    _check_numbers(tree, _NUMBERS, str(file))
    rounds = tree.get("rounds")
    if not isinstance(rounds, list) or not all(isinstance(each, dict) for each in rounds):
        raise ConfigError(f"{file}: rounds", "must be a list of objects")
    for number, each in enumerate(rounds):
        _check_numbers(each, _OF_A_ROUND, f"{file}: rounds[{number}]")
    return tree


def _check_numbers(tree: Mapping[str, Any], names: tuple[str, ...], where: str) -> None:
    for name in names:
        if not isinstance(tree.get(name), int | float):
            raise ConfigError(where, f"{name} must be a number, is {str(tree.get(name))[:80]!r}")
