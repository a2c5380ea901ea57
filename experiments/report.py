"""`report.html`: one self-contained page about a run."""

import base64
import difflib
import json
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2

from experiments.figures import failure_rate_figure
from experiments.plan import Plan
from experiments.run_folder import RunFolder, as_yaml
from program.records import StepRecord
from signatures import Method

_SAMPLE = 20
_FAILURES_PER_RULE = 3
_TEMPLATE = Path(__file__).with_name("report.html.j2")


@dataclass(frozen=True, slots=True)
class _Rule:
    name: str
    count: int
    examples: list[dict[str, Any]]


def write_report(
    folder: RunFolder,
    plan: Plan,
    summary: dict[str, Any],
    steps: Sequence[StepRecord],
    best: Sequence[Method],
) -> list[Path]:
    """Write the report and its figure; return their paths."""
    files = []
    picture = ""
    if steps:
        figure = failure_rate_figure(steps, folder.path / "failure_rate.png")
        picture = base64.b64encode(figure.read_bytes()).decode()
        files.append(figure)
    kept = _read(folder.path / "evolved.jsonl")
    failed = _read(folder.path / "failures.jsonl")
    page = (
        _environment()
        .from_string(_TEMPLATE.read_text("utf-8"))
        .render(
            name=plan.config.name,
            where=plan.where,
            summary=summary,
            steps=steps,
            best=best,
            start=plan.start,
            diff=_diff(plan.start, best[0]) if plan.start else [],
            picture=picture,
            rows=random.Random(plan.config.seed).sample(kept, min(_SAMPLE, len(kept))),
            rules=_by_rule(failed),
            config=as_yaml(plan.config),
        )
    )
    return [folder.write("report.html", page), *files]


def _environment() -> jinja2.Environment:
    return jinja2.Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)


def _read(file: Path) -> list[dict[str, Any]]:
    with file.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def _diff(before: Method, after: Method) -> list[str]:
    lines = difflib.unified_diff(
        before.instructions.splitlines(), after.instructions.splitlines(), lineterm="", n=9
    )
    return list(lines)[2:]


def _by_rule(failed: Sequence[dict[str, Any]]) -> list[_Rule]:
    counts = Counter(reason["rule"] for row in failed for reason in row["reasons"])
    return [
        _Rule(
            rule,
            count,
            [row for row in failed if any(r["rule"] == rule for r in row["reasons"])][
                :_FAILURES_PER_RULE
            ],
        )
        for rule, count in counts.most_common()
    ]
