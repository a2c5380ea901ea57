"""Runs on different seeds: which seeds they share, and what became of those in each."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rich.table import Table

from autoevol.experiments.artifacts.row_files import EVOLVED, FAILURES, UNSCORED
from autoevol.experiments.compare.sides import Side
from autoevol.experiments.files.reading import read_rows
from autoevol.metrics.stats.intervals import share

SeedKey = tuple[str, str]
"""A seed's id and text: rows of two files are both numbered from 1."""


@dataclass
class SeedCounts:
    """Rewrites of a run by their seed.

    Attributes:
        seeds: All seeds with a rewrite, lost ones included.
        kept: Kept rewrites.
        failed: Failed rewrites.
    """

    seeds: set[SeedKey] = field(default_factory=set)
    kept: dict[SeedKey, int] = field(default_factory=dict)
    failed: dict[SeedKey, int] = field(default_factory=dict)

    def loss_among(self, seeds: set[SeedKey]) -> str:
        """Return the share of these seeds' rewrites that failed, with its interval."""
        kept, failed = (
            sum(n for seed, n in counts.items() if seed in seeds)
            for counts in (self.kept, self.failed)
        )
        loss = share(failed, failed + kept)
        if loss is None:
            return "–"
        low, high = loss.interval
        return f"{loss.value:.1%} ({low:.0%}–{high:.0%})"


def seed_counts(folder: Path) -> SeedCounts:
    """Return the rewrites of a run by their seed; those of breadth methods are seeds themselves."""
    counts = SeedCounts()
    for name, by_seed in ((EVOLVED, counts.kept), (FAILURES, counts.failed), (UNSCORED, {})):
        for key in _keys(folder / name):
            counts.seeds.add(key)
            by_seed[key] = by_seed.get(key, 0) + 1
    return counts


def _keys(file: Path) -> Iterator[SeedKey]:
    for row in read_rows(file) if file.is_file() else ():
        # A breadth method begins a lineage of its own, so its row has no seed to share.
        if row["seed_id"] != row["id"] or not row["parent_id"]:
            yield row["seed_id"], row["origin"]


def seeds_table(sides: Sequence[Side]) -> Table | None:
    """Return what runs on different seeds share; None: all have the same seeds."""
    counts = [seed_counts(side.path) for side in sides]
    shared = set.intersection(*(run.seeds for run in counts))
    if all(run.seeds == shared for run in counts):
        return None
    table = Table("seeds", *(side.name for side in sides))
    table.add_row("of the run", *(f"{len(run.seeds):,}" for run in counts))
    table.add_row("that all runs have", *(f"{len(shared):,}" for _ in counts))
    if shared:
        table.add_row("loss rate on those", *(run.loss_among(shared) for run in counts))
    return table


def seeds_warning(sides: Sequence[Side]) -> str | None:
    """Return a sentence for runs on different seeds; None: all have the same, or are files."""
    if not all(side.summary for side in sides) or seeds_table(sides) is None:
        return None
    return (
        "the runs have different seeds: their counts and rates are each run's own, and only the "
        "figures on shared seeds and rows compare them"
    )
