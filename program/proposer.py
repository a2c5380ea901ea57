"""From trajectories to a new method: analyse, optimise, and refuse what is no method."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import dspy
from dspy.utils.exceptions import AdapterParseError, LMInvalidRequestError

from metrics.wording import shingles, words
from program.calls import collected_calls
from program.pipeline import TRANSPORT_ERRORS
from program.records import Trajectory
from program.roles import Role, ask
from signatures import AnalyzeTrajectory, Method, OptimizeMethod

_GENERAL = re.compile(r"^[\s>*#_-]*general(?: advice| feedback)?[\s*_]*[:：]\s*", re.IGNORECASE)
_BEFORE_ID = r"^[\s>*#`'\"(\[_-]*(?:\d+[.)]\s+)?[\s*`'\"(\[]*(?:case|id)?[\s:#*`'\"]*"
_AFTER_ID = r"(?![\w-])[\s`*\]\"'_:：,.)-]*(?:reason[\s*_]*[:：])?\s*(?P<reason>.*)$"
_INSTRUCTION = re.compile(
    r"\b(?:instruction|prompt|question|task|request)s?\b|지시|질문|명령", re.IGNORECASE
)
_REWRITING = re.compile(
    r"\b(?:re-?writ|harder|complex|difficult|challeng|evolv|deeper|demanding)|어렵|복잡",
    re.IGNORECASE,
)
_COPIED_RUN = 8
_FILLERS = frozenset({"a", "an", "and", "the"})


@dataclass(frozen=True, slots=True)
class Analysis:
    """The feedback f_t of the paper, taken apart.

    Attributes:
        reasons: Why a case failed, by case id.
        general: Advice for all instructions.
    """

    reasons: dict[str, str]
    general: str

    def __str__(self) -> str:
        lines = [f"{case}: {reason}" for case, reason in self.reasons.items()]
        return "\n".join([*lines, f"general: {self.general}"])


@dataclass(frozen=True, slots=True)
class Proposal:
    """A proposed method, or why there is none.

    Attributes:
        method: None when `rejected` says why.
        feedback: The analysis behind it.
    """

    method: Method | None
    feedback: str
    rejected: str | None = None


class Proposer(dspy.Module):
    """Analyses trajectories and rewrites the method (paper, section 3.2).

    Both calls are sampled anew for every candidate, as the paper has it; what it asks the model for
    is checked, because a method that is empty, cut off, known or no longer a method costs a whole
    evaluation.
    """

    def __init__(self, *, max_method_words: int, max_stage_words: int) -> None:
        super().__init__()
        self.analyze = dspy.Predict(AnalyzeTrajectory)
        self.optimize = dspy.Predict(OptimizeMethod)
        self.max_method_words = max_method_words
        self.max_stage_words = max_stage_words

    async def propose(
        self,
        parent: Method,
        cases: Sequence[Trajectory],
        role: Role,
        *,
        draw: int,
        temperature: float | None,
        name: str,
    ) -> Proposal:
        """Return one candidate made from `parent`; its demonstrations and thinking stay."""
        feedback = ""
        with collected_calls() as calls:
            try:
                feedback = await self._analysis(parent, cases, role, draw, temperature)
                answer = await ask(
                    self.optimize,
                    role,
                    draw=draw,
                    temperature=temperature,
                    method=parent.instructions,
                    feedback=feedback,
                    word_limit=self.max_method_words,
                )
            except AdapterParseError as error:
                return Proposal(None, feedback, f"unparsed reply: {error.lm_response!r:.80}")
            except (*TRANSPORT_ERRORS, LMInvalidRequestError) as error:
                return Proposal(None, feedback, f"the call failed: {error!s:.200}")
        text = answer.optimized_method.strip()
        is_cut = bool(calls) and calls[-1].is_truncated
        flaw = "cut off at the token limit" if is_cut else None
        flaw = flaw or flaw_of(text, cases, max_words=self.max_method_words)
        method = None if flaw else parent.with_instructions(text, name=name)
        return Proposal(method, feedback, flaw)

    async def _analysis(
        self,
        parent: Method,
        cases: Sequence[Trajectory],
        role: Role,
        draw: int,
        temperature: float | None,
    ) -> str:
        reply = await ask(
            self.analyze,
            role,
            draw=draw,
            temperature=temperature,
            method=parent.instructions,
            trajectories=render_cases(cases, max_words=self.max_stage_words),
        )
        return str(read_analysis(reply.analysis, {case.id for case in cases}))


def render_cases(cases: Sequence[Trajectory], *, max_words: int) -> str:
    """Return the cases as text, one block each: id, stages, and what F noted."""
    blocks = []
    for case in cases:
        stages = [f"stage {i}: {_cut(text, max_words)}" for i, text in enumerate(case.stages)]
        blocks.append(
            "\n".join([f"case {case.id}", *stages, *(f"note on {n}" for n in case.notes)])
        )
    return "\n\n".join(blocks)


def read_analysis(text: str, case_ids: set[str]) -> Analysis:
    """Read lines `id: reason` and `general: advice`, however they are decorated.

    What belongs to no known case counts as general advice, so that nothing is lost.
    """
    reasons: dict[str, str] = {}
    general: list[str] = []
    for line in filter(None, map(str.strip, text.splitlines())):
        case, reason = _reason(line, case_ids)
        if case is None or _GENERAL.match(line):
            general.append(_GENERAL.sub("", line).strip(" *"))
        else:
            reasons[case] = f"{reasons[case]}; {reason}" if case in reasons else reason
    return Analysis(reasons, " ".join(general))


def _reason(line: str, case_ids: set[str]) -> tuple[str | None, str]:
    """Return the case that a line begins with, and what it says of it."""
    for case in sorted(case_ids, key=len, reverse=True):
        match = re.match(_BEFORE_ID + re.escape(case) + _AFTER_ID, line, re.IGNORECASE)
        if match:
            return case, match["reason"].strip(" *") or line
    return None, line


def flaw_of(text: str, cases: Sequence[Trajectory], *, max_words: int) -> str | None:
    """Return why `text` is not usable as a method, or None."""
    count = len(words(text))
    if not count:
        return "empty"
    if count > max_words:
        return f"{count} words, {max_words} allowed"
    if not (_INSTRUCTION.search(text) and _REWRITING.search(text)):
        return f"no longer a method: {text[:80]!r}"
    seen = {run for case in cases for stage in case.stages for run in shingles(stage, _COPIED_RUN)}
    copied = shingles(text, _COPIED_RUN) & seen
    return f"copies a case: {min(copied)!r}" if copied else None


def fingerprint(method: Method) -> str:
    """Return what two methods share that say the same: their words, without articles and "and"."""
    return " ".join(word for word in words(method.instructions) if word not in _FILLERS)


def _cut(text: str, max_words: int) -> str:
    parts = text.split()
    return text if len(parts) <= max_words else " ".join(parts[:max_words]) + " …"
