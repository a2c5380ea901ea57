"""`autoevol metric-check`: every rule set against rows that people have labelled."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.table import Table

from metrics import RULE_SETS, Case, broken, compose
from program.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Labelled:
    """A case and what its reader said."""

    case: Case
    failed: bool
    kinds: tuple[str, ...]


def check_rule_sets(file: Path) -> dict[str, dict[str, Any]]:
    """Return precision, recall and more of each rule set; rules for a judge model are left out.

    Raises:
        ConfigError: Names the file and the line.
    """
    rows = [
        _labelled(f"{file}:{n}", line) for n, line in enumerate(_lines(file), 1) if line.strip()
    ]
    if not rows:
        raise ConfigError(str(file), "holds no rows")
    return {name: _figures(name, rows) for name in RULE_SETS}


def table(found: dict[str, dict[str, Any]]) -> Table:
    """Return the figures as a table."""
    columns = ["precision", "recall", "specificity", "balanced_accuracy", "f1"]
    shown = Table("rule set", *columns)
    for name, figures in found.items():
        shown.add_row(name, *("–" if figures[c] is None else f"{figures[c]:.2f}" for c in columns))
    return shown


def _lines(file: Path) -> list[str]:
    try:
        return file.read_text("utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(str(file), f"cannot be read: {error}") from error


def _labelled(place: str, line: str) -> Labelled:
    try:
        row = json.loads(line)
        case = Case(row["seed"], row["evolved"], row.get("response"), row.get("raw") or "")
        failed = bool(row["failed"] or row.get("response_failed"))
    except (json.JSONDecodeError, KeyError, TypeError) as error:
        raise ConfigError(place, f"is no labelled row: {error!r}") from error
    kinds = (*(row.get("kinds") or ()), *(row.get("response_kinds") or ()))
    return Labelled(case, failed, kinds)


def _is_flagged(name: str, case: Case) -> bool:
    evolved = Case(case.source, case.evolved, None, case.raw)
    found = broken(compose([name], "evolve"), evolved)
    if case.response is not None:
        found += broken(compose([name], "respond"), case)
    return bool(found)


def _figures(name: str, rows: Sequence[Labelled]) -> dict[str, Any]:
    flagged = [_is_flagged(name, row.case) for row in rows]
    pairs = list(zip(flagged, rows, strict=True))
    hit = sum(flag and row.failed for flag, row in pairs)
    false_alarm = sum(flag and not row.failed for flag, row in pairs)
    missed = sum(not flag and row.failed for flag, row in pairs)
    passed = len(rows) - hit - false_alarm - missed
    recall, specificity = _share(hit, hit + missed), _share(passed, passed + false_alarm)
    both = recall is not None and specificity is not None
    return {
        "precision": _share(hit, hit + false_alarm),
        "recall": recall,
        "specificity": specificity,
        "balanced_accuracy": ((recall or 0) + (specificity or 0)) / 2 if both else None,
        "f1": _share(2 * hit, 2 * hit + false_alarm + missed),
        "rows": len(rows),
        "recall_by_kind": _by_kind(pairs),
    }


def _by_kind(pairs: Sequence[tuple[bool, Labelled]]) -> dict[str, float | None]:
    kinds = sorted({kind for _, row in pairs for kind in row.kinds})
    return {
        kind: _share(
            sum(flag for flag, row in pairs if kind in row.kinds),
            sum(kind in row.kinds for _, row in pairs),
        )
        for kind in kinds
    }


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
