"""Rows that show what a run made: a text before and after."""

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from autoevol.experiments.artifacts.labels.keys import response_of, text_of
from autoevol.experiments.artifacts.row_files import EVOLVED, FAILURES
from autoevol.experiments.files.reading import read_rows
from autoevol.experiments.report.reservoir import Reservoir

COUNT = 3


@dataclass(frozen=True, slots=True)
class Example:
    """A kept row.

    Attributes:
        id: Of the row.
        before: The seed; "": the row was answered as it is.
        after: What became of it, the last round's text.
        response: "": the row has none.
    """

    id: str
    before: str
    after: str
    response: str


def examples_in(folder: Path, *, count: int = COUNT, seed: int = 0) -> list[Example]:
    """Return `count` kept rows drawn at random, in the order of the file.

    Rows under suspicion and rows that a filter took out are drawn only if there are no others.

    Args:
        folder: The run's.
        count: How many rows.
        seed: Of the draw; the same seed draws the same rows.
    """
    file = folder / EVOLVED
    if not file.is_file():
        return []
    rows = _drawn(filter(_is_sound, read_rows(file)), count, seed)
    return [_example(row) for row in rows or _drawn(read_rows(file), count, seed)]


@dataclass(frozen=True, slots=True)
class LostRow:
    """A row that failed.

    Attributes:
        before: The seed.
        after: What became of it.
        reasons: The rules that it broke with what was found, those that failed most rows first.
    """

    before: str
    after: str
    reasons: tuple[tuple[str, str], ...]


def lost_in(folder: Path, *, first: Sequence[str] = (), count: int = COUNT) -> list[LostRow]:
    """Return the first rows that failed.

    Args:
        folder: The run's.
        first: Rules that are named before others.
        count: How many rows.
    """
    file = folder / FAILURES
    if not file.is_file():
        return []
    rows = islice((row for row in read_rows(file) if row.get("reasons")), count)
    order = {rule: place for place, rule in enumerate(first)}
    return [
        LostRow(
            row.get("origin") or "",
            "" if row.get("round") == 0 else text_of(row),
            tuple(
                (reason["rule"], reason["evidence"])
                for reason in sorted(
                    row["reasons"], key=lambda reason: order.get(reason["rule"], len(order))
                )
            ),
        )
        for row in rows
    ]


def _drawn(rows: Iterable[Mapping[str, Any]], count: int, seed: int) -> list[Mapping[str, Any]]:
    sample = Reservoir[Mapping[str, Any]](random.Random(seed), count)
    for number, row in enumerate(rows):
        sample.add(number, row)
    return sample.in_order()


def _is_sound(row: Mapping[str, Any]) -> bool:
    return not row.get("suspected_by") and not row.get("filtered_by")


def _example(row: Mapping[str, Any]) -> Example:
    before = "" if row.get("round") == 0 else row.get("origin") or ""
    return Example(row["id"], before, text_of(row), response_of(row))
