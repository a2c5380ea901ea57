"""Constraints that passed the stages of `autoevol verify`, with the checks that code makes."""

from typing import Any

from autoevol.experiments.files.paths import local_path
from autoevol.experiments.files.reading import read_lines
from autoevol.experiments.files.records import Record
from autoevol.program.checks.check import CODE, Check, CheckError, checks_of
from autoevol.program.errors import ConfigError

_LONGEST = 2_000
"""Characters of a constraint in words, which each row gets."""


def read_constraints(name: str, key: str) -> tuple[tuple[Check, ...], ...]:
    """Return the checks of each constraint in a set's `constraints.jsonl` that was not lost.

    Args:
        name: The file.
        key: What named it, for messages.

    Raises:
        ConfigError: There is no such file, a line is no constraint, or all were lost.
    """
    file = local_path(name, key)
    if not file.is_file():
        raise ConfigError(
            key, f"there is no file {name}; `autoevol verify` writes constraints.jsonl"
        )
    constraints = [_checks(record) for record in read_lines(file)]
    left = tuple(checks for checks in constraints if checks)
    if not left:
        raise ConfigError(key, f"{name} holds no constraint that passed all stages")
    return left


def _checks(record: Record) -> tuple[Check, ...]:
    """Return the checks of a constraint; none, if it was lost."""
    row = record.value
    if row.get("lost_at"):
        return ()
    text, functions = row.get("text"), row.get("functions")
    if not isinstance(text, str) or not text.strip():
        raise record.error("text", "must be the constraint in words")
    if len(text) > _LONGEST:
        raise record.error("text", f"has more than {_LONGEST:,} characters")
    if not (isinstance(functions, list) and functions):
        raise record.error("functions", "must be the list of its verifiers")
    own: list[dict[str, Any]] = [{"kind": CODE, "code": code, "text": text} for code in functions]
    try:
        check = row.get("check")
        return tuple(checks_of([{**check, "text": text}] if isinstance(check, dict) else own))
    except CheckError as error:
        raise ConfigError(record.place, str(error)) from error
