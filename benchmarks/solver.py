"""A solver as witness, on tasks whose true state is known: `python -m benchmarks.solver FILE`.

FILE holds labelled rows (`metric-check`'s keys), or questions with `gt`, as MathQ-Verify has them.
Half of the rows drawn are sound. No exam is held: the figures show what a model's solutions tell,
whether it would be admitted or not. Finished calls are kept; the same command resumes.
"""

import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from autoevol.experiments.judging.session import model_session, witness_settings
from autoevol.experiments.models.ledger import LedgerSettings
from autoevol.experiments.terminal.progress import progress_bar
from autoevol.metrics.stats.agreement import confusion
from autoevol.program.blocks import run_blocks
from autoevol.program.listeners import Phase
from autoevol.program.roles import Role
from autoevol.program.witnesses.solutions import IMPOSSIBLE, Solutions, TaskSolver

AGREE = 0.6
SEED = 18


@dataclass(frozen=True, slots=True)
class Task:
    """A task, and whether somebody can do it."""

    text: str
    is_sound: bool


def main(
    file: Path,
    sources: Annotated[list[str] | None, typer.Option("--source", help="Of the rows.")] = None,
    rows: Annotated[int, typer.Option(help="Half of them sound.")] = 100,
    samples: Annotated[int, typer.Option(help="k.")] = 3,
    model: str = "local/qwen2.5-coder-1.5b-instruct",
    out: Annotated[Path, typer.Option(help="Folder for finished calls.")] = Path("runs/solver"),
) -> None:
    """Solve the tasks, and print what agreement tells of their state."""
    tasks = drawn(read_tasks(file, sources or []), rows)

    async def work(roles: Mapping[str, Role], in_flight: int) -> list[Solutions]:
        solver, solutions = TaskSolver(roles["solver"]), dict[int, Solutions]()

        async def solve(block: Sequence[tuple[int, Task]]) -> None:
            for number, task in block:
                solutions[number] = await solver.solutions(task.text, samples)
                bar.advance(failed=solutions[number].fault(AGREE) is not None)

        await run_blocks(enumerate(tasks), solve, size=1, in_flight=in_flight)
        return [solutions[number] for number in range(len(tasks))]

    console = Console(width=110)
    settings = {"solver": witness_settings("solver", model)}
    ledger = LedgerSettings(out / "ledger.sqlite")
    with progress_bar(console) as bar:
        bar.on_phase(Phase("solve", len(tasks)))
        solutions = model_session(settings, ledger, work, bar=bar, say=console.print)
    console.print(table(tasks, solutions))


def read_tasks(file: Path, sources: Sequence[str]) -> list[Task]:
    """Return the tasks of a file; of all sources where none is named."""
    lines = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
    chosen = [row for row in lines if not sources or row.get("source") in sources]
    return [_task(row) for row in chosen]


def _task(row: Mapping[str, Any]) -> Task:
    if "question" in row:
        return Task(row["question"], bool(row["gt"]))
    return Task(row["evolved"], not row["failed"])


def drawn(tasks: Sequence[Task], rows: int) -> list[Task]:
    """Return so many tasks, half of them sound, in a drawn order."""
    generator = random.Random(SEED)
    halves = [[task for task in tasks if task.is_sound is kind] for kind in (True, False)]
    chosen = [task for half in halves for task in generator.sample(half, rows // 2)]
    return generator.sample(chosen, len(chosen))


def table(tasks: Sequence[Task], solutions: Sequence[Solutions]) -> Table:
    """Return the figures of all tasks, and of those that the solver does not call open."""
    lines = Table("tasks", "rows", "AUROC of doubt", "recall", "specificity", "balanced accuracy")
    pairs = list(zip(tasks, solutions, strict=True))
    checkable = [(task, solved) for task, solved in pairs if solved.is_checkable]
    for name, members in (("all", pairs), ("with results", checkable)):
        doubts = [(doubt(solved), not task.is_sound) for task, solved in members]
        verdicts = confusion(
            (solved.fault(AGREE) is not None, not task.is_sound) for task, solved in members
        )
        figures = (verdicts.recall, verdicts.specificity, verdicts.balanced_accuracy)
        lines.add_row(name, str(len(members)), f"{auroc(doubts):.2f}", *map(str, figures))
    return lines


def doubt(solved: Solutions) -> float:
    """Return how little solutions support that a task has one, in [0, 1]; 0: all agree."""
    if not solved.is_checkable:
        return 0.0
    supported = [result for result in solved.results if result not in ("", IMPOSSIBLE)]
    most = max((supported.count(result) for result in supported), default=0)
    return 1 - most / len(solved.results)


def auroc(pairs: Sequence[tuple[float, bool]]) -> float:
    """Return the probability that a broken task is doubted more than a sound one; ties are half."""
    broken = [score for score, is_broken in pairs if is_broken]
    sound = [score for score, is_broken in pairs if not is_broken]
    wins = sum((b > s) + (b == s) / 2 for b in broken for s in sound)
    return wins / (len(broken) * len(sound)) if broken and sound else float("nan")


if __name__ == "__main__":
    typer.run(main)
