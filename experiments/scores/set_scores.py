"""Scores of a set that ask no model: lengths, wording, nearest neighbours, copies and leaks.

Each takes the texts of the rounds and returns figures by round, and what it found out about single
rows.
"""

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from autoevol.experiments.files.records import Record, read_records
from autoevol.experiments.scores.embedding import Embed, index_search
from autoevol.metrics.quality.lexical import compression_ratio, distinct, lengths
from autoevol.metrics.quality.neighbours import nearest
from autoevol.metrics.selection.contamination import Benchmark
from autoevol.metrics.selection.duplicates import near_copies
from autoevol.metrics.stats.means import Scores, rank_correlation, summary
from autoevol.program.errors import ConfigError
from autoevol.program.records import Row

Figures = dict[str, Any]
"""Numbers by name, None for an unknown one; a mean is a group of numbers."""

_TEXT_KEYS = ("instruction", "question", "prompt", "problem", "text")
_UNNAMEABLE = re.compile(r"[^\w.-]+")
"""What MLflow allows in no name."""

_CLOSE = 0.05
"""Distance below which a neighbour counts as a repetition (Evolution-Analysis)."""


@dataclass
class SetScores:
    """What a score found out.

    Attributes:
        by_round: Figures by the round's number.
        by_row: Figures by row id.
        evidence: By row id, what a finding rests on.
        problems: By row id, why there is no figure.
        note: What a user should know of the set; "" when there is nothing.
    """

    by_round: dict[int, Figures] = field(default_factory=dict)
    by_row: dict[str, dict[str, float]] = field(default_factory=dict)
    evidence: dict[str, str] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)
    note: str = ""


Rounds = Mapping[int, Sequence[Row]]


def mean_figures(scores: Scores) -> Figures:
    """Return a mean with its interval and median, and the rows of it; nothing for no rows.

    An interval that is everything, which JSON cannot say, is None.
    """
    found = summary(scores)
    if found is None:
        return {}
    is_finite = all(map(math.isfinite, found.interval))
    told = {**asdict(found), "interval": found.interval if is_finite else None}
    del told["unscored"]
    return told


def length_correlation(rows: Sequence[Row], scores: Scores) -> float | None:
    """Return the rank correlation of rows' scores with the words of their responses, in [-1, 1].

    0 is none; near 1, longer responses score better. None: fewer than three rows have a score, or
    all are alike.
    """
    told = lengths("\n\n".join(row.answers) or row.response for row in rows)
    return rank_correlation(scores, [float(count) for count in told])


def length_scores(rounds: Rounds) -> SetScores:
    """Return the words of instructions and responses: means, and those of each row."""
    found = SetScores()
    for number, rows in rounds.items():
        asked = lengths(row.text for row in rows)
        told = [count for count in lengths(row.response for row in rows) if count]
        found.by_round[number] = {"words": _mean(asked), "response_words": _mean(told)}
        found.by_row |= {row.id: {"words": float(n)} for row, n in zip(rows, asked, strict=True)}
    return found


def lexical_scores(rounds: Rounds) -> SetScores:
    """Return distinct-1, -2, -3 and the compression ratio of the instructions of each round."""
    found = SetScores()
    for number, rows in rounds.items():
        texts = [row.question for row in rows]
        grams = {f"distinct_{n}": distinct(texts, n) for n in (1, 2, 3)}
        found.by_round[number] = {**grams, "compression": compression_ratio(texts)}
    return found


def neighbour_scores(rounds: Rounds, embed: Embed) -> SetScores:
    """Return the distance of each row to the nearest other row of its round (MND).

    Euclidean on unit vectors, in [0, 2]; higher means more diverse. The published figures are the
    squares of such distances.
    """
    found = SetScores()
    for number, rows in rounds.items():
        vectors = embed([row.question for row in rows])
        distances = nearest(vectors, search=index_search()).distances
        told = distances[np.isfinite(distances)]
        found.by_round[number] = {
            "mnd": float(told.mean()) if told.size else None,
            "mnd_median": float(np.median(told)) if told.size else None,
            "close_neighbours": int((told**2 < _CLOSE).sum()),
            "unscored": len(rows) - int(told.size),
        }
        found.by_row |= {
            row.id: {"mnd": round(float(distance), 4)}
            for row, distance in zip(rows, distances, strict=True)
            if np.isfinite(distance)
        }
    return found


def overlap_scores(
    rounds: Rounds, benchmarks: Mapping[str, Sequence[str]], *, sizes: Sequence[int], alike: float
) -> SetScores:
    """Return copies among all rounds' rows, and rows that share runs of words with a benchmark.

    Args:
        rounds: Rows of an earlier round come first, so a rewrite that says what its seed said is
            the copy.
        benchmarks: Texts by the benchmark's name.
        sizes: Words of a run.
        alike: Similarity from which rows are near copies, in (0, 1].
    """
    rows = [row for _, members in sorted(rounds.items()) for row in members]
    found = SetScores({number: {"rows": len(members)} for number, members in rounds.items()})
    copies = near_copies([row.question for row in rows], threshold=alike)
    _count(found, "copies", rounds, [rows[copy.row] for copy in copies])
    for copy in copies:
        found.evidence.setdefault(rows[copy.row].id, f"says what {rows[copy.of].id} says")
    for name, texts in benchmarks.items():
        for size in sizes:
            hits = Benchmark(texts, size=size).contamination([row.question for row in rows]).hits
            _count(found, f"{name}_{size}", rounds, [rows[hit.row] for hit in hits])
            for hit in hits:
                found.evidence[rows[hit.row].id] = f"in {name}: {hit.run}"
    return found


def _count(found: SetScores, name: str, rounds: Rounds, hit: Sequence[Row]) -> None:
    counts = Counter(row.round for row in hit)
    ids = {row.id for row in hit}
    for number, rows in rounds.items():
        found.by_round[number][name] = counts[number]
        for row in rows:
            found.by_row.setdefault(row.id, {})[name] = float(row.id in ids)


def read_benchmarks(files: Sequence[str], where: str, *, beside: Path) -> dict[str, list[str]]:
    """Return the texts of each file, or of the hub's test split, by name.

    Args:
        files: Paths, or names of the hub.
        where: The config's file and key, for messages.
        beside: Folder where a relative path is looked for, after the working folder.

    Raises:
        ConfigError: A file is missing, two have the same name, or a record has none of the keys of
            an instruction.
    """
    found: dict[str, list[str]] = {}
    for file in files:
        name = _UNNAMEABLE.sub("-", Path(file).stem)
        if name in found:
            raise ConfigError(where, f"two benchmarks are called {name!r}; rename one of the files")
        records = read_records(file, where, beside=beside, split="test")
        found[name] = [_text(record) for record in records]
    return found


def _text(record: Record) -> str:
    key = next((key for key in _TEXT_KEYS if key in record.value), None)
    if key is None:
        known = ", ".join(map(str, record.value))
        expected = ", ".join(_TEXT_KEYS)
        raise ConfigError(record.place, f"has none of {expected}, so it is no benchmark: {known}")
    return record.text(key)


def _mean(numbers: Sequence[int]) -> float | None:
    return float(np.mean(numbers)) if numbers else None
