"""Rows of `evolved.jsonl` drawn at random, each with its lineage from the seed, in one pass."""

import random
from array import array
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from autoevol.experiments.artifacts.labels.keys import text_of
from autoevol.experiments.files.json_text import parsed
from autoevol.experiments.report.reservoir import Reservoir
from autoevol.experiments.report.word_diff import Piece, mark_new_words
from autoevol.metrics.text.wording import words
from autoevol.program.errors import ConfigError

DRAWN = 20
_TEXTS = ("id", "seed_id", "origin", "instruction")


@dataclass(frozen=True, slots=True)
class LineageStage:
    """A row's text at one stage of its lineage.

    Attributes:
        round: 0 is the seed.
        method: Name of the method that made the text; None for a seed.
        pieces: The text, with the words marked that the previous stage lacks.
    """

    round: int
    method: str | None
    pieces: Sequence[Piece]


@dataclass(frozen=True, slots=True)
class RowHistory:
    """A row and its lineage.

    Attributes:
        row: As `evolved.jsonl` has it.
        stages: Oldest first, the row itself last.
        note: Why the lineage is incomplete; "" if it is complete.
    """

    row: Mapping[str, Any]
    stages: Sequence[LineageStage]
    note: str = ""


class Evolved:
    """An index of `evolved.jsonl`, filled in one pass; of the rows it keeps only the drawn ones.

    Attributes:
        rows: Number of rows by round.
        added: By round, the words that each row has more than its parent.
        drawn: The drawn rows.
        offsets: Byte offset of a row's line, by id.
    """

    def __init__(self, rng: random.Random, *, draw: int) -> None:
        self.rows: Counter[int] = Counter()
        # An array holds a number in 8 bytes; a run may have millions of rows.
        self.added: defaultdict[int, array[float]] = defaultdict(lambda: array("d"))
        self.drawn = Reservoir[dict[str, Any]](rng, draw)
        self.offsets: dict[str, int] = {}
        self._lengths: dict[str, int] = {}

    def add(self, number: int, row: dict[str, Any], offset: int) -> None:
        """Count the row of a line, and draw it or not."""
        length = len(words(text_of(row)))
        before = self._length_before(row)
        self.rows[row["round"]] += 1
        if before and length:
            self.added[row["round"]].append(length - before)
        self.offsets[row["id"]], self._lengths[row["id"]] = offset, length
        self.drawn.add(number, row)

    def _length_before(self, row: Mapping[str, Any]) -> int | None:
        """Return the words of the row's parent; None: it has none, or the file lacks it."""
        length = None if is_new(row) else self._lengths.get(row["parent_id"])
        # Seeds are not in the file; each row carries the text of its own.
        if length is None and row["parent_id"] == row["seed_id"]:
            return len(words(row["origin"]))
        return length


def read_evolved(file: Path, rng: random.Random, *, draw: int = DRAWN) -> Evolved:
    """Read a file that may be large, and draw `draw` of its rows, each with the same probability.

    Raises:
        ConfigError: A line is not a row as a run writes it.
    """
    evolved = Evolved(rng, draw=draw)
    # In binary mode: rows are found again by their offsets in bytes.
    with file.open("rb") as lines:
        offset = 0
        for number, line in enumerate(lines):
            evolved.add(number, _row(line, f"{file}:{number + 1}"), offset)
            offset += len(line)
    return evolved


def lineages(file: Path, evolved: Evolved) -> list[RowHistory]:
    """Return the drawn rows with their lineages, in the file's order."""
    with file.open("rb") as lines:
        drawn = evolved.drawn.in_order()
        return [history_of(_ancestors(row, evolved, lines)) for row in drawn]


def history_of(rows: Sequence[Mapping[str, Any]]) -> RowHistory:
    """Return the lineage of a row.

    Args:
        rows: The row, last, after those of its ancestors that are there, oldest first.
    """
    first = rows[0]
    seed = first["origin"] if first["parent_id"] and not is_new(first) else ""
    stages = [LineageStage(0, None, [Piece(seed)])] if seed else []
    for before, after in zip([seed, *map(text_of, rows)], rows, strict=False):
        text = text_of(after)
        pieces = mark_new_words(before, text) if before else [Piece(text)]
        stages.append(LineageStage(after["round"], after["method"], pieces))
    return RowHistory(rows[-1], stages, _note(first))


def is_new(row: Mapping[str, Any]) -> bool:
    """Tell whether a row begins a lineage of its own, only inspired by its parent."""
    return bool(row["seed_id"] == row["id"])


def _row(line: bytes, where: str) -> dict[str, Any]:
    """Return the row of a line, with the keys checked that a lineage needs."""
    try:
        row = parsed(line.decode("utf-8"), where)
    except UnicodeDecodeError as error:
        raise ConfigError(where, f"cannot be read: {error}") from error
    if not isinstance(row, dict):
        raise ConfigError(where, f"must be an object, is {type(row).__name__}")
    is_valid = {
        **{key: isinstance(row.get(key), str) for key in _TEXTS},
        **{key: isinstance(row.get(key), str | None) for key in ("parent_id", "method")},
        "round": isinstance(row.get("round"), int),
    }
    wrong = next((key for key in is_valid if key not in row or not is_valid[key]), None)
    if wrong:
        raise ConfigError(where, f"{wrong} is not what a run writes there")
    return row


def _ancestors(row: dict[str, Any], evolved: Evolved, lines: BinaryIO) -> list[dict[str, Any]]:
    """Return the row with its ancestors in the file, oldest first."""
    rows = [row]
    # A lineage has at most one row a round; a damaged file must not make it a circle.
    while rows[0]["parent_id"] in evolved.offsets and len(rows) <= row["round"]:
        lines.seek(evolved.offsets[rows[0]["parent_id"]])
        rows.insert(0, _row(lines.readline(), lines.name))
    return rows


def _note(first: Mapping[str, Any]) -> str:
    """Return where the first row of a lineage comes from, unless it was made from its seed."""
    if first["parent_id"] in (None, first["seed_id"]):
        return ""
    if is_new(first):
        return f"a new instruction, inspired by {first['parent_id']}"
    return f"the rounds before round {first['round']} are not in this folder"
