"""What F reaches with witnesses of a known accuracy: `python -m benchmarks.witnesses [FILE ...]`.

The judge and the solver are stand-ins: they know each row's label and answer truly with the given
probability, independently for each call. They take the real exam, and F asks them its real
questions. FILEs hold labelled rows; by default those in sixteen languages that ship.
"""

import asyncio
import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import fmean
from typing import Annotated, Any

import dspy
import typer
from rich.console import Console
from rich.table import Table

from autoevol.experiments.judging.labelled import LabelledRow, read_labelled
from autoevol.experiments.judging.metric_check import Classes, broken_by_response
from autoevol.metrics import Reason, fails
from autoevol.metrics.quality.consistency import OPEN
from autoevol.program.evolution.failure import FailureMetric, failure_metric
from autoevol.program.roles import Role
from autoevol.program.witnesses.exam import exam
from autoevol.program.witnesses.judge import Judge
from autoevol.program.witnesses.solutions import IMPOSSIBLE
from autoevol.program.witnesses.solver import Solver

LABELLED = Path(__file__).resolve().parents[1] / "data" / "labelled"
FILES = [LABELLED / "languages.jsonl", LABELLED / "free_wording.jsonl"]
ACCURACIES = (0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 1.0)
UNSOLVABLE = frozenset(("contradiction_or_unsolvable", "premise_removed"))
WITNESSES = {"none": ("strict",), "judge": ("strict+judge",), "solver": ("strict+solver",)}
SETS = {**WITNESSES, "both": ("strict+judge", "strict+solver")}


class Truth:
    """What the stand-ins know of rows and exam items, by the rewrite."""

    def __init__(self, rows: Sequence[LabelledRow]) -> None:
        self.adds: dict[str, bool] = {}
        self.results: dict[str, str] = {}
        self.is_broken: dict[str, bool] = {}
        for row in rows:
            text, own = row.case.evolved or "", _number(row.case.source)
            is_broken = bool(UNSOLVABLE.intersection(row.kinds))
            self.adds[text] = not row.failed or is_broken
            result = IMPOSSIBLE if is_broken else own if "unchanged" in row.kinds else _number(text)
            # A task of another domain is a text, a program or an opinion: nobody can compare it.
            has_result = row.domain == "math"
            self.results[row.case.source] = own if has_result else OPEN
            self.results[text] = result if has_result else OPEN
            self.is_broken[text] = is_broken
        for item in exam().items:
            self.adds[item.rewrite] = item.is_sound or item.topic == "solvable"
            is_broken = item.topic == "solvable" and not item.is_sound
            self.results[item.rewrite] = IMPOSSIBLE if is_broken else item.answer or OPEN
            self.is_broken[item.rewrite] = is_broken


class StandIn(dspy.LM):
    """A judge and solver that answers truly with a known probability."""

    def __init__(self, truth: Truth, accuracy: float, seed: int) -> None:
        super().__init__("openai/none", cache=False)
        self.truth, self.accuracy, self.seed = truth, accuracy, seed

    async def acall(self, *_: Any, messages: list[dict[str, Any]], **settings: Any) -> list[str]:
        """Answer the question of the system turn."""
        system, user = messages[0]["content"], messages[-1]["content"]
        is_true = _chance(self.seed, settings["rollout_id"], user) < self.accuracy
        if system.startswith("You compare a rewrite"):
            return [self._demand(user, is_true=is_true)]
        if "failed_check" in system:
            return [self._check(user, is_true=is_true)]
        return [self._solution(user, settings["rollout_id"], is_true=is_true)]

    def _demand(self, user: str, *, is_true: bool) -> str:
        rewrite = user.split("Rewrite:\n", 1)[1].rsplit("\n\n", 1)[0]
        return rewrite if self.truth.adds[rewrite] is is_true else "none"

    def _check(self, user: str, *, is_true: bool) -> str:
        task = user.split("[[ ## task ## ]]\n", 1)[1].split("\n\nRespond with")[0]
        is_broken = self.truth.is_broken[task] is is_true
        name = "consistency" if is_broken else "none"
        return (
            f"[[ ## finding ## ]]\nx\n\n[[ ## failed_check ## ]]\n{name}\n\n[[ ## completed ## ]]"
        )

    def _solution(self, user: str, draw: int, *, is_true: bool) -> str:
        task = user.removeprefix("Task:\n").rsplit("\n\n", 1)[0]
        result = self.truth.results.get(task) or self.truth.results[user.removeprefix("Task:\n")]
        return f"Answer: {result if is_true else draw}"


def main(
    files: Annotated[list[Path] | None, typer.Argument(help="Labelled rows, JSONL.")] = None,
    seeds: Annotated[int, typer.Option(help="Runs of the stand-ins; means are shown.")] = 3,
) -> None:
    """Print a line for each accuracy and kind of witness."""
    rows = [row for file in files or FILES for row in read_labelled(file) if row.case.evolved]
    table = Table("witness", "accuracy", "admitted", "recall", "of it failed", "specificity")
    for title in ("suspected good", "kept bad"):
        table.add_column(title)
    for name, sets in SETS.items():
        for accuracy in ACCURACIES if name != "none" else (1.0,):
            figures = [_figures(rows, sets, accuracy, seed) for seed in range(seeds)]
            means = [fmean(values) for values in zip(*figures, strict=True)]
            shown = "–" if name == "none" else f"{accuracy:.2f}"
            table.add_row(name, shown, *(f"{mean:.2f}" for mean in means))
    Console(width=120).print(table)


def _figures(
    rows: Sequence[LabelledRow], sets: Sequence[str], accuracy: float, seed: int
) -> tuple[float, ...]:
    role = Role(StandIn(Truth(rows), accuracy, seed), "stand-in")
    metric = failure_metric(sets, [], judge=Judge(role), solver=Solver(role))
    reasons = asyncio.run(_reasons(rows, metric))
    groups = [bool(fitness.groups) for fitness in metric.fitness.values()]
    return (fmean(groups) if groups else 0.0, *_shares(rows, reasons))


async def _reasons(rows: Sequence[LabelledRow], metric: FailureMetric) -> list[tuple[Reason, ...]]:
    await metric.prepare()
    classes, by_class = Classes(rows), dict[str, FailureMetric]()
    results = []
    for row in rows:
        evolver = classes.of(row)
        chosen = by_class.setdefault(evolver, metric.for_evolver(evolver))
        reasons = await chosen.reasons("evolve", row.rewrite)
        results.append((*reasons, *broken_by_response("strict", row)))
    return results


def _shares(rows: Sequence[LabelledRow], reasons: Sequence[tuple[Reason, ...]]) -> Iterator[float]:
    good = [found for row, found in zip(rows, reasons, strict=True) if not row.failed]
    bad = [found for row, found in zip(rows, reasons, strict=True) if row.failed]
    yield _share(bad, lambda found: bool(found))
    yield _share(bad, fails)
    yield _share(good, lambda found: not fails(found))
    yield _share(good, lambda found: bool(found) and not fails(found))
    yield _share(bad, lambda found: not fails(found))


def _share(group: Sequence[tuple[Reason, ...]], holds: Any) -> float:
    return sum(bool(holds(found)) for found in group) / len(group) if group else float("nan")


def _number(text: str) -> str:
    """Return a result that no other text has."""
    return str(int.from_bytes(hashlib.sha256(text.encode()).digest()[:5], "big"))


def _chance(*parts: object) -> float:
    digest = hashlib.sha256(repr(parts).encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


if __name__ == "__main__":
    typer.run(main)
