"""`verified.html`: one self-contained page about a verified set."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from autoevol.experiments.files.atomic import write_whole
from autoevol.experiments.report.html import embedded_files, page
from autoevol.experiments.verification.results import exam_line, row_line
from autoevol.program.verification.funnel import StageCount
from autoevol.program.verification.options import VerificationOptions
from autoevol.program.verification.pipeline import VerifiedSet

PAGE = "verified.html"
_SHOWN = 60

_REMEDIES = {
    "no_reply": "the model gave no reply that can be read; see its max_tokens",
    "no_code": "a stronger evolver, or more `samples`, writes more verifiers",
    "syntax_error": "a stronger evolver, or more `samples`, writes more verifiers",
    "disagrees": "a stronger evolver writes verifiers that fit their examples",
    "few_functions": "more `samples`, or a lower `least_functions`",
    "few_cases": "more `samples`, or a lower `least_cases`",
    "one_sided": "more `samples`; with `two_sided: false` such constraints pass",
    "no_function": "a stronger evolver, or more `samples`, writes more verifiers",
    "no_case": "a stronger evolver, or more `samples`, writes more examples",
    "unsupported": "install bubblewrap: Monty runs a part of Python",
    "propose duplicate": "fewer `proposals`, or seed constraints that differ more",
    "verify duplicate": "a higher `models.responder.temperature`",
    "verifier_failed": "more `responses`, or a stronger responder",
    "low_grade": "more `responses`, or a lower `grade_above`",
    "no_grade": "the judge's replies hold no grade; see its max_tokens",
    "no_answer": "more `responses`",
}
"""What helps against a reason, at one stage or at all, where something in the config does."""


def advice(funnel: Sequence[StageCount]) -> str:
    """Return where the largest share was lost, why, and what helps; "": nothing was lost."""
    stages = [count for count in funnel if count.lost and count.stage != "rows"]
    if not stages:
        return ""
    worst = max(stages, key=lambda count: 1 - count.left / count.entered)
    reason = next(iter(worst.lost))
    lost = f"{worst.entered - worst.left:,} of {worst.entered:,} {worst.unit}"
    help_ = _REMEDIES.get(f"{worst.stage} {reason}") or _REMEDIES.get(reason)
    remedy = f"; what helps: {help_}" if help_ else ""
    return f"Most was lost at {worst.stage}: {lost}, mainly by {reason.replace('_', ' ')}{remedy}."


def write_page(
    folder: Path,
    name: str,
    verified: VerifiedSet,
    options: VerificationOptions,
    rates: Mapping[str, Any],
) -> Path:
    """Write the page; return its path.

    Args:
        folder: Of the set, with its pictures.
        name: Of the config.
        verified: The set.
        options: Of the stages.
        rates: Pass rates by kind.
    """
    pictures = {name: folder / f"{name}.png" for name in ("stages", "pass_rates")}
    text = page(
        "verified.html.j2",
        name=name,
        rows=[row_line(task) for task in verified.tasks if task.kept],
        tasks=len(verified.tasks),
        pairs=sum(len(task.pairs(options)) for task in verified.tasks),
        left=sum(not constraint.lost_at for constraint in verified.constraints),
        constraints=verified.constraints,
        funnel=verified.funnel,
        advice=advice(verified.funnel),
        exam=exam_line(verified.fitness) if verified.fitness else "",
        rates=rates,
        pictures=embedded_files({n: file for n, file in pictures.items() if file.is_file()}),
        shown_constraints=_SHOWN,
    )
    return write_whole(folder / PAGE, text)
