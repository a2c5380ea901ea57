"""Checked responses and verified sets in MLflow: one run for each content or folder."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from autoevol.experiments.tracking.again import reporting
from autoevol.experiments.tracking.config import TrackingConfig
from autoevol.experiments.tracking.naming.metrics import bounded, with_interval
from autoevol.experiments.tracking.naming.runs import placed
from autoevol.experiments.tracking.store import Record
from autoevol.experiments.verification.planning import VerificationPlan
from autoevol.experiments.verification.response_checks import CheckedRow
from autoevol.experiments.verification.results import pass_rates
from autoevol.program.verification.pipeline import VerifiedSet

Say = Callable[[str], None]


def track_checks(
    config: TrackingConfig,
    file: Path,
    rows: Sequence[CheckedRow],
    figures: Mapping[str, Any],
    folder: Path,
    say: Say,
) -> None:
    """Log the figures of checked responses, a table of rows and the files."""
    with reporting(say, "the files are written"):
        key = _digest(file)
        Record(
            kind="check",
            key=key,
            name=placed(f"check {file.stem}", folder),
            params={"file": str(file), "sha256": key},
            metrics=_check_metrics(figures),
            tables={"checked.json": [_cells(row) for row in rows]},
            files=[folder / "checks.jsonl", folder / "checks.json"],
        ).log(config)


def _digest(file: Path) -> str:
    """Return what a file holds, as a key; of a folder, its path."""
    content = file.read_bytes() if file.is_file() else str(file.resolve()).encode()
    return hashlib.sha256(content).hexdigest()[:32]


def _check_metrics(figures: Mapping[str, Any]) -> dict[str, float]:
    """Return the four accuracies with their ends and the counts, then the kinds' strict ones."""
    metrics: dict[str, float] = {}
    for name, figure in figures.items():
        own = figure if isinstance(figure, Mapping) else {"value": figure}
        metrics |= with_interval(f"check/{name}", own) if name != "by_kind" else {}
    kinds = {f"check_kind/{kind}": own["strict"] for kind, own in figures["by_kind"].items()}
    strict = {name: own["value"] for name, own in kinds.items() if own["value"] is not None}
    return bounded(metrics, strict)


def _cells(row: CheckedRow) -> dict[str, Any]:
    broken = [finding.check.kind for finding in row.findings if finding.strict is False]
    problems = [finding.problem for finding in row.findings if finding.problem]
    return {
        "id": row.id,
        "strict": row.strict,
        "loose": row.loose,
        "broken": broken,
        "problem": row.problem or "; ".join(problems),
    }


def track_set(
    config: TrackingConfig,
    plan: VerificationPlan,
    verified: VerifiedSet,
    files: Sequence[Path],
    say: Say,
    parent: str | None = None,
) -> None:
    """Log the funnel of a verified set, its pass rates, a table of constraints and the files."""
    models = plan.config.models
    with reporting(say, "the files are written"):
        Record(
            kind="verify",
            key=_set_key(plan),
            name=placed("verify", plan.config.folder),
            params={
                "evolver": models.evolver.model,
                "responder": models.responder.model,
                "judge": models.judge.model if plan.judges else "none",
                **{key: str(value) for key, value in plan.section.model_dump().items()},
            },
            metrics=_set_metrics(verified),
            tables={"constraints_table.json": _constraint_rows(verified)},
            files=files,
            parent=parent,
        ).log(config)


def _set_key(plan: VerificationPlan) -> str:
    """Return a key of the folder and the settings: other settings make another set."""
    content = [str(plan.folder.resolve()), plan.section.model_dump_json()]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:32]


def _set_metrics(verified: VerifiedSet) -> dict[str, float]:
    funnel = {f"funnel/{count.stage}_{count.unit}": float(count.left) for count in verified.funnel}
    accuracy = verified.fitness.overall.balanced_accuracy if verified.fitness else None
    if accuracy:
        funnel["exam/contradiction"] = accuracy.value
    rates = pass_rates(verified.tasks)
    return bounded(funnel, {f"pass_rate/{kind}": rate["value"] for kind, rate in rates.items()})


def _constraint_rows(verified: VerifiedSet) -> list[dict[str, Any]]:
    return [
        {
            "id": constraint.id,
            "constraint": constraint.text,
            "source": constraint.source,
            "functions": len(constraint.functions),
            "cases": len(constraint.cases),
            "lost_at": constraint.lost_at,
            "reason": constraint.reason,
        }
        for constraint in verified.constraints
    ]
