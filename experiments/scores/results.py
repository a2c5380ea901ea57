"""What the scores of a set have found out: by row and by round, and the files that hold it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from autoevol.experiments.files.atomic import whole_file, write_whole
from autoevol.experiments.files.records import read_file
from autoevol.experiments.scores.set_scores import Rounds, SetScores, mean_figures
from autoevol.program.records import Row
from autoevol.program.scoring.scorers import Scored, Value

BY_ROW, BY_ROUND = "scores.jsonl", "scores.json"
Found = dict[str, dict[str, Value]]
"""What is known of a row: by score, its figures and tags by name."""


@dataclass
class ScoreResults:
    """The figures of a set.

    Attributes:
        rounds: The rows that were scored; round 0 are the seeds.
        figures: By round and by score, as `scores.json` holds them.
        values: By row id.
        problems: By row id and by score, why there is no value.
        evidence: By row id and by score, what a finding rests on.
        notes: What a user should know of single scores.
    """

    rounds: Rounds
    figures: dict[int, dict[str, Any]] = field(default_factory=dict)
    values: dict[str, Found] = field(default_factory=dict)
    problems: dict[str, dict[str, str]] = field(default_factory=dict)
    evidence: dict[str, dict[str, str]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def add_set(self, name: str, found: SetScores) -> None:
        """Take what a score of the whole set has found out."""
        for number, figures in found.by_round.items():
            self.figures.setdefault(number, {})[name] = figures
        for identity, own in found.by_row.items():
            self.values.setdefault(identity, {})[name] = dict(own)
        for identity, why in found.evidence.items():
            self.evidence.setdefault(identity, {})[name] = why
        for identity, problem in found.problems.items():
            self.problems.setdefault(identity, {})[name] = problem
        if found.note:
            self.notes.append(f"{name}: {found.note}")

    def on_scored(self, name: str, scored: Scored) -> None:
        """Take what a judge said of one row."""
        if scored.values:
            self.values.setdefault(scored.id, {})[name] = dict(scored.values)
        if scored.problem:
            self.problems.setdefault(scored.id, {})[name] = scored.problem

    def asked(self, name: str) -> Rounds:
        """Return the rows that a judge was asked about."""
        return {
            number: [row for row in rows if self._has(row, name)]
            for number, rows in self.rounds.items()
        }

    def summarise(self, name: str) -> None:
        """Turn a judge's figures into means with intervals, round by round."""
        for number, rows in self.asked(name).items():
            told = mean_figures([self.number(row, name) for row in rows])
            unscored = len(rows) - told.get("scored", 0)
            self.figures.setdefault(number, {})[name] = {**told, "unscored": unscored}

    def number(self, row: Row, name: str, figure: str | None = None) -> float | None:
        """Return a row's figure, by default the one with its score's name; None: it has none."""
        value = self._value(row, name, figure or name)
        return value if isinstance(value, float) else None

    def tags(self, row: Row, name: str) -> tuple[str, ...] | None:
        """Return a row's tags; None: it was not tagged."""
        value = self._value(row, name, name)
        return value if isinstance(value, tuple) else None

    def _value(self, row: Row, name: str, figure: str) -> Value | None:
        return self.values.get(row.id, {}).get(name, {}).get(figure)

    def _has(self, row: Row, name: str) -> bool:
        return name in self.values.get(row.id, {}) or name in self.problems.get(row.id, {})

    def by_round(self) -> list[dict[str, Any]]:
        """Return the figures, seeds first."""
        return [{"round": number, **self.figures[number]} for number in sorted(self.figures)]

    def write(self, folder: Path, settings: Mapping[str, Mapping[str, Any]]) -> list[Path]:
        """Write both files and return their paths.

        Figures of other scores that stand there already stay, also those of rounds that are not
        among the rows now (seeds that have moved); those of the same score go.

        Args:
            folder: Of the files.
            settings: By score, what its figures went by.
        """
        known = known_values(folder)
        with whole_file(folder / BY_ROW) as file:
            for number, row in ((n, row) for n, rows in self.rounds.items() for row in rows):
                line = {"id": row.id, "round": number, **self._line(row.id, known, settings)}
                file.write(json.dumps(line, ensure_ascii=False) + "\n")
            for identity, told in known.items():
                if told["round"] not in self.rounds:
                    line = {"id": identity, "round": told["round"]}
                    line |= self._line(identity, known, settings)
                    file.write(json.dumps(line, ensure_ascii=False) + "\n")
        tree = self._tree(folder / BY_ROUND, settings)
        text = json.dumps(tree, indent=2, ensure_ascii=False)
        return [folder / BY_ROW, write_whole(folder / BY_ROUND, f"{text}\n")]

    def _line(
        self, identity: str, known: Mapping[str, Mapping[str, Any]], made: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Return what is known of a row, by kind and by score; what is made anew is replaced."""
        new: dict[str, Mapping[str, Mapping[str, Any]]] = {
            "values": self.values,
            "problems": self.problems,
            "evidence": self.evidence,
        }
        before = known.get(identity, {})
        line: dict[str, Any] = {}
        for kind, held in new.items():
            stays = {k: v for k, v in before.get(kind, {}).items() if k not in made}
            told = {**stays, **held.get(identity, {})}
            if told:
                line[kind] = told
        return line

    def _tree(self, file: Path, settings: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
        before = json.loads(file.read_text("utf-8")) if file.is_file() else {}
        rounds = {
            each["round"]: {name: told for name, told in each.items() if name not in settings}
            for each in before.get("rounds", [])
        }
        for each in self.by_round():
            rounds[each["round"]] = {**rounds.get(each["round"], {}), **each}
        told = {**before.get("settings", {}), **settings}
        return {"settings": told, "rounds": [rounds[number] for number in sorted(rounds)]}


def known_values(folder: Path) -> dict[str, dict[str, Any]]:
    """Return what `scores.jsonl` holds, by row id; nothing before the first score."""
    file = folder / BY_ROW
    records = read_file(file) if file.is_file() else ()
    return {record.value["id"]: record.value for record in records}


def numbers(values: Mapping[str, Mapping[str, Any]]) -> dict[str, float]:
    """Return all figures of a row's scores; tags are none."""
    return {
        name: value
        for found in values.values()
        for name, value in found.items()
        if isinstance(value, float)
    }
