"""What became of the same seeds in several runs: a few rows side by side."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from autoevol.experiments.artifacts.row_files import FAILURES, UNSCORED
from autoevol.experiments.compare.sides import Side
from autoevol.experiments.files.reading import read_rows
from autoevol.experiments.report.word_diff import Piece, mark_new_words

SeedKey = tuple[str, str]
"""A seed's id and text: rows of two files are both numbered from 1."""

COUNT = 5


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of a seed in one run.

    Attributes:
        name: Of the run.
        pieces: Its rewrite of the last round that kept one, new words marked; empty: none was kept.
        lost_by: The rule that it broke, or that it was not scored; "" for a kept one.
    """

    name: str
    pieces: Sequence[Piece] = ()
    lost_by: str = ""


@dataclass(frozen=True, slots=True)
class SharedSeed:
    """A seed that all runs have."""

    text: str
    fates: Sequence[Fate]


def shared_seeds(sides: Sequence[Side], *, count: int = COUNT) -> list[SharedSeed]:
    """Return seeds that all runs have and at least one has kept, with each run's rewrite.

    The seeds are drawn by a hash of id and text: the same ones whatever runs are compared.

    Args:
        sides: Files are left out: they do not say what became of a seed.
        count: How many seeds at most.
    """
    runs = [side for side in sides if side.summary]
    fates = [_fates(run) for run in runs]
    if len(fates) < 2:
        return []
    shared = set.intersection(*map(set, fates))
    kept = [key for key in shared if any(run[key].pieces for run in fates)]
    return [
        SharedSeed(key[1], [run[key] for run in fates]) for key in sorted(kept, key=_hash)[:count]
    ]


def _fates(run: Side) -> Mapping[SeedKey, Fate]:
    fates = {key: Fate(run.name, lost_by=rule) for key, rule in _lost(run.path).items()}
    for row in run.rows:
        # A row of a later round replaces an earlier one: the files are in the order of rounds.
        if row.round:
            pieces = mark_new_words(row.origin, row.question)
            fates[row.seed_id, row.origin] = Fate(run.name, pieces)
    return fates


def _lost(folder: Path) -> dict[SeedKey, str]:
    """Return the first rule that each lost seed's rewrite broke."""
    lost: dict[SeedKey, str] = {}
    for name in (UNSCORED, FAILURES):
        file = folder / name
        for row in read_rows(file) if file.is_file() else ():
            reasons = row.get("reasons") or []
            rule = reasons[0]["rule"] if reasons and name == FAILURES else "unscored"
            lost.setdefault((row["seed_id"], row["origin"]), rule)
    return lost


def _hash(key: SeedKey) -> str:
    return hashlib.sha256("\0".join(key).encode(errors="surrogatepass")).hexdigest()
