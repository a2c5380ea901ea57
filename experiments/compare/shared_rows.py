"""What became of the same seeds in several runs: a few rows side by side."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from autoevol.experiments.artifacts.row_files import FAILURES, UNSCORED
from autoevol.experiments.compare.shared_seeds import SeedKey
from autoevol.experiments.compare.sides import Side
from autoevol.experiments.files.reading import read_rows
from autoevol.experiments.report.word_diff import Piece, mark_new_words

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


def rows_side_by_side(sides: Sequence[Side], *, count: int = COUNT) -> list[SharedSeed]:
    """Return seeds that all runs have and at least one has kept, with each run's rewrite.

    The seeds are drawn by a hash of id and text: the same ones whatever runs are compared.

    Args:
        sides: Files are left out: they do not say what became of a seed.
        count: How many seeds at most.
    """
    runs = [side for side in sides if side.summary]
    if len(runs) < 2:
        return []
    # A row of a later round replaces an earlier one: the files are in the order of rounds.
    kept = [{(r.seed_id, r.origin): r.question for r in run.rows if r.round} for run in runs]
    lost = [_lost(run.path) for run in runs]
    shared = set.intersection(*({*own, *gone} for own, gone in zip(kept, lost, strict=True)))
    chosen = sorted(filter(lambda key: any(key in own for own in kept), shared), key=_hash)[:count]
    named = [*zip((run.name for run in runs), kept, lost, strict=True)]
    return [
        SharedSeed(key[1], [_fate(name, key, own, gone) for name, own, gone in named])
        for key in chosen
    ]


def _fate(
    name: str, key: SeedKey, kept: Mapping[SeedKey, str], lost: Mapping[SeedKey, str]
) -> Fate:
    if key in kept:
        return Fate(name, mark_new_words(key[1], kept[key]))
    return Fate(name, lost_by=lost[key])


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
