"""The rules that a judge model decides: its exam, its votes, its opinion on a case."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

import dspy
from dspy.utils.exceptions import AdapterParseError, LMInvalidRequestError

from autoevol.metrics import Case, Reason, Rule
from autoevol.program.draws import draw_number
from autoevol.program.roles import Role, ask
from autoevol.program.witnesses.exam import Exam, Exams, Fitness, Item, exam
from autoevol.program.witnesses.questions import (
    QUESTIONS,
    TOO_LITTLE_ADDED,
    Opinion,
    Question,
    may_be_suspected,
)

logger = logging.getLogger(__name__)

VOTE_TEMPERATURE = 0.7
"""Of the samples that vote; at the judge's own, often 0, all would be the same."""


class Judge:
    """A judge model, examined once for each rule.

    Args:
        role: The role whose model judges.
        paper: The exam; None: that of new runs.

    Attributes:
        exams: Those that were held.
    """

    def __init__(self, role: Role, paper: Exam | None = None) -> None:
        self.role = role
        self.exams = Exams()
        self._exam = paper or exam()

    async def decided(
        self, reasons: tuple[Reason, ...], rules: Sequence[Rule], case: Case
    ) -> tuple[Reason, ...]:
        """Return the reasons after the judge's opinions: with evidence, or without suspicions.

        Args:
            reasons: Suspicions at most.
            rules: Those of the judge are asked about, one after the other, until one fails the
                case: a failed row costs no further call.
            case: At the evolve stage.

        Raises:
            AdapterParseError: A reply does not parse, so F has no verdict.
            LMError: A call failed for good.
        """
        own = {rule.name: rule for rule in rules if rule.witness == "judge"}
        for name in (name for name in QUESTIONS if name in own):
            if not own[name].applies_to(case) or not _is_asked(QUESTIONS[name], reasons):
                continue
            opinion = await self.opinion(own[name], case)
            if opinion.evidence is not None:
                return (*reasons, Reason(name, opinion.evidence))
            if opinion.clears:
                reasons = tuple(r for r in reasons if r.rule not in TOO_LITTLE_ADDED)
        return reasons

    async def opinion(self, rule: Rule, case: Case) -> Opinion:
        """Return what the judge says of a case; it says nothing where it is not admitted.

        Raises:
            AdapterParseError: A reply does not parse.
            LMError: A call failed for good.
        """
        question = QUESTIONS[rule.name]
        if question.topics:
            fitness = await self.examine(rule)
            if not fitness.admits(case.source, case.evolved or ""):
                return Opinion()
        try:
            # The rewrite needs no coordinate: it is part of the prompt, and so of the ledger's key.
            return await self._asked(rule, case, draw_number(rule.name, case.source))
        except LMInvalidRequestError:
            # A filter of the judge's provider says nothing of the row.
            return Opinion()

    async def prepare(self, rules: Sequence[Rule]) -> None:
        """Hold the exams of some rules before the first row needs them.

        Raises:
            LMError: A call failed for good.
        """
        has_suspects = may_be_suspected(rules)
        for rule in (rule for rule in rules if rule.witness == "judge"):
            question = QUESTIONS[rule.name]
            if question.topics and (has_suspects or not question.is_for_suspects):
                await self.examine(rule)

    async def examine(self, rule: Rule) -> Fitness:
        """Return the judge's fitness for a rule; the first call asks about all items.

        Raises:
            LMError: A call failed for good.
        """
        return await self.exams.fitness_for(rule.name, lambda: self._tested(rule))

    async def _tested(self, rule: Rule) -> Fitness:
        items = self._exam.about(QUESTIONS[rule.name].topics)
        flags = await asyncio.gather(*(self._flag(rule, n, item) for n, item in enumerate(items)))
        fitness = self._exam.fitness(items, flags)
        if not fitness.is_fit:
            logger.warning(
                "%s is not fit to judge %r: it %s items of its exam; the rule abstains",
                self.role.model,
                rule.name,
                fitness,
            )
        return fitness

    async def _flag(self, rule: Rule, number: int, item: Item) -> bool:
        """Tell whether the judge calls an item broken; what it leaves open counts as wrong."""
        draw = draw_number("control", rule.name, number)
        try:
            opinion = await self._asked(rule, Case(item.original, item.rewrite), draw)
        except (AdapterParseError, LMInvalidRequestError):
            return item.is_sound
        # An opinion that neither fails nor clears the item decides nothing.
        if QUESTIONS[rule.name].must_decide and opinion == Opinion():
            return item.is_sound
        return opinion.evidence is not None

    async def _asked(self, rule: Rule, case: Case, draw: int) -> Opinion:
        question = QUESTIONS[rule.name]
        if question.inputs(case) is None:
            return Opinion()
        if question.mirror:
            turned = draw_number("mirror", draw)
            return of_both_orders(
                await self._reply(question, case, draw),
                await self._reply(question.mirror, case, turned),
            )
        if not question.has_votes:
            return await self._reply(question, case, draw)

        async def vote(number: int) -> Opinion | None:
            try:
                return await self._reply(question, case, draw_number("vote", draw, number))
            except AdapterParseError:
                return None

        opinion = await majority_opinion(vote, int(rule.numbers["votes"]))
        if opinion is None:
            raise AdapterParseError("judge", question.signature, "", message="no readable vote")
        return opinion

    async def _reply(self, question: Question, case: Case, draw: int) -> Opinion:
        prediction = await ask(
            dspy.Predict(question.signature),
            self.role,
            draw=draw,
            temperature=VOTE_TEMPERATURE if question.has_votes else None,
            **(question.inputs(case) or {}),
        )
        return question.opinion(prediction, case)


def of_both_orders(first: Opinion, second: Opinion) -> Opinion:
    """Return the opinion that holds in both orders of the texts; one that turns says nothing."""
    if (first.evidence is None) != (second.evidence is None):
        return Opinion()
    return first


async def majority_opinion(
    vote: Callable[[int], Awaitable[Opinion | None]], votes: int
) -> Opinion | None:
    """Return the opinion of the majority, with its first evidence; None: no vote is readable.

    Args:
        vote: Casts a vote, by its number from 0; None: unreadable, which fails nothing. Votes that
            can change nothing any more are not cast.
        votes: At least 1; in a tie nothing fails.
    """
    majority = votes // 2 + 1
    cast = list(await asyncio.gather(*(vote(number) for number in range(majority))))
    while len(cast) < votes and max(_counts(cast)) < majority:
        cast.append(await vote(len(cast)))
    if _counts(cast)[0] >= majority:
        return next(opinion for opinion in cast if opinion and opinion.evidence)
    return Opinion() if any(cast) else None


def _counts(cast: Sequence[Opinion | None]) -> tuple[int, int]:
    """Return how many votes fail a case, and how many do not."""
    failing = sum(opinion is not None and opinion.evidence is not None for opinion in cast)
    return failing, len(cast) - failing


def _is_asked(question: Question, reasons: Sequence[Reason]) -> bool:
    """Tell whether a question is asked about a case with these suspicions."""
    return not question.is_for_suspects or any(r.rule in TOO_LITTLE_ADDED for r in reasons)
