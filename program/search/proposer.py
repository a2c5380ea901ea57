"""The optimizer model's part in proposals: analyse, rewrite, shorten, merge (paper, 3.2)."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import dspy

from autoevol.metrics.text.wording import shingles, words
from autoevol.program.calls import collected_calls
from autoevol.program.records import Evaluation, Trajectory
from autoevol.program.roles import Role, ask
from autoevol.program.search.analysis import read_analysis, render_cases
from autoevol.program.search.archive import Archive
from autoevol.program.search.settings import SearchSettings
from autoevol.signatures import (
    AnalyzeTrajectory,
    MergeMethods,
    Method,
    OptimizeMethod,
    ShortenMethod,
)

_IN_VAIN = "These changes were tried and did not help; make another one:"


@dataclass(frozen=True, slots=True)
class ProposalRequest:
    """What a proposal is made from.

    Attributes:
        name: Of the method to be made.
        parent: The method to change, on the dev rows.
        archive: All that was measured so far.
        cases: The mini-batch under the parent; empty for operators that need none.
        draw: Which of the possible proposals to make.
        analysis_draw: Which of the possible analyses to use; None: the proposal's own.
        temperature: Of the optimizer model; None: its own.
    """

    name: str
    parent: Evaluation
    archive: Archive
    cases: Sequence[Trajectory]
    draw: int
    analysis_draw: int | None = None
    temperature: float | None = None

    @property
    def method(self) -> Method:
        """The method to change."""
        return self.parent.method


@dataclass(frozen=True, slots=True)
class Proposal:
    """A proposed method, or why there is none.

    Attributes:
        method: None when `rejected` says why.
        feedback: What it was made from.
    """

    method: Method | None
    feedback: str = ""
    rejected: str | None = None


class Proposer(dspy.Module):
    """Asks the optimizer model for methods, and checks what it gets.

    A method that is empty, cut off, too long or no longer a method would cost a whole evaluation.

    Args:
        role: The optimizer model.
        settings: `max_method_words` and `max_stage_words` count here.
    """

    def __init__(self, role: Role, settings: SearchSettings) -> None:
        super().__init__()
        self.analyze = dspy.Predict(AnalyzeTrajectory)
        self.optimize = dspy.Predict(OptimizeMethod)
        self.shorten = dspy.Predict(ShortenMethod)
        self.merge = dspy.Predict(MergeMethods)
        self.role = role
        self.max_method_words = settings.max_method_words
        self.max_stage_words = settings.max_stage_words

    async def analysis(self, order: ProposalRequest) -> str:
        """Return the feedback f_t on the order's cases."""
        cases = render_cases(order.cases, max_words=self.max_stage_words)
        reply = await ask(
            self.analyze,
            self.role,
            draw=order.draw if order.analysis_draw is None else order.analysis_draw,
            temperature=order.temperature,
            method=order.method.instructions,
            trajectories=cases,
        )
        return str(read_analysis(reply.analysis, {case.id for case in order.cases}))

    async def optimized(self, order: ProposalRequest, feedback: str) -> Proposal:
        """Return the parent, rewritten from feedback and from what was tried in vain."""
        tried = order.archive.tried
        told = f"{feedback}\n\n{_IN_VAIN}\n{tried}" if tried else feedback
        limit = self.max_method_words
        inputs = {"method": order.method.instructions, "feedback": told, "word_limit": limit}
        return await self._asked(order, self.optimize, told, **inputs)

    async def shortened(self, order: ProposalRequest, *, word_limit: int) -> Proposal:
        """Return the parent with fewer words."""
        method = order.method.instructions
        return await self._asked(order, self.shorten, "", method=method, word_limit=word_limit)

    async def merged(self, order: ProposalRequest, other: Method) -> Proposal:
        """Return one method that does what the parent and another one do."""
        return await self._asked(
            order,
            self.merge,
            other.instructions,
            first_method=order.method.instructions,
            second_method=other.instructions,
            word_limit=self.max_method_words,
        )

    async def _asked(
        self, order: ProposalRequest, predictor: dspy.Predict, source: str, **inputs: Any
    ) -> Proposal:
        with collected_calls() as calls:
            answer = await ask(
                predictor, self.role, draw=order.draw, temperature=order.temperature, **inputs
            )
        text = answer.optimized_method.strip()
        is_cut = bool(calls) and calls[-1].is_truncated
        flaw = "cut off at the token limit" if is_cut else None
        flaw = flaw or flaw_of(text, order.cases, max_words=self.max_method_words)
        method = None if flaw else order.method.with_instructions(text, name=order.name)
        return Proposal(method, source, flaw)


_INSTRUCTION = re.compile(
    r"\b(?:instruction|prompt|question|task|request)s?\b|지시|질문|명령", re.IGNORECASE
)


_REWRITING = re.compile(
    r"\b(?:re-?writ|harder|complex|difficult|challeng|evolv|deeper|demanding)|어렵|복잡",
    re.IGNORECASE,
)


_COPIED_RUN = 8


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
