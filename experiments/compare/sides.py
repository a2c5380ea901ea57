"""The sets that `autoevol compare` compares, and which of their rows make a pair."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from autoevol.experiments.artifacts.row_files import check_rows
from autoevol.experiments.artifacts.summary import SUMMARY, read_summary
from autoevol.experiments.config.scoring.filters import FIGURES
from autoevol.experiments.data.formats.rows import row_from
from autoevol.experiments.data.formats.source import open_source
from autoevol.experiments.scores.files import evolved_rows
from autoevol.experiments.scores.stored import StoredScores, read_settings
from autoevol.metrics.stats.intervals import Estimate, share
from autoevol.program.errors import ConfigError
from autoevol.program.records import Row
from autoevol.program.scoring.comparison import Pair

What = Literal["responses", "instructions"]
_FIGURES_OF: Mapping[str, tuple[str, ...]] = dict(FIGURES.items())
"""By score, the figures that it leaves in a row."""


@dataclass(frozen=True, slots=True)
class Side:
    """A finished run or a file of rows.

    Attributes:
        rows: Those that no filter took out.
        summary: Of a run; empty for a file.
        score_settings: By figure, the settings of its score and the model that gave it (`judge`);
            empty for a file.
    """

    name: str
    path: Path
    rows: Sequence[Row]
    summary: Mapping[str, Any] = field(default_factory=dict)
    score_settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def judges(self) -> dict[str, str]:
        """The models that gave figures, by figure."""
        return {
            name: settings["judge"]
            for name, settings in self.score_settings.items()
            if settings.get("judge")
        }


def read_side(path: Path) -> Side:
    """Return a run or a file of rows.

    Raises:
        ConfigError: It is neither, the run is not finished, or it has lost rows.
    """
    if not path.exists():
        raise ConfigError(str(path), "there is no such folder or file")
    if path.is_file():
        return Side(path.stem, path, _unfiltered(map(row_from, open_source(path, None).rows)))
    if not (path / SUMMARY).is_file():
        raise ConfigError(str(path), f"is no finished run's folder: no {SUMMARY}")
    # `Path(".")` has an empty name.
    summary, name = read_summary(path), path.name or path.resolve().name
    check_rows(path, summary)
    return Side(name, path, _unfiltered(evolved_rows(path)), summary, _score_settings(path))


def lost_share(summary: Mapping[str, Any]) -> Estimate | None:
    """Return the share of scored rewrites that failed, in [0, 1]; None: there were none."""
    failed = summary["rows_failed"]
    return share(failed, failed + summary["rows_out"] + summary.get("rows_surplus", 0))


def stopped_by_rule(summary: Mapping[str, Any]) -> dict[tuple[str, str], int]:
    """Return how many rows each rule stopped, by stage and rule."""
    stages = summary.get("failures_by_rule", {})
    return {(stage, rule): n for stage, rules in stages.items() for rule, n in rules.items()}


def pairs_of(ours: Side, theirs: Side, what: What) -> list[Pair]:
    """Return the pairs of two sides.

    Responses make a pair where both sides answer the same instruction (and input, and turns).
    Instructions make a pair where both come from the same seed in the same round.

    Raises:
        ConfigError: No two rows make a pair.
    """
    pairs = _responses(ours, theirs) if what == "responses" else _instructions(ours, theirs)
    if not pairs:
        condition = {
            "responses": "answer the same instruction; `--what instructions` pairs rewrites",
            "instructions": "come from the same seed in the same round",
        }[what]
        raise ConfigError(f"{ours.path}, {theirs.path}", f"no two rows {condition}")
    return pairs


def _unfiltered(rows: Iterable[Row]) -> list[Row]:
    return [row for row in rows if row.filtered_by is None]


def _score_settings(folder: Path) -> dict[str, dict[str, Any]]:
    stored = StoredScores(settings=read_settings(folder))
    return {
        figure: stored.comparable_settings(name)
        for name in stored.settings
        for figure in _FIGURES_OF.get(name, (name,))
    }


def _responses(ours: Side, theirs: Side) -> list[Pair]:
    answers = {_key(row.question): _answer(row) for row in theirs.rows if row.response}
    return [
        Pair(row.id, _answer(row), answers[_key(row.question)], row.question)
        for row in ours.rows
        if row.response and _key(row.question) in answers
    ]


def _key(question: str) -> str:
    """Return a question with its white space normalised and nothing else."""
    # No other character is ignored: two questions may differ in an operator alone.
    return " ".join(question.split())


def _answer(row: Row) -> str:
    return "\n\n".join(row.answers) or row.response


def _instructions(ours: Side, theirs: Side) -> list[Pair]:
    """Pair the first rewrites of a seed in each round."""
    first, others = _first_rewrites(ours.rows), _first_rewrites(theirs.rows)
    return [
        Pair(row.id, row.question, others[origin].question)
        for origin, row in first.items()
        if origin in others
    ]


def _first_rewrites(rows: Sequence[Row]) -> dict[tuple[str, str, int], Row]:
    """Return the first row of each seed and round."""
    # Ids alone do not identify a seed: rows of two files are both numbered from 1. So the seed's
    # text must be the same, too.
    rewrites: dict[tuple[str, str, int], Row] = {}
    for row in rows:
        rewrites.setdefault((row.seed_id, row.origin, row.round), row)
    return rewrites
