"""Rows of `evolved.jsonl` drawn at random, each with its way from the seed, in one pass."""

import random
from array import array
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from autoevol.experiments.files.records import parsed
from autoevol.experiments.report.word_diff import Piece, marked
from autoevol.metrics.text.wording import words
from autoevol.program.errors import ConfigError

DRAWN = 20
_TEXTS = ("id", "seed_id", "origin", "instruction")


@dataclass(frozen=True, slots=True)
class LineageStage:
    """A row's text at one point of its way.

    Attributes:
        round: 0 is the seed.
        method: That made the text; None for a seed.
        pieces: The text, with what is new against the stage before.
    """

    round: int
    method: str | None
    pieces: Sequence[Piece]


@dataclass(frozen=True, slots=True)
class RowHistory:
    """A row and how it came to be.

    Attributes:
        row: As `evolved.jsonl` holds it.
        stages: Oldest first, the row itself last.
        note: What the stages do not show; "": they are the whole way.
    """

    row: Mapping[str, Any]
    stages: Sequence[LineageStage]
    note: str = ""


@dataclass
class Evolved:
    """What one pass over `evolved.jsonl` finds; of the rows themselves it keeps the drawn ones.

    Attributes:
        rows: By round.
        added: By round, the words that each row has more than the row it was made from.
        drawn: Rows, each with the same chance.
        places: Where a row's line starts, by id.
        lengths: Words of a row, by id.
    """

    rows: Counter[int] = field(default_factory=Counter)
    added: defaultdict[int, "array[float]"] = field(
        default_factory=lambda: defaultdict(lambda: array("d"))
    )
    drawn: dict[int, dict[str, Any]] = field(default_factory=dict)
    places: dict[str, int] = field(default_factory=dict)
    lengths: dict[str, int] = field(default_factory=dict)

    def take(self, row: Mapping[str, Any], place: int) -> None:
        """Count a row."""
        self.rows[row["round"]] += 1
        length = len(words(text_of(row)))
        before = None if _is_new(row) else self.lengths.get(row["parent_id"])
        if before is None and row["parent_id"] == row["seed_id"]:
            before = len(words(row["origin"]))
        if before and length:
            self.added[row["round"]].append(length - before)
        self.places[row["id"]], self.lengths[row["id"]] = place, length


def read_evolved(file: Path, rng: random.Random, *, draw: int = DRAWN) -> Evolved:
    """Read a file that may be large; `draw` of its rows are kept, each with the same chance.

    Raises:
        ConfigError: A line is no row that a run has kept.
    """
    found, slots = Evolved(), [-1] * draw
    with file.open("rb") as lines:
        place = 0
        for number, line in enumerate(lines):
            row = _row(line, f"{file}:{number + 1}")
            found.take(row, place)
            slot = number if number < draw else rng.randrange(number + 1)
            if slot < draw:
                found.drawn.pop(slots[slot], None)
                slots[slot] = number
                found.drawn[number] = row
            place += len(line)
    return found


def lineages(file: Path, found: Evolved) -> list[RowHistory]:
    """Return the drawn rows with their ways, in the file's order."""
    with file.open("rb") as lines:
        return [_lineage(found.drawn[number], found, lines) for number in sorted(found.drawn)]


def text_of(row: Mapping[str, Any]) -> str:
    """Return all that the user says."""
    return "\n\n".join(row.get("turns") or ()) or row["instruction"]


def _row(line: bytes, place: str) -> dict[str, Any]:
    """Return the row that a line holds, with what its way needs."""
    try:
        row = parsed(line.decode("utf-8"), place)
    except UnicodeDecodeError as error:
        raise ConfigError(place, f"cannot be read: {error}") from error
    if not isinstance(row, dict):
        raise ConfigError(place, f"must be an object, is {type(row).__name__}")
    is_sound = {
        **{key: isinstance(row.get(key), str) for key in _TEXTS},
        **{key: isinstance(row.get(key), str | None) for key in ("parent_id", "method")},
        "round": isinstance(row.get("round"), int),
    }
    wrong = next((key for key in is_sound if key not in row or not is_sound[key]), None)
    if wrong:
        raise ConfigError(place, f"{wrong} is not what a run writes there")
    return row


def _lineage(row: dict[str, Any], found: Evolved, lines: BinaryIO) -> RowHistory:
    rows = _ancestors(row, found, lines)
    seed = rows[0]["origin"] if rows[0]["parent_id"] and not _is_new(rows[0]) else ""
    stages = [LineageStage(0, None, [Piece(seed)])] if seed else []
    for before, each in zip([seed, *map(text_of, rows)], rows, strict=False):
        pieces = marked(before, text_of(each)) if before else [Piece(text_of(each))]
        stages.append(LineageStage(each["round"], each["method"], pieces))
    return RowHistory(row, stages, _note(rows[0]))


def _ancestors(row: dict[str, Any], found: Evolved, lines: BinaryIO) -> list[dict[str, Any]]:
    """Return the rows of a row's way that the file holds, oldest first."""
    rows = [row]
    while rows[0]["parent_id"] in found.places and len(rows) <= row["round"]:
        lines.seek(found.places[rows[0]["parent_id"]])
        rows.insert(0, _row(lines.readline(), lines.name))
    return rows


def _is_new(row: Mapping[str, Any]) -> bool:
    """Tell whether a row begins a way of its own; its parent has only inspired it."""
    return bool(row["seed_id"] == row["id"])


def _note(first: Mapping[str, Any]) -> str:
    """Say where the first row of a way comes from, if it is not made of its seed."""
    if first["parent_id"] in (None, first["seed_id"]):
        return ""
    if _is_new(first):
        return f"a new instruction, inspired by {first['parent_id']}"
    return f"the rounds before round {first['round']} are not in this folder"
