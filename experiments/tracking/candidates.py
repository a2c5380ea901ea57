"""Candidate methods in MLflow: a child run for each, with its text and its dev verdicts."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from autoevol.experiments.tracking.store import Store, log_metrics, log_params, log_table
from autoevol.experiments.tracking.tables import verdict_rows
from autoevol.metrics import count_by_rule
from autoevol.program.records import Candidate, Evaluation
from autoevol.signatures import Method, to_markdown

_USAGE = ("calls", "tokens_in", "tokens_out", "tokens_cached")


@dataclass(frozen=True, slots=True)
class CandidateRuns:
    """The child runs of a run.

    Attributes:
        optimizer_temperature: Of proposals that name none of their own.
    """

    store: Store
    parent_id: str
    optimizer_temperature: float | None

    def record_initial(self, evaluation: Evaluation) -> None:
        """Record the initial method; it belongs to no step."""
        self._record("initial", {"step": -1}, evaluation.method, evaluation)

    def record(self, candidate: Candidate) -> None:
        """Record a candidate of a step, also one that was rejected before it was measured."""
        params = {
            "step": candidate.step,
            "candidate": candidate.index,
            "parent_method": candidate.parent.id,
            "operator": candidate.operator,
            "is_pruned": candidate.is_pruned,
            "verdict": candidate.verdict,
            "temperature": candidate.temperature or self.optimizer_temperature,
            "rejected": candidate.rejected or "",
        }
        self._record(
            candidate.id, params, candidate.method, candidate.evaluation, candidate.feedback
        )

    def _record(
        self,
        candidate_id: str,
        params: Mapping[str, Any],
        method: Method | None,
        evaluation: Evaluation | None,
        feedback: str = "",
    ) -> None:
        """Record one method, unless an earlier try of the run has finished its child run."""
        existing, client = self._find(candidate_id), self.store.client
        if existing is not None and existing.info.status == "FINISHED":
            return
        run_id = str(existing.info.run_id) if existing is not None else self._create(candidate_id)
        log_params(client, run_id, {**params, "method_id": method.id if method else ""})
        if method:
            client.log_text(run_id, to_markdown(method), "method.md")
        if feedback:
            client.log_text(run_id, feedback, "feedback.txt")
        if evaluation:
            self._log_evaluation(run_id, evaluation)
        # Last: a child run that a kill has left unfinished is recorded anew from its first line on.
        client.set_terminated(run_id)

    def _find(self, candidate_id: str) -> Any | None:
        # Every run has a `step-00-candidate-0`, so the parent belongs to the query.
        query = (
            f"tags.candidate_id = '{candidate_id}' and "
            f"tags.`mlflow.parentRunId` = '{self.parent_id}'"
        )
        runs = self.store.client.search_runs([self.store.experiment_id], query, max_results=1)
        return runs[0] if runs else None

    def _create(self, candidate_id: str) -> str:
        tags = {
            "mlflow.parentRunId": self.parent_id,
            "mlflow.runName": candidate_id,
            "candidate_id": candidate_id,
            "run_kind": "candidate",
        }
        return str(self.store.client.create_run(self.store.experiment_id, tags=tags).info.run_id)

    def _log_evaluation(self, run_id: str, evaluation: Evaluation) -> None:
        log_metrics(self.store.client, run_id, _metrics(evaluation))
        log_table(self.store.client, run_id, verdict_rows(evaluation), "dev_verdicts.json")


def _metrics(evaluation: Evaluation) -> dict[str, float]:
    """Return what the dev rows say of a method; failures by rule are counts of rows."""
    outcomes = evaluation.outcomes
    low, high = evaluation.failure_rate.interval
    reasons = [outcome.reasons for outcome in outcomes if outcome.status == "failed"]
    return {
        "failure_rate": evaluation.failure_rate.rate,
        "failure_rate_low": low,
        "failure_rate_high": high,
        "added_words": evaluation.added_words,
        **{f"failed.{rule}": count for rule, count in count_by_rule(reasons).items()},
        **{name: sum(outcome.row.usage.get(name, 0) for outcome in outcomes) for name in _USAGE},
    }
