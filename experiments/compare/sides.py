"""What `autoevol compare` compares: finished runs, or files of rows, and which rows make a pair."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from autoevol.experiments.artifacts.folder import read_summary
from autoevol.experiments.config.filters import FIGURES
from autoevol.experiments.data.formats.source import open_source
from autoevol.experiments.scores.files import evolved_rows, row_from
from autoevol.experiments.scores.stored import StoredScores, read_settings
from autoevol.program.errors import ConfigError
from autoevol.program.records import Row
from autoevol.program.scoring.comparison import Pair

What = Literal["responses", "instructions"]
_LEFT_BY: Mapping[str, tuple[str, ...]] = dict(FIGURES.items())


@dataclass(frozen=True, slots=True)
class Side:
    """One of the sets that are compared.

    Attributes:
        rows: Those that stand; what a filter took out is left out.
        summary: Of a run; empty for a file.
        went_by: By figure, the model that gave it and its score's settings; of a scored run.
    """

    name: str
    path: Path
    rows: Sequence[Row]
    summary: Mapping[str, Any] = field(default_factory=dict)
    went_by: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def judges(self) -> dict[str, str]:
        """The models that gave figures, by figure."""
        return {name: told["judge"] for name, told in self.went_by.items() if told.get("judge")}


def read_side(path: Path) -> Side:
    """Return a run or a file of rows.

    Raises:
        ConfigError: It is neither, or the run is not finished.
    """
    if not path.exists():
        raise ConfigError(str(path), "there is no such folder or file")
    if path.is_file():
        return Side(path.stem, path, _standing(map(row_from, open_source(path, None).rows)))
    if not (path / "summary.json").is_file():
        raise ConfigError(str(path), "is no finished run's folder: no summary.json")
    summary, name = read_summary(path), path.name or path.resolve().name
    return Side(name, path, _standing(evolved_rows(path)), summary, _went_by(path))


def _standing(rows: Iterable[Row]) -> list[Row]:
    return [row for row in rows if row.filtered_by is None]


def _went_by(folder: Path) -> dict[str, dict[str, Any]]:
    sheet = StoredScores(settings=read_settings(folder))
    return {
        figure: sheet.comparable_settings(name)
        for name in sheet.settings
        for figure in _LEFT_BY.get(name, (name,))
    }


def pairs_of(ours: Side, theirs: Side, what: What) -> list[Pair]:
    """Return the pairs of two sides.

    Responses make a pair where both sides answer the same instruction (and input, and turns);
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
    answered = {_key(row.question): _answer(row) for row in theirs.rows if row.response}
    return [
        Pair(row.id, _answer(row), answered[_key(row.question)], row.question)
        for row in ours.rows
        if row.response and _key(row.question) in answered
    ]


def _key(question: str) -> str:
    """Return a question but for its white space: an operator or a point may be all that differs."""
    return " ".join(question.split())


def _answer(row: Row) -> str:
    return "\n\n".join(row.answers) or row.response


def _instructions(ours: Side, theirs: Side) -> list[Pair]:
    """Pair the first rewrites of a seed in a round; the seed's text must be the same, too."""
    first, known = _first_rewrites(ours.rows), _first_rewrites(theirs.rows)
    return [
        Pair(row.id, row.question, known[place].question)
        for place, row in first.items()
        if place in known
    ]


def _first_rewrites(rows: Sequence[Row]) -> dict[tuple[str, str, int], Row]:
    found: dict[tuple[str, str, int], Row] = {}
    for row in rows:
        found.setdefault((row.seed_id, row.origin, row.round), row)
    return found
