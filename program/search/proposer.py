"""The optimizer model's part in proposals: analyse, rewrite, shorten, merge (paper, section 3.2).

Its replies are read tolerantly, since weak models decorate lines, and a reply that is no method is
rejected before it costs an evaluation on the dev rows.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import dspy

from autoevol.metrics.failure.form import chat_token_in
from autoevol.metrics.text.wording import shingles, words
from autoevol.program.calls import collected_calls
from autoevol.program.records import Evaluation, Trajectory
from autoevol.program.roles import Role, ask
from autoevol.program.search.archive import Archive, cut_to_words
from autoevol.program.search.settings import Boldness, SearchSettings
from autoevol.signatures import (
    AnalyzeTrajectory,
    MergeMethods,
    Method,
    OptimizeMethod,
    ReviewMethod,
    RewriteSection,
    RewriteWhole,
    ShortenMethod,
)

_FAILED_HEADING = "These changes were tried and did not help; make another one:"

_GENERAL = re.compile(r"^[\s>*#_-]*general(?: advice| feedback)?[\s*_]*[:：]\s*", re.IGNORECASE)
# Tolerated before a case's id: bullets, numbering, emphasis, quotes, "case" or "id"; after it:
# emphasis, punctuation and "reason:".
_BEFORE_ID = r"^[\s>*#`'\"(\[_-]*(?:\d+[.)]\s+)?[\s*`'\"(\[]*(?:case|id)?[\s:#*`'\"]*"
_AFTER_ID = r"(?![\w-])[\s`*\]\"'_:：,.)-]*(?:reason[\s*_]*[:：])?\s*(?P<reason>.*)$"

# A method speaks of instructions and of making them harder, in English or Korean. A reply without
# either is an answer, an apology or talk about the method.
_INSTRUCTION = re.compile(
    r"\b(?:instruction|prompt|question|task|request)s?\b|지시|질문|명령", re.IGNORECASE
)
_REWRITING = re.compile(
    r"\b(?:re-?writ|harder|complex|difficult|challeng|evolv|deeper|demanding)|어렵|복잡",
    re.IGNORECASE,
)
_COPIED_RUN = 8
"""A method that shares so many words in a row with a case was copied from it."""


@dataclass(frozen=True, slots=True)
class ProposalRequest:
    """What a proposal is made from.

    Attributes:
        name: Name of the new method.
        parent: The method to change, on the dev rows.
        archive: All methods measured so far.
        cases: The mini-batch under the parent; empty for operators that need none.
        draw: Which of the possible proposals to make.
        analysis_draw: Which of the possible analyses to use; None: the proposal's own.
        temperature: Of the optimizer model; None: its own.
        predictor: Number of the predictor to change, from 0.
        boldness: How much of the method a rewrite changes.
    """

    name: str
    parent: Evaluation
    archive: Archive
    cases: Sequence[Trajectory]
    draw: int
    analysis_draw: int | None = None
    temperature: float | None = None
    predictor: int = 0
    boldness: Boldness = "sentence"

    @property
    def method(self) -> Method:
        """The method to change."""
        return self.parent.method

    @property
    def part(self) -> Method:
        """The state of the predictor to change: the method itself, where there is one alone."""
        return self.method.parts[self.predictor]

    def with_part(self, part: Method) -> Method:
        """Return the method with another state of the predictor."""
        return self.method.with_part(self.predictor, part, name=self.name)


@dataclass(frozen=True, slots=True)
class Proposal:
    """A proposed method, or the reason why there is none.

    Attributes:
        method: None when the proposal was rejected.
        feedback: What the method was made from.
        rejected: Why the proposal was rejected.
    """

    method: Method | None
    feedback: str = ""
    rejected: str | None = None


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


def no_task(request: ProposalRequest) -> dict[str, str]:
    """Return no further input: what an evolving method is for stands in the prompts."""
    return {}


def flaw_of_rewriting(text: str) -> str | None:
    """Return why `text` is no evolving method, or None."""
    if _INSTRUCTION.search(text) and _REWRITING.search(text):
        return None
    return f"no longer a method: {text[:80]!r}"


BOLDER: Mapping[Boldness, type[dspy.Signature]] = {
    "section": RewriteSection,
    "whole": RewriteWhole,
}
"""Rewrites that may change more than a sentence."""


@dataclass(frozen=True, slots=True)
class Prompts:
    """The optimizer model's prompts; the defaults are those for evolving methods.

    Attributes:
        analyze: From `method` and `trajectories` to `analysis`.
        optimize: From `method`, `feedback` and `word_limit` to `optimized_method`.
        review: The analysis for a bolder rewrite.
        bolder: By boldness, with `cases` as a further input; empty: there is one prompt.
        shorten: From `method` and `word_limit` to `optimized_method`.
        merge: From `first_method`, `second_method` and `word_limit` to `optimized_method`.
        task: Returns the further inputs that all four take.
        flaw: Returns why a text is no method for the task, or None.
        may_quote_cases: Whether a method may share words with the cases. The copy guard refuses
            quotations of rows in any event.
    """

    analyze: type[dspy.Signature] = AnalyzeTrajectory
    optimize: type[dspy.Signature] = OptimizeMethod
    review: type[dspy.Signature] = ReviewMethod
    bolder: Mapping[Boldness, type[dspy.Signature]] = field(default_factory=lambda: BOLDER)
    shorten: type[dspy.Signature] = ShortenMethod
    merge: type[dspy.Signature] = MergeMethods
    task: Callable[[ProposalRequest], dict[str, str]] = no_task
    flaw: Callable[[str], str | None] = flaw_of_rewriting
    may_quote_cases: bool = False


class Proposer(dspy.Module):
    """Asks the optimizer model for methods, and checks its replies.

    Args:
        role: The optimizer model.
        settings: `max_method_words` and `max_stage_words` are used here; the operators read
            `most_added`.
        prompts: What the model is asked; None: the prompts for evolving methods.
    """

    def __init__(
        self, role: Role, settings: SearchSettings, prompts: Prompts | None = None
    ) -> None:
        super().__init__()
        self.prompts = prompts or Prompts()
        self.analyze = dspy.Predict(self.prompts.analyze)
        self.optimize = dspy.Predict(self.prompts.optimize)
        self.shorten = dspy.Predict(self.prompts.shorten)
        self.merge = dspy.Predict(self.prompts.merge)
        self.role = role
        self.max_method_words = settings.max_method_words
        self.max_stage_words = settings.max_stage_words
        self.is_old = False
        self.most_added = settings.most_added

    async def analyze_cases(self, request: ProposalRequest) -> str:
        """Return the feedback f_t on the request's cases."""
        cases = render_cases(request.cases, max_words=self.max_stage_words)
        is_bold = request.boldness in self.prompts.bolder
        reply = await ask(
            dspy.Predict(self.prompts.review) if is_bold else self.analyze,
            self.role,
            draw=request.draw if request.analysis_draw is None else request.analysis_draw,
            temperature=request.temperature,
            **self.prompts.task(request),
            method=request.part.instructions,
            trajectories=cases,
        )
        return str(read_analysis(reply.analysis, {case.id for case in request.cases}))

    async def rewrite_method(self, request: ProposalRequest, feedback: str) -> Proposal:
        """Return the parent, rewritten from feedback and from the proposals that failed."""
        failed = request.archive.failed_proposals
        source = f"{feedback}\n\n{_FAILED_HEADING}\n{failed}" if failed else feedback
        inputs = {"method": request.part.instructions, "feedback": source}
        predictor = self.optimize
        bolder = self.prompts.bolder.get(request.boldness)
        # An `edit` has no cases, and without any there is nothing to be bold about.
        if bolder and request.cases:
            shown = _worst_first(request.cases, feedback)
            inputs["cases"] = render_cases(shown, max_words=self.max_stage_words)
            predictor = dspy.Predict(bolder)
        limit = self.max_method_words
        return await self._propose(request, predictor, source, **inputs, word_limit=limit)

    async def shorten_method(self, request: ProposalRequest, *, word_limit: int) -> Proposal:
        """Return the parent with fewer words."""
        method = request.part.instructions
        return await self._propose(request, self.shorten, "", method=method, word_limit=word_limit)

    async def merge_methods(self, request: ProposalRequest, other: Method) -> Proposal:
        """Return one method that does what the parent and another one do."""
        return await self._propose(
            request,
            self.merge,
            other.instructions,
            first_method=request.part.instructions,
            second_method=other.instructions,
            word_limit=self.max_method_words,
        )

    async def _propose(
        self, request: ProposalRequest, predictor: dspy.Predict, source: str, **inputs: Any
    ) -> Proposal:
        draw, temperature = request.draw, request.temperature
        inputs = {**self.prompts.task(request), **inputs}
        with collected_calls() as calls:
            reply = await ask(predictor, self.role, draw=draw, temperature=temperature, **inputs)
        text = reply.optimized_method.strip()
        # The last call gave the reply; those before it were repaired. A method that lost its end
        # would pass the other checks.
        is_cut = bool(calls) and calls[-1].is_truncated
        flaw = "cut off at the token limit" if is_cut else None
        cases = () if self.prompts.may_quote_cases else request.cases
        kind = self.prompts.flaw
        flaw = flaw or flaw_of(text, cases, max_words=self.max_method_words, kind=kind)
        part = None if flaw else request.part.with_instructions(text, name=request.part.name)
        return Proposal(request.with_part(part) if part else None, source, flaw)


def _worst_first(cases: Sequence[Trajectory], feedback: str) -> list[Trajectory]:
    """Return the cases that F or the feedback criticises; all, if there are none."""
    # With a strong evolver F often finds nothing, and the analysis alone tells which are weak.
    reasons = read_analysis(feedback, {case.id for case in cases}).reasons
    failed = [case for case in cases if case.notes]
    weak = [case for case in cases if not case.notes and case.id in reasons]
    return [*failed, *weak] or list(cases)


def render_cases(cases: Sequence[Trajectory], *, max_words: int) -> str:
    """Return the cases as text, one block each: id, stages cut to `max_words`, and F's notes."""
    blocks = []
    for case in cases:
        labels = case.labels or [f"stage {i}" for i in range(len(case.stages))]
        pairs = zip(labels, case.stages, strict=True)
        stages = [f"{label}: {cut_to_words(text, max_words)}" for label, text in pairs]
        notes = [f"note on {note}" for note in case.notes]
        blocks.append("\n".join([f"case {case.id}", *stages, *notes]))
    return "\n\n".join(blocks)


def read_analysis(text: str, case_ids: set[str]) -> Analysis:
    """Read lines `id: reason` and `general: advice`, however they are decorated.

    A line that names none of the cases counts as general advice, so that nothing is lost.
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


def flaw_of(
    text: str,
    cases: Sequence[Trajectory],
    *,
    max_words: int,
    kind: Callable[[str], str | None] = flaw_of_rewriting,
) -> str | None:
    """Return why `text` is not usable as a method, or None.

    Args:
        text: The reply of the optimizer model.
        cases: The cases that the model was shown.
        max_words: A longer text is not usable.
        kind: Returns why a text is no method of the kind that is searched, or None.
    """
    count = len(words(text))
    if not count:
        return "empty"
    if count > max_words:
        return f"{count} words, {max_words} allowed"
    if token := chat_token_in(text):
        return f"holds a token of the chat template: {token}"
    if flaw := kind(text):
        return flaw
    shown = {run for case in cases for stage in case.stages for run in shingles(stage, _COPIED_RUN)}
    copied = shingles(text, _COPIED_RUN) & shown
    # `min`, since a set's order differs from process to process, and a resumed search has to
    # record the same reason.
    return f"copies a case: {min(copied)!r}" if copied else None


def _reason(line: str, case_ids: set[str]) -> tuple[str | None, str]:
    """Return the case whose id a line begins with, and what the line says of it."""
    # Longest id first: an id may begin with another one, as `s1.2` does with `s1`.
    for case in sorted(case_ids, key=len, reverse=True):
        match = re.match(_BEFORE_ID + re.escape(case) + _AFTER_ID, line, re.IGNORECASE)
        if match:
            return case, match["reason"].strip(" *") or line
    return None, line
