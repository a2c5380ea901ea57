"""The files of a verified set, and what is shown of it.

constraints.jsonl: all constraints; the lost ones say where and why. verified.jsonl: rows for
fine-tuning, with their checks. pairs.jsonl: preferred and rejected answers. funnel.json: the
account of the stages. exam.json: what the witness of contradictions showed.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.table import Table

from autoevol.experiments.files.atomic import write_whole
from autoevol.metrics.stats.intervals import wilson
from autoevol.metrics.verification.preference import VerifiedAnswer
from autoevol.program.errors import ConfigError
from autoevol.program.verification.answers import AnsweredTask
from autoevol.program.verification.constraints import Constraint
from autoevol.program.verification.funnel import StageCount
from autoevol.program.verification.options import VerificationOptions
from autoevol.program.verification.pipeline import VerifiedSet
from autoevol.program.witnesses.exam import Fitness

CONSTRAINTS, VERIFIED, PAIRS, FUNNEL, EXAM = (
    "constraints.jsonl",
    "verified.jsonl",
    "pairs.jsonl",
    "funnel.json",
    "exam.json",
)


def write_set(folder: Path, verified: VerifiedSet, options: VerificationOptions) -> list[Path]:
    """Write the files; return those that MLflow keeps."""
    if folder.exists() and not folder.is_dir():
        raise ConfigError(str(folder), "is a file, where the verified set is to be written")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / EXAM).unlink(missing_ok=True)
    _write_lines(folder / CONSTRAINTS, map(constraint_line, verified.constraints))
    _write_lines(folder / VERIFIED, (row_line(task) for task in verified.tasks if task.kept))
    pairs = (pair for task in verified.tasks for pair in _pairs(task, options))
    _write_lines(folder / PAIRS, pairs)
    funnel = [asdict(count) for count in verified.funnel]
    _write_json(folder / FUNNEL, funnel)
    if verified.fitness:
        _write_json(folder / EXAM, verified.fitness.as_dict())
    names = (CONSTRAINTS, VERIFIED, PAIRS, FUNNEL, *([EXAM] if verified.fitness else []))
    return [folder / name for name in names]


def _write_json(file: Path, value: Any) -> None:
    write_whole(file, json.dumps(value, indent=2) + "\n")


def _write_lines(file: Path, lines: Iterable[Mapping[str, Any]]) -> None:
    write_whole(file, "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines))


def constraint_line(constraint: Constraint) -> dict[str, Any]:
    """Return a constraint as a line of its file."""
    check = constraint.check.as_json() if constraint.check else None
    return {**asdict(constraint), "check": check}


def row_line(task: AnsweredTask) -> dict[str, Any]:
    """Return a row for fine-tuning: the best answer, and the checks that it was held against."""
    best = task.kept[0]
    query = task.task.query
    return {
        "id": task.task.id,
        "seed_id": query.id,
        "instruction": task.task.instruction,
        "input": "",
        "response": best.text,
        **({"system": query.system} if query.system else {}),
        "constraint": task.task.constraint.text,
        "pass_rate": best.rate,
        "grade": best.grade,
        "answers": len(task.kept),
        "checks": _checks(task.task.constraint, best),
    }


def _checks(constraint: Constraint, answer: VerifiedAnswer) -> list[dict[str, Any]]:
    """Return the checks that an answer passes: a row is not to break its own."""
    checks = zip(constraint.checks, answer.passes, strict=True)
    return [check.as_json() for check, is_passed in checks if is_passed]


def _pairs(task: AnsweredTask, options: VerificationOptions) -> list[dict[str, Any]]:
    """Return pairs as TRL reads them."""
    order = task.task.query.system
    system = [{"role": "system", "content": order}] if order else []
    return [
        {
            "id": f"{task.task.id}-{number}",
            "prompt": [*system, {"role": "user", "content": task.task.instruction}],
            "chosen": [{"role": "assistant", "content": chosen.text}],
            "rejected": [{"role": "assistant", "content": rejected.text}],
            "checks": _checks(task.task.constraint, chosen),
        }
        for number, (chosen, rejected) in enumerate(task.pairs(options), 1)
    ]


def funnel_table(funnel: Sequence[StageCount]) -> Table:
    """Return the account of the stages, with what was lost why."""
    table = Table("stage", "of", "entered", "left", "lost")
    for count in funnel:
        lost = ", ".join(f"{reason} {number}" for reason, number in count.lost.items())
        table.add_row(count.stage, count.unit, str(count.entered), str(count.left), lost)
    return table


def exam_line(fitness: Fitness) -> str:
    """Return what the witness of contradictions showed, and what follows."""
    verdict = "is heard" if fitness.is_fit else "is not heard, so stages 4 and 5 are left out"
    return f"The witness of contradictions {verdict}: it {fitness} pairs of its exam"


def pass_rates(tasks: Sequence[AnsweredTask]) -> dict[str, dict[str, float]]:
    """Return for each kind of constraint the share of answers that pass all its verifiers.

    Constraints of models are one kind, `code`. The interval is Wilson's, 95 %.
    """
    passed: dict[str, list[bool]] = {}
    for task in tasks:
        check = task.task.constraint.check
        own = passed.setdefault(check.kind if check else "code", [])
        own += [answer.rate == 1 for answer in task.answers]
    return {kind: _share(results) for kind, results in sorted(passed.items()) if results}


def _share(results: Sequence[bool]) -> dict[str, float]:
    low, high = wilson(sum(results), len(results))
    value = sum(results) / len(results)
    return {"value": value, "low": low, "high": high, "answers": len(results)}


def rates_table(rates: Mapping[str, Mapping[str, float]]) -> Table:
    """Return the pass rates as a table."""
    table = Table("kind", "answers", "pass rate (95 %)")
    for kind, rate in rates.items():
        shown = f"{rate['value']:.2f} ({rate['low']:.2f}–{rate['high']:.2f})"
        table.add_row(kind, f"{rate['answers']:.0f}", shown)
    return table
