"""The error that lists all records of a data set that make no row, grouped by their fault."""

import re
from collections.abc import Sequence

from autoevol.experiments.files.records import Rejected
from autoevol.program.errors import ConfigError

_SHOWN = 10
"""Places that are named of each fault."""

_PARTICULARS = re.compile(r"'[^']*'|\"[^\"]*\"|\[\d+\]|\d+")
"""What differs between two records with the same fault."""


def invalid_rows_error(
    rejected: Sequence[Rejected], rows: int, path: str, hint: str
) -> ConfigError:
    """Return the error of a data set that is read whole or not at all.

    Args:
        rejected: At least one.
        rows: Number of records that make a row.
        path: Of the data set.
        hint: How to leave such records out; "": there is no way.
    """
    if len(rejected) == 1:
        return rejected[0].error
    total = rows + len(rejected)
    problem = f"{len(rejected):,} of {total:,} records make no row{f'; {hint}' if hint else ''}"
    return ConfigError(path, problem, [_line(group, path) for group in _grouped(rejected)])


def no_usable_row_error(rejected: Sequence[Rejected], path: str) -> ConfigError:
    """Return the error of a data set of which nothing is left."""
    return ConfigError(path, f"holds no row that can be used; the first: {rejected[0].error}")


def _line(group: Sequence[Rejected], path: str) -> str:
    places = ", ".join(_short(item.place, path) for item in group[:_SHOWN])
    tail = ", …" if len(group) > _SHOWN else ""
    return f"{len(group):,} × {group[0].problem}: {places}{tail}"


def _grouped(rejected: Sequence[Rejected]) -> list[list[Rejected]]:
    """Return the records with the same fault together, the commonest fault first."""
    groups: dict[str, list[Rejected]] = {}
    for item in rejected:
        groups.setdefault(_PARTICULARS.sub("_", item.problem), []).append(item)
    return sorted(groups.values(), key=len, reverse=True)


def _short(place: str, path: str) -> str:
    """Return a place without the path, which the error has already."""
    return place.removeprefix(path).lstrip(": ") or place
