"""What earlier runs are worth in related worlds: `python -m benchmarks.search.family`.

A family is what runs with the same evolver and optimizer model have in common. Its laws, on top of
those of `world`:

- **Safeguards.** The strength of each is the mean of two draws between 0.25 and 1.6, one of the
  family and one of the world: some help, some harm, and relatives are alike.
- **Sentences.** One half of the optimizer's sentences, drawn for the family, have the same effect
  in all of its worlds. The effect of the other half is each world's own.
- **The rest** is each world's own: rows, luck, depth, and what the optimizer proposes.

A search runs in the worlds of a family one after the other, once alone and once with the methods
that it chose in the worlds before, the latest first. Differences are paired by world.
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

from autoevol.metrics import mean_interval
from autoevol.metrics.stats.intervals import wilson
from autoevol.signatures import Method
from benchmarks.search.contest import WORSE, own_search
from benchmarks.search.world import START, World, WorldModel, between, chance, drawn_effect

LIMITS = (0.25, 1.6)


@dataclass(frozen=True, slots=True)
class FamilyWorld(World):
    """A world with relatives.

    Attributes:
        family: Seed of what all worlds of the family share.
    """

    family: int = 0

    def strength(self, kind: str) -> float:
        """Return by what the safeguard against a failure multiplies it."""
        draws = (
            between(LIMITS, owner, self.family, "safeguard", kind)
            for owner in ("family", f"world {self.seed}")
        )
        return sum(draws) / 2

    def effect(self, number: int) -> tuple[str, float]:
        """Return the failure that a sentence of the optimizer acts on, and by how much."""
        is_shared = chance("family", self.family, "shares", number) < 0.5
        owner = "family" if is_shared else f"world {self.seed}"
        return drawn_effect((owner, self.family), number)


@dataclass(frozen=True, slots=True)
class Place:
    """What a search reached in a world of a family.

    Attributes:
        true_rate: The chosen method's failure rate over the world's population, in [0, 1].
        calls: Calls of all models.
        is_worse: Whether the chosen method is truly worse than e0.
        method: The chosen method.
    """

    true_rate: float
    calls: int
    is_worse: bool
    method: Method


def series(family: int, worlds: int, *, learns: bool) -> list[Place]:
    """Search in the worlds of a family one after the other.

    Args:
        family: Its seed.
        worlds: How many.
        learns: Begin each search with the methods chosen so far, the latest first.
    """
    places: list[Place] = []
    for number in range(worlds):
        # Seeds of its own, so that no two families have the same rows or proposals.
        seed = 1000 * family + number
        chosen = [place.method for place in reversed(places) if place.method.id != START.id]
        earlier = tuple({method.id: method for method in chosen}.values()) if learns else ()
        world = FamilyWorld(seed, family=family)
        model = WorldModel(world)
        method = own_search(earlier=earlier)(model, seed)
        rate = world.true_rate(method)
        is_worse = rate > world.true_rate(START) + WORSE
        places.append(Place(rate, model.calls.total, is_worse, method))
    return places


def main() -> None:
    """Print a line for each number of earlier runs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--families", type=int, default=60)
    parser.add_argument("--worlds", type=int, default=4, help="of a family, one after the other")
    parser.add_argument(
        "--first-family", type=int, default=0, help="those below 1,000 are reported"
    )
    options = parser.parse_args()
    families = range(options.first_family, options.first_family + options.families)
    alone = [series(family, options.worlds, learns=False) for family in families]
    learned = [series(family, options.worlds, learns=True) for family in families]
    names = ("earlier runs", "alone", "with them", "difference", "calls", "worse than e0")
    table = Table(*names, title="true failure rate; mean and 95 % interval")
    for number in range(options.worlds):
        pair = [place[number] for place in alone], [place[number] for place in learned]
        table.add_row(str(number), *_cells(*pair))
    Console(width=120).print(table)


def _cells(alone: Sequence[Place], learned: Sequence[Place]) -> list[str]:
    differences = [b.true_rate - a.true_rate for a, b in zip(alone, learned, strict=True)]
    worse = sum(place.is_worse for place in learned)
    low, high = wilson(worse, len(learned))
    return [
        _mean([place.true_rate for place in alone]),
        _mean([place.true_rate for place in learned]),
        _mean(differences),
        f"{_calls(alone):.0f} → {_calls(learned):.0f}",
        f"{worse / len(learned):.1%} ({low:.1%}–{high:.1%})",
    ]


def _calls(places: Sequence[Place]) -> float:
    return sum(place.calls for place in places) / len(places)


def _mean(values: Sequence[float]) -> str:
    mean, low, high = mean_interval(values)
    return f"{mean:.3f} ({low:.3f}–{high:.3f})"


if __name__ == "__main__":
    main()
