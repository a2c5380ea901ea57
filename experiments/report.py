"""`report.html`: one self-contained page about a run."""

import base64
import difflib
import json
import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import jinja2

from experiments.figures import failure_rate_figure, funnel_figure
from experiments.funnel import Stopped
from experiments.plan import Plan
from experiments.run_folder import RunFolder, as_yaml
from program.acceptance import pareto_front
from program.records import Evaluation, StepRecord
from signatures import Method

_SAMPLE = 20
_TEMPLATE = Path(__file__).with_name("report.html.j2")


def write_report(
    folder: RunFolder,
    plan: Plan,
    summary: dict[str, Any],
    steps: Sequence[StepRecord],
    best: Sequence[Method],
    stopped: Sequence[Stopped],
) -> list[Path]:
    """Write the report and its figures; return their paths. Pictures of scores are there before."""
    figures = {}
    if steps:
        figures["search"] = failure_rate_figure(steps, folder.path / "failure_rate.png")
    if stopped:
        figures["funnel"] = funnel_figure(stopped, folder.path / "funnel.png")
    page = (
        _environment()
        .from_string(_TEMPLATE.read_text("utf-8"))
        .render(
            name=plan.config.name,
            where=plan.where,
            summary=summary,
            steps=steps,
            front=pareto_front(_measured(steps)),
            best=best,
            start=plan.start,
            diff=_diff(plan.start, best[0]) if plan.start else [],
            pictures={name: _embedded(figure) for name, figure in figures.items()},
            rows=_sample(folder.path / "evolved.jsonl", random.Random(plan.config.seed)),
            stopped=stopped,
            scores=_by_name(summary["scores"]),
            score_pictures=[_embedded(file) for file in _score_pictures(folder.path, summary)],
            config=as_yaml(plan.config),
        )
    )
    return [folder.write("report.html", page), *figures.values()]


def _by_name(rounds: Sequence[dict[str, Any]]) -> dict[str, list[float | None]]:
    """Return each figure of the scores with its values, round by round."""
    if not rounds:
        return {}
    from experiments.score_book import flat

    found = [flat({k: v for k, v in figures.items() if k != "round"}) for figures in rounds]
    names = dict.fromkeys(name for figures in found for name in figures)
    return {name: [figures.get(name) for figures in found] for name in names}


def _score_pictures(folder: Path, summary: dict[str, Any]) -> list[Path]:
    """Return the pictures of the scores that this run has made."""
    return sorted(folder.glob("score_*.png")) if summary["scores"] else []


def _measured(steps: Sequence[StepRecord]) -> list[Evaluation]:
    """Return the methods that were measured on all dev rows."""
    tried = (c for step in steps for c in step.candidates if not c.is_pruned)
    return [*(step.incumbent for step in steps[:1]), *(c.evaluation for c in tried if c.evaluation)]


def _environment() -> jinja2.Environment:
    return jinja2.Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)


def _embedded(picture: Path) -> str:
    return base64.b64encode(picture.read_bytes()).decode()


def read_rows(file: Path) -> Iterator[dict[str, Any]]:
    """Yield the rows of a JSONL file."""
    with file.open(encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def _sample(file: Path, rng: random.Random) -> list[dict[str, Any]]:
    """Return some rows of a file that may be large, each with the same chance, in its order."""
    with file.open(encoding="utf-8") as lines:
        count = sum(1 for _ in lines)
    chosen = set(rng.sample(range(count), min(_SAMPLE, count)))
    with file.open(encoding="utf-8") as lines:
        return [json.loads(line) for number, line in enumerate(lines) if number in chosen]


def _diff(before: Method, after: Method) -> list[str]:
    lines = difflib.unified_diff(
        before.instructions.splitlines(), after.instructions.splitlines(), lineterm="", n=9
    )
    return list(lines)[2:]
