"""Runs for the fuzz, drawn by number: a config, its seeds, and what goes wrong on the way."""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from autoevol.experiments.models.transports.scripted import SAFEGUARD

CAREFUL = f"Rewrite the instruction into a harder one. {SAFEGUARD}\n"
METHODS = ("weak", "careful.md", "breadth")
NAMES: Mapping[str, str] = {
    "plain": "seed-{0}",
    "numbers": "{0}",
    "of evolved rows": "{1}",
    "with dashes": "a-{0}",
    "of rows of an earlier run": "{1}..{0}-2",
}
"""How seeds are called: {0} is a seed's number, {1} a path of numbers such as `1.1.2`."""

FAULTS = "rate_limited server_error timed_out torn empty cut dropped malformed wrong_shape".split()
UNUSABLE = {"empty", "cut"}
KILLS = 3
"""Most kills of one run."""


@dataclass(frozen=True)
class Case:
    """A run that is disturbed, and by what.

    Attributes:
        seeds: Of the data file.
        config: Without its models.
        faults: Shares of the server's faults, and its settings.
        kills: For each kill the share of the undisturbed run's requests after which it comes, above
            1 for one after the last request, and the seconds that it waits then.
        concurrency: Of the undisturbed run, then of each start of the disturbed one.
        same_seed: The seed that the model heeds; None: each request's own.
    """

    number: int
    seeds: list[dict[str, Any]]
    config: dict[str, Any]
    faults: dict[str, Any]
    kills: tuple[tuple[float, float], ...]
    concurrency: tuple[int, ...]
    same_seed: int | None = None


def draw_case(number: int) -> Case:
    """Return a case; equal numbers make equal cases."""
    rng = random.Random(number)
    seeds = _seeds(rng)
    kills = tuple((rng.uniform(0, 1.1), rng.uniform(0, 0.05)) for _ in range(rng.randint(1, KILLS)))
    concurrency = tuple(rng.choice((1, 2, 5, 16)) for _ in range(KILLS + 2))
    config, faults = _config(rng, len(seeds)), _faults(rng)
    # A reply that is no use is asked for again with another seed, so that the model says something
    # else. With such faults both runs are equal only if the model heeds no seed.
    same_seed = 7 if UNUSABLE & faults.keys() else None
    return Case(number, seeds, config, faults, kills, concurrency, same_seed)


def _seeds(rng: random.Random) -> list[dict[str, Any]]:
    count, form = rng.randint(8, 20), NAMES[rng.choice(sorted(NAMES))]
    is_talk = rng.random() < 0.15
    rows = []
    for i in range(1, count + 1):
        # Every name is the beginning of later ones, as those of rows and their rewrites are.
        path = ".".join("121212"[: (i - 1) % 5 + 1]) + (f".{i}" if i > 5 else "")
        text = f"List the {i} largest rivers of {rng.choice(('Europe', 'Asia'))}."
        row: dict[str, Any] = {"id": form.format(i, path), "instruction": text}
        if is_talk:
            row["turns"] = [text, f"Why the {i}?"]
        elif rng.random() < 0.2:
            row["input"] = f"Rivers, part {i}."
        rows.append(row)
    return rows


def _config(rng: random.Random, rows: int) -> dict[str, Any]:
    is_search = rng.random() < 0.3
    evolve = _evolve(rng, is_search=is_search)
    responds = evolve["respond"]
    return {
        "name": "fuzz",
        "seed": rng.randint(0, 9),
        "data": {"path": "seeds.jsonl", **(_splits(rows) if is_search else {})},
        "optimizer": _search(rng) if is_search else {"name": "none"},
        "evolve": evolve,
        "answer": {"attempts": rng.choice((1, 2)), "samples": rng.choice((1, 1, 3))},
        "failure": {
            "rules": rng.choice(
                (["strict"], ["koevol"], ["strict+judge"], ["strict+judge", "strict+solver"], [])
            )
        },
        "filters": rng.choice(([], ["dedup"], ["dedup", {"top_added_words": 0.6}])),
        "scores": {"names": rng.choice(([], ["length", "growth"], ["overlap", "difficulty"]))},
        "output": {"formats": _formats(rng) if responds else []},
    }


def _evolve(rng: random.Random, *, is_search: bool) -> dict[str, Any]:
    count = 1 if is_search else rng.randint(1, 3)
    rounds = rng.choice((0, 1, 2, 3)) if not is_search else rng.randint(1, 2)
    section: dict[str, Any] = {
        "methods": rng.sample(METHODS, count) if not is_search else ["weak"],
        "choice": rng.choice(("random", "weighted", "round_robin", "bandit")),
        "rounds": rounds,
        "pool": rng.choice(("previous", "previous", "all")),
        "children": rng.choice(([1], [1], [2, 1], [2])),
        "attempts": rng.choice((1, 1, 2)),
        "on_failure": rng.choice(("drop", "requeue")),
        "save": rng.choice(("all", "last")),
        "respond": rounds == 0 or rng.random() < 0.6,
        "input": rng.choice(("keep", "append", "evolve")),
        "context": rng.choice(("none", "previous")),
    }
    if rounds > 1 and rng.random() < 0.3:
        del section["rounds"]
        section["until"] = {"words": [18, 90], "max_rounds": rounds}
    return section


def _splits(rows: int) -> dict[str, int]:
    return {"train_size": 3, "dev_size": rows // 3, "heldout_size": rows // 4}


def _search(rng: random.Random) -> dict[str, Any]:
    return {
        "name": rng.choice(("auto_evol", "paper")),
        "steps": rng.randint(1, 2),
        "batch_size": 3,
        "candidates": 2,
        "trajectory_rounds": rng.randint(1, 2),
        "headroom": False,
    }


def _formats(rng: random.Random) -> list[str]:
    return rng.sample(("alpaca", "sharegpt", "messages", "trl", "parquet"), rng.randint(0, 2))


def _faults(rng: random.Random) -> dict[str, Any]:
    shares = {fault: rng.uniform(0, 0.3) / 3 for fault in rng.sample(FAULTS, 3)}
    # A server that is far too slow once or twice: the call times out and is made again.
    hangs = rng.sample(range(40), rng.choice((0, 0, 0, 1)))
    return {"seed": rng.randint(0, 99), **shares, "hangs": hangs, "hang_s": 3.0}
