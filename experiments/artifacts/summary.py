"""The figures of a finished run, as `summary.json` holds them."""

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from autoevol.experiments.files.reading import read_object
from autoevol.experiments.models.budget import Totals
from autoevol.metrics import FailureRate, Pairs, pairs
from autoevol.program.errors import ConfigError
from autoevol.program.records import Evaluation, FinalChoice, RoundCount, Status, StepRecord
from autoevol.signatures import Method

SUMMARY = "summary.json"


@dataclass(frozen=True, slots=True)
class HeldoutTest:
    """The initial and the best method on held-out rows, which had no part in the choice.

    Attributes:
        best: The same evaluation as `initial` where the search kept the initial method.
    """

    initial: Evaluation
    best: Evaluation

    @property
    def has_gain(self) -> bool:
        """Whether the best method fails less than the initial one, or as often and adds more.

        Also true where no row was scored under both: then the choice on the dev rows stands.
        """
        # On the rows that were scored under both: the two rates may be of different rows.
        pairing = self._pairs
        is_tied = pairing.difference == 0 and self.best.added_words > self.initial.added_words
        return not pairing.shared or pairing.difference < 0 or is_tied

    @property
    def no_gain(self) -> str:
        """A sentence that the best method is not better, with its wins and losses."""
        return (
            f"the best method is not better on held-out rows: it won {self._pairs.won} rows and "
            f"lost {self._pairs.lost} against the initial method"
        )

    @property
    def verdict(self) -> str:
        """A phrase that says which of the two methods is better."""
        if self.initial.method.id == self.best.method.id:
            return "the initial method stays"
        if not (self.initial.failure_rate.failed or self.best.failure_rate.failed):
            return "neither method fails a row"
        if self.initial.failure_rate.overlaps(self.best.failure_rate):
            return "too few rows to tell"
        is_better = self.best.failure_rate.rate < self.initial.failure_rate.rate
        return "the best method is better" if is_better else "the best method is worse"

    @property
    def _pairs(self) -> Pairs:
        return pairs(self.best.verdicts, self.initial.verdicts)


@dataclass(frozen=True, slots=True)
class SearchResult:
    """What a search has measured.

    Attributes:
        initial: The initial method on the dev rows; None when it was not measured there.
        skipped: Why the search was skipped; None when it was not.
        steps: In order.
        choice: The confirmation on fresh rows; None when there was none.
        heldout: None without held-out rows.
        fresh_checks: Accepted methods on fresh rows beside the finalists, by their ids.
        heldout_checks: Accepted methods on held-out rows beside the best one, by their ids.
        importances: How much each knob of the proposals mattered, in [0, 1].
        best_id: Id of the method that the search ended with.
    """

    initial: FailureRate | None = None
    skipped: str | None = None
    steps: Sequence[StepRecord] = ()
    choice: FinalChoice | None = None
    heldout: HeldoutTest | None = None
    importances: Mapping[str, float] = field(default_factory=dict)
    fresh_checks: Mapping[str, FailureRate] = field(default_factory=dict)
    heldout_checks: Mapping[str, FailureRate] = field(default_factory=dict)
    best_id: str = ""

    @property
    def accepted(self) -> list[StepRecord]:
        """The steps whose best method took the incumbent's place."""
        return [step for step in self.steps if step.is_accepted]

    @property
    def fresh_rates(self) -> dict[str, FailureRate]:
        """Failure rates on fresh rows, by the method's id."""
        choice = self.choice
        rates = {f.dev.method.id: f.fresh.failure_rate for f in choice.finalists} if choice else {}
        if choice and choice.finalists:
            rates[choice.initial.method.id] = choice.initial.failure_rate
        return {**self.fresh_checks, **rates}

    @property
    def heldout_rates(self) -> dict[str, FailureRate]:
        """Failure rates on held-out rows, by the method's id."""
        tests = (self.heldout.initial, self.heldout.best) if self.heldout else ()
        return {**self.heldout_checks, **{e.method.id: e.failure_rate for e in tests}}

    @property
    def best(self) -> FailureRate | None:
        """The best method on the dev rows, which flatter it: they chose it."""
        # The confirmation may prefer another finalist than the last incumbent.
        if self.choice:
            return self.choice.best.failure_rate
        # Without fresh rows a gain that the dev rows do not prove is not kept either.
        evaluations = [e for step in self.steps for e in (step.incumbent, step.best)]
        rates = {e.method.id: e.failure_rate for e in evaluations}
        return rates.get(self.best_id, evaluations[-1].failure_rate if rates else self.initial)


@dataclass(frozen=True, slots=True)
class BulkResult:
    """Where the rows of the bulk phase went.

    Attributes:
        by_method: Attempts by their outcome, by the method's name.
        surplus: Kept rows beyond the number that was asked for.
        prefix_hits: Share of the method's prompt tokens that came from the prefix cache, in
            [0, 1]; None when all calls came from the ledger.
    """

    rounds: Sequence[RoundCount] = ()
    by_method: Mapping[str, Counter[Status]] = field(default_factory=dict)
    prefix_hits: float | None = None
    surplus: int = 0


@dataclass(frozen=True, slots=True)
class RunResult:
    """What the phases of a run have measured.

    Attributes:
        methods: Those that were applied, or are to be, the best first.
        filtered: Rows that each filter took out, by its name.
        teach_abstains: Why the rules of stage `teach` decided nothing; "": they did, or are none.
    """

    methods: Sequence[Method]
    search: SearchResult = field(default_factory=SearchResult)
    bulk: BulkResult = field(default_factory=BulkResult)
    filtered: Mapping[str, int] = field(default_factory=dict)
    teach_abstains: str = ""


def summarise(
    result: RunResult,
    totals: Totals,
    *,
    started: float,
    rows_in: int,
    rows_rejected: int,
    resumed: bool,
) -> dict[str, Any]:
    """Return the contract's figures.

    Args:
        result: Of the phases.
        totals: Calls and tokens, those of earlier tries included.
        started: When this try began, by `time.monotonic`.
        rows_in: The seeds.
        rows_rejected: Records of their source that make no row.
        resumed: Whether an earlier try of the same run left its ledger.
    """
    return {
        "rows_in": rows_in,
        "rows_rejected": rows_rejected,
        **_row_figures(result),
        **_search_figures(result.search),
        **_call_figures(totals),
        "method_tokens_cached": result.bulk.prefix_hits,
        # The sum would lack the calls without a price, and look like the whole cost.
        "cost_usd": None if totals.unpriced else round(totals.cost_usd, 6),
        "cost_usd_known": round(totals.cost_usd, 6),
        "wall_s": round(time.monotonic() - started, 1),
        "best_method_id": result.methods[0].id,
        "mlflow_run_id": None,  # known when the tracker has logged these figures
        "resumed": resumed,
    }


def _row_figures(result: RunResult) -> dict[str, Any]:
    rounds, by_method = result.bulk.rounds, result.bulk.by_method
    return {
        "rows_out": sum(count.kept for count in rounds) - result.bulk.surplus,
        "rows_surplus": result.bulk.surplus,
        "rows_failed": sum(count.failed for count in rounds),
        "rows_unscored": sum(count.unscored for count in rounds),
        "rows_suspected": sum(count.suspected for count in rounds),
        "rows_failed_suspected": sum(count.failed_suspected for count in rounds),
        "rows_unknown": sum(count.unknown for count in rounds),
        "teach_abstains": result.teach_abstains or None,
        "rounds": [asdict(count) for count in rounds],
        "rows_filtered": dict(result.filtered),
        "attempts_by_method": {name: dict(tally) for name, tally in sorted(by_method.items())},
    }


def _search_figures(search: SearchResult) -> dict[str, Any]:
    heldout = search.heldout
    return {
        "failure_rate_initial": _rate(search.initial),
        "failure_rate_best": _rate(search.best),
        "failure_rate_heldout_initial": _rate(heldout.initial.failure_rate) if heldout else None,
        "failure_rate_heldout_best": _rate(heldout.best.failure_rate) if heldout else None,
        "heldout_verdict": heldout.verdict if heldout else None,
        "search_skipped": search.skipped,
        "second_look": _confirmation(search.choice),
        "accepted_methods": _accepted(search),
        "steps": len(search.steps),
        "accepted_steps": sum(step.is_accepted for step in search.steps),
    }


def _call_figures(totals: Totals) -> dict[str, Any]:
    return {
        "calls": totals.calls.total(),
        "calls_by_role": dict(totals.calls),
        "calls_replayed": totals.replayed,
        "calls_discarded": totals.discarded.total(),
        "calls_shared": totals.borrowed,
        "calls_unpriced": totals.unpriced,
        "calls_estimated": totals.estimated,
        "faults": dict(totals.faults),
        "tokens_in": totals.tokens_in,
        "tokens_out": totals.tokens_out,
        "tokens_cached": totals.tokens_cached,
    }


def _rate(rate: FailureRate | None) -> dict[str, Any] | None:
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


def _confirmation(choice: FinalChoice | None) -> list[dict[str, Any]] | None:
    """Return the finalists on fresh rows, the initial method first."""
    if choice is None or not choice.finalists:
        return None
    initial = {"method": choice.initial.method.name, "fresh": _rate(choice.initial.failure_rate)}
    finalists = [
        {
            "method": finalist.dev.method.name,
            "dev": _rate(finalist.dev.failure_rate),
            "fresh": _rate(finalist.fresh.failure_rate),
            "verdict": finalist.preference.why,
            "is_best": finalist.dev.method.id == choice.best.method.id,
        }
        for finalist in choice.finalists
    ]
    return [initial, *finalists]


def _accepted(search: SearchResult) -> list[dict[str, Any]]:
    """Return the initial and every accepted method on dev, fresh and held-out rows.

    A rate that falls on dev rows, and not on the others, was fitted to the dev rows.
    """
    if not search.steps:
        return []
    measured = [(0, search.steps[0].incumbent)]
    measured += [(step.step + 1, step.best) for step in search.accepted]
    fresh, heldout = search.fresh_rates, search.heldout_rates
    return [
        {
            "step": step,
            "method": evaluation.method.name,
            "method_id": evaluation.method.id,
            "dev": _rate(evaluation.failure_rate),
            "fresh": _rate(fresh.get(evaluation.method.id)),
            "heldout": _rate(heldout.get(evaluation.method.id)),
        }
        for step, evaluation in measured
    ]


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
    if not isinstance(rounds, list) or not all(isinstance(count, dict) for count in rounds):
        raise ConfigError(f"{file}: rounds", "must be a list of objects")
    for number, count in enumerate(rounds):
        _check_numbers(count, _OF_A_ROUND, f"{file}: rounds[{number}]")
    return tree


def _check_numbers(tree: Mapping[str, Any], names: tuple[str, ...], where: str) -> None:
    for name in names:
        if not isinstance(tree.get(name), int | float):
            raise ConfigError(where, f"{name} must be a number, is {str(tree.get(name))[:80]!r}")
