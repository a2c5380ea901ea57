"""The failure metric's speed: milliseconds a row and rule, on the labelled rows.

Run it as `python -m benchmarks.metric`. Each row is judged at both stages, as a run does it. The
caches of texts are emptied before every pass, since a real row is seen once.
"""

import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median

from rich.console import Console
from rich.table import Table

from autoevol.experiments.judging.labelled import LabelledRow, read_labelled
from autoevol.metrics import RULE_SETS, SETS_ON_TEXTS, broken, compose

PASSES = 7
_LABELLED = Path(__file__).resolve().parent.parent / "data" / "labelled"


def main() -> None:
    """Print a line for each rule set, then the slowest rules of `strict`."""
    rows = [
        row for name in ("tune", "heldout") for row in read_labelled(_LABELLED / f"{name}.jsonl")
    ]
    console = Console()
    sets = Table("rule set", "ms a row", "of", title=f"{len(rows)} rows, median of {PASSES} passes")
    for name in SETS_ON_TEXTS:
        sets.add_row(name, f"{_per_row(rows, [name]):.3f}", f"{len(RULE_SETS[name])} rules")
    console.print(sets)
    slowest = sorted(((_per_row(rows, [rule]), rule) for rule in RULE_SETS["strict"]), reverse=True)
    each = Table("rule alone", "ms a row")
    for ms, rule in slowest[:8]:
        each.add_row(rule, f"{ms:.3f}")
    console.print(each)


def _per_row(rows: Sequence[LabelledRow], names: Sequence[str]) -> float:
    evolve, respond = compose(names, "evolve"), compose(names, "respond")

    rewrites = [row.rewrite for row in rows]
    replies = [row.case for row in rows]

    def judge() -> None:
        for rewrite, reply in zip(rewrites, replies, strict=True):
            broken(evolve, rewrite)
            if reply.response is not None:
                broken(respond, reply)

    return median(_timed(judge) for _ in range(PASSES)) * 1e3 / len(rows)


def _timed(judge: Callable[[], None]) -> float:
    for module in [
        module for name, module in sys.modules.items() if name.startswith("autoevol.metrics.")
    ]:
        for cached in vars(module).values():
            if hasattr(cached, "cache_parameters") and cached.cache_parameters()["maxsize"] == 512:
                cached.cache_clear()
    started = time.perf_counter()
    judge()
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
