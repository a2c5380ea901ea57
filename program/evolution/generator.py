"""The bulk phase: every row goes through its rounds, and every rewrite through its attempts."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated, Literal

from annotated_types import Ge, Le, MinLen

from autoevol.program.bounds import Count, Few, FewOrNone, Temperature
from autoevol.program.checks.constraining import MOST_ADDED
from autoevol.program.draws import draw_number
from autoevol.program.evolution.accounts import Accounts
from autoevol.program.evolution.attempt import Attempt, LengthGoal
from autoevol.program.evolution.choice import ChoiceName, Chooser, RewriteSlot
from autoevol.program.evolution.evolver import Evolver
from autoevol.program.evolution.pipeline import Pipeline, add_usage
from autoevol.program.evolution.pool import PoolRule, in_pool_order
from autoevol.program.listeners import Listeners, Phase
from autoevol.program.records import MethodTally, Outcome, RoundCount, Row
from autoevol.signatures import Method
from autoevol.signatures.remedies import refusal_of

OnFailure = Literal["drop", "requeue"]
Pool = Literal["previous", "all"]
Save = Literal["all", "last"]
Schedule = Sequence[Sequence[Method]]
"""The methods of each round; the last entry also serves all later rounds."""


@dataclass(frozen=True)  # no slots: pydantic reads defaults off the class, where slots hide them
class GenerationOptions:
    """How the whole set is evolved, as a config's `evolve` names it.

    Attributes:
        choice: How a row gets its method where there are several. See `program.evolution.choice`.
        rounds: Generations; the paper's default is one. 0: the rows are answered as they are.
        first_round: Number of the first round.
        pool: What round t evolves: "previous": the rewrites of round t - 1; "all": every earlier
            row.
        children: Rewrites of a row in each round; the last number also serves all later rounds.
        attempts: Attempts at a rewrite before it counts as failed; each takes the next method where
            a round has several.
        retry_temperature: Sampling temperature from the second attempt on.
        feedback: Whether a further attempt is told, behind the row, why the last one failed.
        on_failure: "requeue" puts a row whose rewrites all failed back into the next round's pool,
            unchanged.
        save: "last": only rows that evolve no further are answered (and exported): those of the
            last round, and those that `until` stops.
        checks: Constraints that are added to each row that evolves no further. Code checks them:
            the row carries its checks, and `answer.check: constraints` holds its answer against
            them. See docs/verified.md.
    """

    choice: ChoiceName = "random"
    rounds: FewOrNone = 1
    first_round: Count = 1
    pool: Pool = "previous"
    children: Annotated[tuple[Few, ...], MinLen(1)] = (1,)
    attempts: Few = 1
    retry_temperature: Temperature = 0.7
    feedback: bool = False
    on_failure: OnFailure = "drop"
    save: Save = "all"
    checks: Annotated[int, Ge(0), Le(MOST_ADDED)] = 0


@dataclass(frozen=True)
class GenerationSettings(GenerationOptions):
    """How the whole set of one run is evolved.

    Attributes:
        weights: Weights by method's name, for the choice `weighted`.
        until: The length at which a row stops evolving.
        learned: The bandit's tallies at the start of each round of the run that is resumed. Its
            choices stay the same, although rows that were unscored then may be scored now.
        seed: The run's seed, for the choices.
    """

    weights: Mapping[str, float] = field(default_factory=dict)
    until: LengthGoal | None = None
    learned: Mapping[int, Mapping[str, MethodTally]] = field(default_factory=dict)
    seed: int = 0

    @property
    def last_round(self) -> int:
        """Number of the last round."""
        return self.first_round + self.rounds - 1

    @property
    def round_numbers(self) -> range:
        """Numbers of the rounds, in order."""
        return range(self.first_round, self.last_round + 1)

    def children_in(self, round_number: int) -> int:
        """Return the number of rewrites of each row in a round."""
        return self.children[min(round_number, len(self.children)) - 1]

    def most_rewrites(self, rows: int) -> int:
        """Return an upper bound of the rewrites of all rounds, attempts not counted."""
        return sum(self._rewrites_by_round(rows))

    def most_answers(self, rows: int) -> int:
        """Return an upper bound of the answered rewrites, attempts and samples not counted."""
        rewrites = self._rewrites_by_round(rows)
        # Each row is answered once, where it stops evolving, and no round has more rows than the
        # last.
        if self.save == "last" and self.pool == "previous":
            return rewrites[-1]
        return sum(rewrites)

    def _rewrites_by_round(self, rows: int) -> list[int]:
        rewrites = []
        for number in self.round_numbers:
            rewrites.append(rows * self.children_in(number))
            rows = rewrites[-1] + (rows if self.pool == "all" else 0)
        return rewrites


class Generator:
    """Applies methods to rows.

    Args:
        evolver: The program; the methods of `schedule` replace its own.
        schedule: The methods of each round, at least one each.
        pipeline: Roles, F, and how rows are grouped.
        settings: Rounds, attempts, choice.
        listeners: Called for every finished row.

    Attributes:
        by_method: Attempts by status, for each method's name.
    """

    def __init__(
        self,
        evolver: Evolver,
        schedule: Schedule,
        pipeline: Pipeline,
        settings: GenerationSettings,
        listeners: Listeners,
    ) -> None:
        self.pipeline = pipeline
        self.settings = settings
        self.listeners = listeners
        # Without rounds the rows are answered as they are, and are counted as round 0.
        self._accounts = Accounts(settings.round_numbers or (0,))
        self.by_method = self._accounts.by_method
        evolvers = [[evolver.with_method(method) for method in methods] for methods in schedule]
        self._rewriter = _Rewriter(evolvers, pipeline, settings, self._accounts)
        self._chooser = Chooser(settings.choice, settings.weights, {}, settings.seed)
        self._pool_rule = PoolRule(
            keeps_sources=settings.pool == "all",
            requeues_failed=settings.on_failure == "requeue",
            length_goal=settings.until,
        )

    async def generate(self, seeds: Sequence[Row], first: int = 0) -> list[RoundCount]:
        """Take each seed through all rounds and return the account of each round.

        A set may be generated in parts, one call each; the accounts are of all parts so far. Rows
        wait only for the others of their block: a row enters its next round as soon as its block
        has left the one before. With a bandit all rows wait for the end of each round, so that the
        next one learns from it.

        Args:
            seeds: In canonical order.
            first: Number of the first of them among all seeds.
        """
        settings = self.settings
        total = settings.most_rewrites(len(seeds)) if settings.rounds else len(seeds)
        self.listeners.on_phase(Phase("evolve" if settings.rounds else "answer", total))
        slots = (RewriteSlot(index, row) for index, row in enumerate(seeds, first))
        if not settings.rounds:
            await self.pipeline.run_blocks(slots, self._answer)
        elif settings.choice == "bandit":
            await self._bandit_rounds(slots)
        else:
            await self.pipeline.run_blocks(slots, self._all_rounds)
        return self._accounts.rounds()

    async def _all_rounds(self, block: Sequence[RewriteSlot]) -> None:
        pool = block
        for round_number in self.settings.round_numbers:
            pool = await self._round(pool, round_number, self._chooser)

    async def _bandit_rounds(self, slots: Iterable[RewriteSlot]) -> None:
        pool = list(slots)
        for round_number in self.settings.round_numbers:
            # A resumed run uses the stored tallies: rows that were unscored may be scored by now,
            # and other tallies would choose other methods for rows whose calls are paid.
            tallies = self.settings.learned.get(round_number, self._accounts.tallies())
            self.listeners.on_learned(round_number, tallies)
            pool = await self._bandit_round(pool, round_number, tallies)

    async def _bandit_round(
        self, pool: Sequence[RewriteSlot], round_number: int, tallies: Mapping[str, MethodTally]
    ) -> list[RewriteSlot]:
        """Take all rows through one round with the same tallies; return the next round's pool."""
        chooser = replace(self._chooser, tallies=tallies)
        parts: dict[tuple[int, ...], list[RewriteSlot]] = {}

        async def work(block: Sequence[RewriteSlot]) -> None:
            parts[block[0].position] = await self._round(block, round_number, chooser)

        await self.pipeline.run_blocks(pool, work)
        return in_pool_order(pool, parts)

    async def _round(
        self, pool: Sequence[RewriteSlot], round_number: int, chooser: Chooser
    ) -> list[RewriteSlot]:
        """Take a block through one round and return its part of the next round's pool."""
        count = self.settings.children_in(round_number)
        slots = [slot.for_child(child) for slot in pool for child in range(count)]
        outcomes = await self._rewriter.rewrite(slots, round_number, chooser)
        for outcome in outcomes:
            self._finish(outcome, round_number)
        # The rewrites of a row stand side by side, `count` of them.
        families = (outcomes[i * count : (i + 1) * count] for i in range(len(pool)))
        pairs = zip(pool, families, strict=True)
        return [
            after for slot, family in pairs for after in self._pool_rule.successors(slot, family)
        ]

    def _finish(self, outcome: Outcome, round_number: int) -> None:
        is_finished = self._pool_rule.is_finished(outcome)
        self._accounts.record_rewrite(outcome, round_number, is_finished=is_finished)
        self.listeners.on_row(outcome)

    async def _answer(self, block: Sequence[RewriteSlot]) -> None:
        """Answer rows as they are; a row that has an answer may keep it."""
        answer = self.pipeline.answer
        outcomes = [Outcome(slot.row, slot.row, "kept", place=(slot.index, 0)) for slot in block]
        missing = [outcome for outcome in outcomes if not answer.keeps_response(outcome.row)]
        attempts = [self._rewriter.answer_attempt(outcome.row) for outcome in missing]
        answered = iter(await self.pipeline.answer_block(missing, attempts))
        for outcome in outcomes:
            is_answered = not answer.keeps_response(outcome.row)
            last = replace(next(answered), place=outcome.place) if is_answered else outcome
            self._finish(last, 0)


@dataclass(frozen=True, slots=True)
class _Rewriter:
    """Attempts rewrites until they pass or their attempts are used up.

    Attributes:
        schedule: The evolvers of each round, one for each method.
        pipeline: Takes an attempt through its stages.
        settings: Attempts, temperatures, and where rows stop evolving.
        accounts: Count every attempt.
    """

    schedule: Sequence[Sequence[Evolver]]
    pipeline: Pipeline
    settings: GenerationSettings
    accounts: Accounts

    async def rewrite(
        self, slots: Sequence[RewriteSlot], round_number: int, chooser: Chooser
    ) -> list[Outcome]:
        """Return the last outcome of each slot, with the cost of all of its attempts."""
        outcomes: dict[int, Outcome] = {}
        pending = list(range(len(slots)))
        for number in range(self.settings.attempts):
            attempts = [
                self._attempt(slots[i], round_number, number, chooser, self._refusal(outcomes, i))
                for i in pending
            ]
            results = await self.pipeline.attempt_block(attempts)
            for i, outcome in zip(pending, results, strict=True):
                self.accounts.record_attempt(outcome)
                outcomes[i] = _with_earlier_cost(outcome, outcomes.get(i))
            # Only a failure is tried again: the calls of an unscored row have had their retries.
            pending = [i for i in pending if outcomes[i].status == "failed"]
        return [
            replace(outcomes[i], place=slot.place(round_number)) for i, slot in enumerate(slots)
        ]

    def answer_attempt(self, row: Row) -> Attempt:
        """Return the attempt that answers a row as it is."""
        return Attempt(row, self.schedule[0][0], draw_number("row", row.id, 0, 0), round=0)

    def _refusal(self, outcomes: Mapping[int, Outcome], slot: int) -> str:
        """Return what the evolver is told of a slot's last attempt."""
        last = outcomes.get(slot)
        if last is None or not self.settings.feedback:
            return ""
        # One reason, evidence before suspicion: small models follow one order better than several.
        reason = min(last.reasons, key=lambda r: r.finding == "suspicion", default=None)
        return refusal_of(reason.rule, reason.evidence) if reason else ""

    def _attempt(
        self,
        slot: RewriteSlot,
        round_number: int,
        number: int,
        chooser: Chooser,
        refusal: str,
    ) -> Attempt:
        """Return one attempt at a rewrite; `number` is its own, zero-based."""
        settings = self.settings
        # By the round's own number: a run that continues an earlier file (`first_round`) continues
        # in the schedule, too.
        evolvers = self.schedule[min(round_number, len(self.schedule)) - 1]
        names = [evolver.method_name for evolver in evolvers]
        row, *child = slot.coordinates
        return Attempt(
            source=slot.row,
            evolver=evolvers[chooser.choose(names, slot, round_number, number)],
            draw=draw_number("row", row, round_number, number, *child),
            round=round_number,
            child=slot.child,
            # Where the first attempt is greedy, another draw alone would bring the same reply.
            temperature=settings.retry_temperature if number else None,
            is_final=number + 1 == settings.attempts,
            is_last=settings.save == "all" or round_number == settings.last_round,
            checks=settings.checks,
            length_goal=settings.until,
            refusal=refusal,
        )


def _with_earlier_cost(outcome: Outcome, earlier: Outcome | None) -> Outcome:
    """Return the outcome of a later attempt, with the cost and the attempts of both."""
    if earlier is None:
        return outcome
    # The later outcome counts even where its calls died: the row is unscored, not failed, since it
    # could pass another time.
    usage = add_usage(earlier.row.usage, outcome.row.usage)
    row = replace(outcome.row, usage=usage)
    return replace(outcome, row=row, attempts=earlier.attempts + 1)
