"""Rows of tables for MLflow's UI, which compares runs row by row.

Its view groups by the first column and compares the second. So ids come first, and are the same in
all runs on the same seeds.
"""

from collections.abc import Container, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from autoevol.experiments.files.reading import read_rows
from autoevol.experiments.tracking.store import TABLE_ROWS
from autoevol.program.records import Evaluation

_CHARACTERS = 2000  # of a cell: MLflow's UI loads a table whole
_FILES = {"evolved.jsonl": "kept", "failures.jsonl": "failed"}


def verdict_rows(evaluation: Evaluation) -> list[dict[str, Any]]:
    """Return each dev row with its verdict under a method."""
    return [_line(outcome.as_dict(), outcome.status) for outcome in evaluation.outcomes]


def sample_rows(folder: Path, seed_ids: Sequence[str]) -> list[dict[str, Any]]:
    """Return the rows that a run made from its first seeds, as many as a table takes.

    They are sorted by seed and round, so that runs on the same seeds show the same ones.
    """
    ranks = {seed_id: rank for rank, seed_id in enumerate(seed_ids[:TABLE_ROWS])}
    lines = list(_lines(folder, ranks))
    lines.sort(key=lambda line: (ranks[line["seed_id"]], line["round"], line["id"]))
    return lines[:TABLE_ROWS]


def _lines(folder: Path, seed_ids: Container[str]) -> Iterator[dict[str, Any]]:
    for name, verdict in _FILES.items():
        for row in read_rows(folder / name):
            if row["seed_id"] in seed_ids:
                yield _line(row, verdict)


def _line(row: Mapping[str, Any], verdict: str) -> dict[str, Any]:
    reasons = row.get("reasons") or []
    return {
        "id": row["id"],
        "verdict": verdict,
        "instruction": _cut(row["instruction"]),
        "rules": ", ".join(str(reason["rule"]) for reason in reasons),
        "evidence": _cut("; ".join(str(reason["evidence"]) for reason in reasons)),
        "seed": _cut(row["origin"]),
        "response": _cut(row["response"]),
        "raw": _cut(row.get("raw") or ""),
        "method": row["method"],
        "round": row["round"],
        "seed_id": row["seed_id"],
    }


def _cut(text: str) -> str:
    return text if len(text) <= _CHARACTERS else text[:_CHARACTERS] + "…"
