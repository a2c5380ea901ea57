"""Kept rewrites that the strict rules find fault with, whatever rules the run itself went by."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from autoevol.experiments.config.experiment import load_config
from autoevol.experiments.data.seeds import load_seeds
from autoevol.metrics import Case, broken, compose
from autoevol.signatures import shipped_methods


def flagged(folder: Path, kept: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the rows that fail against the row that they were made from.

    Args:
        folder: Of the run.
        kept: Rows of its `evolved.jsonl`, parents included.
    """
    config = load_config(folder / "config.yaml")
    seeds = load_seeds(config, str(folder / "config.yaml"))
    text = {row.id: row.instruction for row in seeds} | {r["id"]: r["instruction"] for r in kept}
    rules = compose(["strict"], "evolve")
    kinds = {method.name: method.kind for method in shipped_methods().values()}
    return [
        row
        for row in kept
        if row["parent_id"] in text
        and broken(
            rules,
            Case(
                source=text[row["parent_id"]],
                evolved=row["instruction"],
                method_kind=kinds.get(row["method"], "depth"),
            ),
        )
    ]
