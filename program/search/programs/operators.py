"""How a proposal is made for a step of a program, where that differs from an evolving method's."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Literal, get_args, get_origin

from autoevol.program.search.operators import (
    MOST_DEMONSTRATIONS,
    Operator,
    drop_demonstration,
    merge,
    rewrite,
    shorten,
)
from autoevol.program.search.programs.state import ProgramState
from autoevol.program.search.proposer import (
    Prompts,
    Proposal,
    ProposalRequest,
    Proposer,
    render_cases,
)
from autoevol.program.search.settings import OperatorName
from autoevol.signatures import AnalyzeRuns, MergeSteps, Method, OptimizeStep, ShortenStep


async def edit(proposer: Proposer, request: ProposalRequest) -> Proposal:
    """Rewrite from the failed cases and the metric's feedback, without an analysis."""
    # Of the train rows: what the metric says of the dev rows would carry their answers over.
    failed = [case for case in request.cases if not case.demonstrations]
    if not failed:
        return Proposal(None, "", "no case of the mini-batch failed")
    shown = render_cases(failed, max_words=proposer.max_stage_words)
    return await proposer.rewrite_method(request, f"An automatic check failed these:\n\n{shown}")


async def add_demonstration(proposer: Proposer, request: ProposalRequest) -> Proposal:
    """Show cases to all steps: what each did where the run passed, or the labels where it failed.

    The draw selects the first; runs that passed come before labels. A step shows a case by its last
    call in that run, so that all steps work in the form of one run. A step without room, or with
    nothing to show, stays as it is.
    """
    parts = request.method.parts
    passed = [case.demonstrations for case in request.cases]
    labelled = [case.labelled for case in request.cases]
    unshown = [*_unshown(passed, parts, request.draw), *_unshown(labelled, parts, request.draw)]
    cases = unshown[: min(proposer.most_added, _least_room(parts))]
    if not cases:
        return Proposal(None, "", "no new row has passed, and none has labels to show")
    method = request.method
    for index, part in enumerate(parts):
        new = [pair for case in cases if (pair := _new_pair(case, index, part))]
        shown = replace(part, demonstrations=(*part.demonstrations, *dict.fromkeys(new)), about="")
        method = method.with_part(index, shown if new else part, name=request.name)
    titles = "; ".join(next(pair[0] for pair in case if pair) for case in cases)
    return Proposal(method, f"shows: {titles}")


_Case = tuple[tuple[str, str] | None, ...]
"""A case as a demonstration of each step; None for a step that has nothing to show."""


def _unshown(cases: Sequence[_Case], parts: Sequence[Method], draw: int) -> list[_Case]:
    """Return the cases that some step with room does not show yet, from the drawn one on."""
    new = [
        case
        for case in cases
        if case and any(_new_pair(case, index, part) for index, part in enumerate(parts))
    ]
    start = draw % len(new) if new else 0
    return [*new[start:], *new[:start]]


def _new_pair(case: _Case, index: int, part: Method) -> tuple[str, str] | None:
    """Return what a case adds to a step; None: nothing, or the step has no room."""
    pair = case[index]
    return pair if pair and _room(part) and pair not in part.demonstrations else None


def _least_room(parts: Sequence[Method]) -> int:
    """Return how many demonstrations every step with room can take."""
    return min((room for room in map(_room, parts) if room), default=0)


def _room(part: Method) -> int:
    return max(0, MOST_DEMONSTRATIONS - len(part.demonstrations))


# "Improved", for one, is a word of our prompts. A program may well be about methods.
_TALK = re.compile(
    r"\b(?:improved|optimi[sz]ed|present|shorter|joined|new) method\b"
    r"|\bimprove the method\b|\bthe method (?:should|must)\b",
    re.IGNORECASE,
)

PROGRAM_OPERATORS: Mapping[OperatorName, Operator] = {
    "rewrite": rewrite,
    "edit": edit,
    "shorten": shorten,
    "merge": merge,
    "add_demonstration": add_demonstration,
    "drop_demonstration": drop_demonstration,
}
"""A safeguard is a sentence about rewriting instructions, so no program has it."""

PROGRAM_NEED_CASES: frozenset[OperatorName] = frozenset(("rewrite", "edit", "add_demonstration"))


def prompts_for(state: ProgramState) -> Prompts:
    """Return the optimizer model's prompts for a program."""
    tasks = [describe_step(state, index) for index in range(len(state.names))]
    return Prompts(
        analyze=AnalyzeRuns,
        optimize=OptimizeStep,
        bolder={},
        shorten=ShortenStep,
        merge=MergeSteps,
        task=lambda request: {"task": tasks[request.predictor]},
        flaw=talk_in,
        may_quote_cases=True,
    )


def talk_in(text: str) -> str | None:
    """Return why `text` gives no orders, or None: it talks about the method, as weak models do."""
    talk = _TALK.search(text)
    return f"talks about the method: {talk[0]!r}" if talk else None


def describe_step(state: ProgramState, index: int) -> str:
    """Return what a predictor reads and writes, and the other steps of its program, as text."""
    signature = state.predictor(index).signature
    others = [name for name in state.names if name != state.names[index]]
    lines = [
        f"The step {state.names[index]!r} of the program reads:",
        *_fields(signature.input_fields),
        "It writes:",
        *_fields(signature.output_fields),
    ]
    return "\n".join([*lines, *([f"Other steps: {', '.join(others)}."] if others else [])])


def _fields(fields: Mapping[str, object]) -> list[str]:
    return [f"- {name}{_meaning(name, field)}" for name, field in fields.items()]


def _meaning(name: str, field: object) -> str:
    """Return a field's type and description, without DSPy's own placeholder."""
    extra = getattr(field, "json_schema_extra", None) or {}
    description = extra.get("desc", "")
    parts = [_type(getattr(field, "annotation", str)), description]
    meaning = ", ".join(part for part in parts if part and part != f"${{{name}}}")
    return f": {meaning}" if meaning else ""


def _type(annotation: object) -> str:
    if annotation is str:
        return ""
    if get_origin(annotation) is Literal:
        return f"one of {', '.join(map(str, get_args(annotation)))}"
    return getattr(annotation, "__name__", str(annotation))
