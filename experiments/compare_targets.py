"""What `autoevol compare` compares: finished runs, or files of rows, and which rows make a pair."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from experiments.formats.source import open_source
from experiments.score_book import BY_ROW
from experiments.score_files import EVOLVED, numbered, row_from
from metrics.wording import normal_form
from program.comparison import Pair
from program.errors import ConfigError
from program.records import Row

What = Literal["responses", "instructions"]


@dataclass(frozen=True, slots=True)
class Side:
    """One of the sets that are compared.

    Attributes:
        summary: Of a run; empty for a file.
        scores: Figures by row id, as `autoevol score` left them.
        key: Of a run, in MLflow; None for a file.
    """

    name: str
    path: Path
    rows: Sequence[Row]
    summary: Mapping[str, Any] = field(default_factory=dict)
    scores: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    key: str | None = None


def read_side(path: Path) -> Side:
    """Return a run or a file of rows.

    Raises:
        ConfigError: It is neither, or the run is not finished.
    """
    if not path.exists():
        raise ConfigError(str(path), "there is no such folder or file")
    if path.is_file():
        return Side(path.stem, path, _rows(path))
    if not (path / "summary.json").is_file():
        raise ConfigError(str(path), "is no finished run's folder: no summary.json")
    summary = json.loads((path / "summary.json").read_text("utf-8"))
    key = json.loads((path / "run.json").read_text("utf-8"))["key"]
    return Side(path.name, path, _rows(path / EVOLVED), summary, _scores(path), key)


def _rows(file: Path) -> list[Row]:
    return [row_from(row) for row in numbered(open_source(file, None).rows)]


def _scores(folder: Path) -> dict[str, dict[str, float]]:
    file = folder / BY_ROW
    if not file.is_file():
        return {}
    lines = map(json.loads, file.read_text("utf-8").splitlines())
    return {
        line["id"]: {name: value for name, value in line.items() if isinstance(value, float)}
        for line in lines
    }


def pairs_of(ours: Side, theirs: Side, what: What) -> list[Pair]:
    """Return the pairs of two sides.

    Responses make a pair where both sides answer the same instruction (and the same input);
    instructions where both came from the same seed in the same round.

    Raises:
        ConfigError: No two rows belong together.
    """
    found = _responses(ours, theirs) if what == "responses" else _instructions(ours, theirs)
    if not found:
        why = {
            "responses": "answer the same instruction; `--what instructions` pairs rewrites",
            "instructions": "came from the same seed in the same round",
        }[what]
        raise ConfigError(f"{ours.path}, {theirs.path}", f"no row of the one and the other {why}")
    return found


def _responses(ours: Side, theirs: Side) -> list[Pair]:
    answered = {normal_form(row.prompt): row.response for row in theirs.rows if row.response}
    return [
        Pair(row.id, row.response, answered[asked], row.prompt)
        for row in ours.rows
        if row.response and (asked := normal_form(row.prompt)) in answered
    ]


def _instructions(ours: Side, theirs: Side) -> list[Pair]:
    """Pair the first rewrites of a seed in a round; a run's ids tell which they are."""
    known: dict[tuple[str, int], Row] = {}
    for row in theirs.rows:
        known.setdefault((row.seed_id, row.round), row)
    first: dict[tuple[str, int], Row] = {}
    for row in ours.rows:
        first.setdefault((row.seed_id, row.round), row)
    return [
        Pair(row.id, row.text, known[place].text) for place, row in first.items() if place in known
    ]
