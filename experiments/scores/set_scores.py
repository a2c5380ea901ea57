"""Scores of a set that ask no model: lengths, wording, nearest neighbours, copies and leaks.

Each takes the rows by round and returns figures by round, with values and evidence of single rows.
"""

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from autoevol.experiments.scores.embedding import Embed, index_search
from autoevol.experiments.scores.results import Rounds, SetScores
from autoevol.metrics.quality.lexical import compression_ratio, distinct, lengths
from autoevol.metrics.quality.neighbours import nearest
from autoevol.metrics.selection.contamination import Benchmark
from autoevol.metrics.selection.duplicates import near_copies
from autoevol.program.records import Row

_CLOSE = 0.05
"""Squared distance below which a neighbour counts as a repetition (Evolution-Analysis)."""


def length_scores(rounds: Rounds) -> SetScores:
    """Return the words of instructions and responses: means by round, and each row's words."""
    scores = SetScores()
    for number, rows in rounds.items():
        words = lengths(row.text for row in rows)
        response_words = [count for count in lengths(row.response for row in rows) if count]
        scores.by_round[number] = {"words": _mean(words), "response_words": _mean(response_words)}
        scores.by_row |= {row.id: {"words": float(n)} for row, n in zip(rows, words, strict=True)}
    return scores


def lexical_scores(rounds: Rounds) -> SetScores:
    """Return distinct-1, -2, -3 and the compression ratio of each round's instructions."""
    scores = SetScores()
    for number, rows in rounds.items():
        texts = [row.question for row in rows]
        grams = {f"distinct_{n}": distinct(texts, n) for n in (1, 2, 3)}
        scores.by_round[number] = {**grams, "compression": compression_ratio(texts)}
    return scores


def neighbour_scores(rounds: Rounds, embed: Embed) -> SetScores:
    """Return the distance of each row to the nearest other row of its round (MND).

    Euclidean on unit vectors, in [0, 2]; higher means more diverse. The published figures are the
    squares of such distances.
    """
    scores = SetScores()
    for number, rows in rounds.items():
        vectors = embed([row.question for row in rows])
        distances = nearest(vectors, search=index_search()).distances
        finite = distances[np.isfinite(distances)]
        scores.by_round[number] = {
            "mnd": float(finite.mean()) if finite.size else None,
            "mnd_median": float(np.median(finite)) if finite.size else None,
            "close_neighbours": int((finite**2 < _CLOSE).sum()),
            "unscored": len(rows) - int(finite.size),
        }
        scores.by_row |= {
            row.id: {"mnd": round(float(distance), 4)}
            for row, distance in zip(rows, distances, strict=True)
            if np.isfinite(distance)
        }
    return scores


def overlap_scores(
    rounds: Rounds, benchmarks: Mapping[str, Sequence[str]], *, sizes: Sequence[int], alike: float
) -> SetScores:
    """Return near copies among the rows of all rounds, and rows that repeat a benchmark's words.

    Args:
        rounds: Of two copies, the row of the later round counts as the copy.
        benchmarks: Texts by the benchmark's name.
        sizes: How many words in a row must be shared with a benchmark; each size is counted.
        alike: Similarity from which rows are near copies, in (0, 1].
    """
    # Earlier rounds first: a rewrite that repeats its seed is the copy, not the seed.
    rows = [row for _, members in sorted(rounds.items()) for row in members]
    scores = SetScores({number: {"rows": len(members)} for number, members in rounds.items()})
    copies = near_copies([row.question for row in rows], threshold=alike)
    _count(scores, "copies", rounds, [rows[copy.row] for copy in copies])
    for copy in copies:
        scores.evidence.setdefault(rows[copy.row].id, f"says what {rows[copy.of].id} says")
    for name, texts in benchmarks.items():
        for size in sizes:
            hits = Benchmark(texts, size=size).contamination([row.question for row in rows]).hits
            _count(scores, f"{name}_{size}", rounds, [rows[hit.row] for hit in hits])
            for hit in hits:
                # A row has one evidence for each score: a leak's replaces a copy's.
                scores.evidence[rows[hit.row].id] = f"in {name}: {hit.run}"
    return scores


def _count(scores: SetScores, name: str, rounds: Rounds, hits: Sequence[Row]) -> None:
    """Add a figure that is 1 for the rows that were hit and 0 for the others, and its counts."""
    counts = Counter(row.round for row in hits)
    ids = {row.id for row in hits}
    for number, rows in rounds.items():
        scores.by_round[number][name] = counts[number]
        for row in rows:
            scores.by_row.setdefault(row.id, {})[name] = float(row.id in ids)


def _mean(numbers: Sequence[int]) -> float | None:
    return float(np.mean(numbers)) if numbers else None
