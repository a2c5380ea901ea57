"""The files that the scripts of joonavel's two systems read and write, made of a run.

`koevol.json` is `whole_generations.json` with its answers, `koevol_failures.json` is
`failures.json`; `auto_evol.json` is the result file of auto-evol-instruct. All hold every row,
those without an answer too ("IDK"), and name for every row the seed that its lineage began with.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from autoevol.experiments.data.formats.catalogue import FORMATS
from autoevol.experiments.data.formats.joonavel import koevol_trace
from autoevol.experiments.data.formats.rows import RowDict, prompt_of
from autoevol.experiments.data.formats.target import write_rows, write_split

FILES = ("koevol", "koevol_failures", "auto_evol")
_FAILURE = ("parent", "child", "generation", "root", "trace", "origin")


def check_traces(rows: Sequence[RowDict], failures: Iterator[RowDict]) -> None:
    """Return, or raise where koevol's files cannot hold a row.

    Raises:
        ConfigError: A method in the row's trace has no digit.
    """
    for row in (*rows, *failures):
        koevol_trace(row)


def write_joonavel(
    name: str,
    target: Path,
    rows: Iterator[RowDict],
    failures: Iterator[RowDict],
    ancestors: Sequence[RowDict],
) -> int:
    """Write one of the files, and return the number of its rows.

    Args:
        name: One of `FILES`.
        target: The file.
        rows: The rows to export, in canonical order.
        failures: The rows that failed.
        ancestors: All rows that another may come from: the seeds and the kept rows.

    Raises:
        ConfigError: A method in a row's trace has no digit.
    """
    by_id = {row["id"]: row for row in ancestors}
    if name == "koevol_failures":
        rejected = (row for row in failures if row["failed_at"] == "evolve")
        return write_split(target, (_failure(row, by_id) for row in rejected), _FAILURE)
    return write_rows(target, (_with_origin(row, by_id) for row in rows), FORMATS[name])


def _failure(row: RowDict, by_id: Mapping[str, RowDict]) -> dict[str, Any]:
    parent = by_id.get(row["parent_id"] or "")
    return {
        "parent": prompt_of(parent) if parent else row["origin"],
        "child": row["instruction"] or row["raw"],
        "generation": len(row["trace"]),
        "root": row["root"],
        "trace": koevol_trace(row),
        "origin": _with_origin(row, by_id)["origin"],
    }


def _with_origin(row: RowDict, by_id: Mapping[str, RowDict]) -> RowDict:
    """Return a row whose origin is the text of the seed that its lineage began with.

    Our own lineages begin anew where a breadth method was applied; theirs do not.
    """
    first = row
    while parent := by_id.get(first["parent_id"] or ""):
        first = parent
    return {**row, "origin": first["origin"] or prompt_of(first)}
