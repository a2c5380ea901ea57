"""Does a search find methods that teach more? `python -m benchmarks.search.learnable`.

On local models, with maths seeds of known answer that the weak solver gets right in 20 to 80 % of
its tries. From `e0-shown`, searches minimise F with `teach: [learnable]`. The start and what each
search found are then measured on the same held-out rows. A row counts as kept if it passed F and is
known to teach. All calls are in one ledger: the same command resumes, and what is finished lies in
`results.json`.
"""

import argparse
import asyncio
import json
import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from autoevol.experiments.judging.session import model_session
from autoevol.experiments.models.ledger import LedgerSettings
from autoevol.experiments.models.settings import ModelSettings
from autoevol.experiments.terminal.progress import ProgressBar, progress_bar
from autoevol.metrics import compose, pairs
from autoevol.metrics.quality.learnable import LearnableOptions
from autoevol.metrics.stats.intervals import wilson
from autoevol.program.calls import collected_calls, paid_calls
from autoevol.program.evolution.evaluation import evaluate
from autoevol.program.evolution.evolver import Evolver
from autoevol.program.evolution.failure import failure_metric
from autoevol.program.evolution.pipeline import Pipeline
from autoevol.program.listeners import Listeners, Phase
from autoevol.program.records import Evaluation, Row
from autoevol.program.roles import Role, Roles
from autoevol.program.search.optimizer import AutoEvolInstruct
from autoevol.program.search.settings import PAPER, SearchSettings
from autoevol.program.search.teleprompters import EXTERNAL, ExternalOptimizer
from autoevol.program.witnesses.results import result_of_answer
from autoevol.program.witnesses.solutions import TaskSolver
from autoevol.program.witnesses.teaching import Teacher
from autoevol.signatures import Method, shipped_methods, to_markdown

_DATA = Path(__file__).resolve().parents[2] / "data"
SEEDS = (_DATA / "easy_en.jsonl",)
STRONG, WEAK = "local/qwen2.5-coder-1.5b-instruct", "local/qwen2.5-coder-0.5b-instruct"
START = "e0-shown"
LEAST_RIGHT, MOST_RIGHT = 0.2, 0.8
TRAIN, DEV, FRESH = 16, 12, 8
RESAMPLES = 10_000


@dataclass(frozen=True, slots=True)
class Settings:
    """What the experiment takes.

    Attributes:
        rows: Seeds that the weak solver is tried on.
        heldout: Rows on which the methods are compared.
        samples: k of each solver.
        calls: Of one search, all models together.
    """

    rows: int
    heldout: int
    samples: int
    calls: int
    folder: Path


def main() -> None:
    """Choose the seeds, search, and measure on held-out rows; print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--searches", nargs="*", default=["auto_evol"])
    parser.add_argument("--seeds", nargs="*", type=int, default=[1, 2, 3])
    parser.add_argument("--rows", type=int, default=240)
    parser.add_argument("--heldout", type=int, default=100)
    parser.add_argument("--samples", type=int, default=3)
    parser.add_argument("--calls", type=int, default=700)
    parser.add_argument("--folder", type=Path, default=Path("runs/learnable"))
    options = parser.parse_args()
    settings = Settings(
        options.rows, options.heldout, options.samples, options.calls, options.folder
    )
    searches = [(name, seed) for name in options.searches for seed in options.seeds]
    console = Console(width=120)

    async def work(roles: Mapping[str, Role], in_flight: int) -> dict[str, Any]:
        return await Experiment(settings, roles, in_flight, bar).run(searches)

    with progress_bar(console) as bar:
        results = model_session(
            MODELS,
            LedgerSettings(options.folder / "ledger.sqlite"),
            work,
            bar=bar,
            say=console.print,
        )
    console.print(table(results))


def _model(role: str, model: str, temperature: float, max_tokens: int) -> ModelSettings:
    return ModelSettings(
        model=model,
        role=role,
        temperature=temperature,
        top_p=0.95,
        max_tokens=max_tokens,
        timeout=600.0,
    )


MODELS = {
    "evolver": _model("evolver", STRONG, 0.4, 120),
    "optimizer": _model("optimizer", STRONG, 0.7, 384),
    "strong_solver": _model("strong_solver", STRONG, 0.7, 200),
    "solver": _model("solver", WEAK, 0.7, 200),
}


class Experiment:
    """One run of the experiment, phase by phase."""

    def __init__(
        self, settings: Settings, roles: Mapping[str, Role], in_flight: int, bar: ProgressBar
    ) -> None:
        self.settings, self.bar = settings, bar
        self.weak = TaskSolver(roles["solver"])
        teacher = Teacher(
            compose(["learnable", "-demands_no_more"], "teach"),
            LearnableOptions(samples=settings.samples),
            self.weak,
            TaskSolver(roles["strong_solver"]),
        )
        evolver = roles["evolver"]
        self.pipeline = Pipeline(
            Roles(evolver, evolver, roles["optimizer"], evolver),
            replace(failure_metric(["strict"], []), teacher=teacher),
            responds=False,
            block_rows=in_flight,
            suspects="drop",  # this evolver copies
        )
        self.listeners = Listeners(on_phase=bar.on_phase, on_row=bar.on_row)
        self.results: dict[str, Any] = {"settings": str(settings), "methods": {}}

    async def run(self, searches: Sequence[tuple[str, int]]) -> dict[str, Any]:
        """Return the results of all phases."""
        rows = await self._chosen_rows()
        heldout = rows[TRAIN + DEV + FRESH :][: self.settings.heldout]
        start = Evolver(shipped_methods()[START])
        await self._measure("start", start, heldout)
        for name, seed in searches:
            best = await self._search((name, seed), start, rows, heldout)
            await self._measure(f"{name}, seed {seed}", best, heldout)
        return self.results

    async def _chosen_rows(self) -> list[Row]:
        """Return the seeds that the weak solver gets right in 20 to 80 % of its tries."""
        rows = read_seeds()[: self.settings.rows]
        self.bar.on_phase(Phase("seeds", len(rows)))
        rates: dict[str, float] = {}

        async def solve(block: Sequence[Row]) -> None:
            for row, results in zip(
                block,
                await asyncio.gather(
                    *(self.weak.worked(row.prompt, self.settings.samples) for row in block)
                ),
                strict=True,
            ):
                rates[row.id] = results.count(result_of_answer(row.response)) / len(results)
                self.bar.advance(failed=False)

        await self.pipeline.run_blocks(rows, solve)
        chosen = [row for row in rows if LEAST_RIGHT <= rates[row.id] <= MOST_RIGHT]
        self.results["weak_rates"] = rates
        self.results["chosen"] = len(chosen)
        self._write()
        return chosen

    async def _search(
        self,
        search: tuple[str, int],
        start: Evolver,
        rows: Sequence[Row],
        heldout: Sequence[Row],
    ) -> Evolver:
        name, seed = search
        own = PAPER if name == "paper" else {}
        settings = SearchSettings(
            **{
                **own,
                "batch_size": 4,
                "candidates": 4,
                "max_calls": self.settings.calls,
                "max_method_words": 250,
                "boldness": ("sentence",),
            },
            seed=seed,
        )
        external = EXTERNAL.get(name)
        optimizer = (
            ExternalOptimizer(external, self.pipeline, settings, self.listeners)
            if external
            else AutoEvolInstruct(self.pipeline, settings, self.listeners)
        )
        best = await optimizer.acompile(
            start,
            trainset=rows[:TRAIN],
            valset=rows[TRAIN : TRAIN + DEV],
            freshset=rows[TRAIN + DEV : TRAIN + DEV + FRESH],
            heldoutset=heldout,
        )
        file = self.settings.folder / f"{name}-{seed}.md"
        file.write_text(to_markdown(best.method), encoding="utf-8")
        return best

    async def _measure(self, name: str, evolver: Evolver, rows: Sequence[Row]) -> None:
        with collected_calls(apart=True) as calls:
            evaluation = await evaluate(
                evolver, rows, self.pipeline, self.listeners, phase=f"held-out: {name}"
            )
        self.results["methods"][name] = _figures(evaluation, evolver.method, paid_calls(calls))
        self._write()

    def _write(self) -> None:
        file = self.settings.folder / "results.json"
        file.write_text(json.dumps(self.results, indent=1), encoding="utf-8")


def _figures(evaluation: Evaluation, method: Method, calls: int) -> dict[str, Any]:
    return {
        "method": method.id,
        "rows": {
            o.source.id: {
                "kept": o.verdict is False,
                "status": "unknown" if o.row.unknown else o.failed_at or o.status,
                "rule": o.reasons[0].rule if o.reasons else "",
                "calls": o.row.usage.get("calls", 0),
                "text": o.row.instruction,
            }
            for o in evaluation.outcomes
        },
        "calls": calls,
    }


def read_seeds() -> list[Row]:
    """Return the seeds in an order drawn once."""
    texts = [file.read_text("utf-8") for file in SEEDS]
    lines = [json.loads(line) for text in texts for line in text.splitlines()]
    rows = [
        Row(line["id"], line["id"], line["instruction"], response=line["response"])
        for line in lines
    ]
    random.Random(20).shuffle(rows)
    return rows


def table(results: Mapping[str, Any]) -> Table:
    """Return the yields; the difference to the start is paired by row."""
    methods = results["methods"]
    start = methods["start"]["rows"]
    printed = Table(
        *("method", "kept, in the band", "wins / losses", "p", "unknown", "kept per 100 calls"),
        *("ratio to the start (95 %)",),
    )
    for name, figures in methods.items():
        rows = figures["rows"]
        kept = sum(row["kept"] for row in rows.values())
        low, high = wilson(kept, len(rows))
        comparison = pairs(_lost(rows), _lost(start))
        ratio = bootstrap(start, rows)
        printed.add_row(
            name,
            f"{kept} of {len(rows)} ({low:.0%}–{high:.0%})",
            f"{comparison.won} / {comparison.lost}",
            f"{comparison.p_better:.3f}",
            str(sum(row["status"] == "unknown" for row in rows.values())),
            f"{100 * kept / _calls(rows):.1f}",
            "{:.2f} ({:.2f}–{:.2f})".format(*ratio),
        )
    return printed


def bootstrap(
    start: Mapping[str, Any], best: Mapping[str, Any], *, seed: int = 20
) -> tuple[float, float, float]:
    """Return the ratio of the yields per call with its 95 % interval, rows drawn in pairs.

    Draws in which the start keeps nothing have no ratio, and are left out.
    """
    names, rng = sorted(start), random.Random(seed)
    drawn = (_ratio(start, best, rng.choices(names, k=len(names))) for _ in range(RESAMPLES))
    # A nan is neither less nor more than a number: among them a list cannot be sorted.
    ratios = sorted(ratio for ratio in drawn if not math.isnan(ratio))
    if not ratios:
        return _ratio(start, best, names), math.nan, math.nan
    cut = len(ratios) // 40
    return _ratio(start, best, names), ratios[cut], ratios[-1 - cut]


def _ratio(start: Mapping[str, Any], best: Mapping[str, Any], names: Sequence[str]) -> float:
    def value(rows: Mapping[str, Any]) -> float:
        kept = sum(bool(rows[name]["kept"]) for name in names)
        return kept / max(1, sum(int(rows[name]["calls"]) for name in names))

    return value(best) / value(start) if value(start) else float("nan")


def _lost(rows: Mapping[str, Any]) -> dict[str, bool]:
    return {name: not row["kept"] for name, row in rows.items()}


def _calls(rows: Mapping[str, Any]) -> int:
    return max(1, sum(int(row["calls"]) for row in rows.values()))


if __name__ == "__main__":
    main()
