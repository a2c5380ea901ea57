"""The figures of checked responses in MLflow: one run for a file with this content."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from autoevol.experiments.tracking.again import reporting
from autoevol.experiments.tracking.config import TrackingConfig
from autoevol.experiments.tracking.store import (
    Store,
    log_files,
    log_metrics,
    log_params,
    log_table,
    open_store,
)
from autoevol.experiments.verification.response_checks import CheckedRow


def track_checks(
    config: TrackingConfig,
    file: Path,
    rows: Sequence[CheckedRow],
    figures: Mapping[str, Any],
    folder: Path,
    say: Callable[[str], None],
) -> None:
    """Log the figures, a table of rows and the files; the same content adds nothing."""
    with reporting(say, "the files are written"):
        store = open_store(config)
        digest = hashlib.sha256(file.read_bytes()).hexdigest()[:32] if file.is_file() else str(file)
        run = store.find("check_key", digest) or _created(store, file, digest)
        client, run_id = store.client, str(run.info.run_id)
        if not run.data.params:
            log_params(client, run_id, {"file": str(file), "sha256": digest})
        log_metrics(client, run_id, _metrics(figures))
        log_table(client, run_id, [_cells(row) for row in rows], "checked.json")
        log_files(client, run_id, [folder / "checks.jsonl", folder / "checks.json"])
        client.set_terminated(run_id)


def _created(store: Store, file: Path, digest: str) -> Any:
    tags = {"run_kind": "check", "check_key": digest}
    name = f"check {file.stem}"
    return store.client.create_run(store.experiment_id, tags=tags, run_name=name)


def _metrics(figures: Mapping[str, Any]) -> dict[str, float]:
    """Return the four accuracies with their ends, the kinds' strict ones, and the counts."""
    metrics: dict[str, float] = {}
    for name, figure in figures.items():
        if name == "by_kind":
            kinds = {f"check_kind.{kind}": own["strict"]["value"] for kind, own in figure.items()}
            metrics |= {key: value for key, value in kinds.items() if value is not None}
        elif not isinstance(figure, Mapping):
            metrics[f"check.{name}"] = float(figure)
        elif figure["value"] is not None:
            ends = {f"check.{name}_{end}": figure[end] for end in ("low", "high")}
            metrics |= {f"check.{name}": figure["value"], **ends}
    return metrics


def _cells(row: CheckedRow) -> dict[str, Any]:
    broken = [finding.check.kind for finding in row.findings if finding.strict is False]
    problems = [finding.problem for finding in row.findings if finding.problem]
    why = row.problem or "; ".join(problems)
    return {
        "id": row.id,
        "strict": row.strict,
        "loose": row.loose,
        "broken": broken,
        "problem": why,
    }
