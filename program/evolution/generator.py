"""The bulk phase: rows times rounds, each row with its attempts, every row accounted for."""

from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Annotated, Literal

from annotated_types import MinLen

from autoevol.program.blocks import run_blocks
from autoevol.program.bounds import Count, Size, Temperature
from autoevol.program.draws import draw_number
from autoevol.program.evolution.attempt import Attempt, LengthGoal
from autoevol.program.evolution.choice import ChoiceName, Chooser, RewriteSlot
from autoevol.program.evolution.evolver import Evolver
from autoevol.program.evolution.pipeline import Pipeline, add_usage, answer_block, attempt_block
from autoevol.program.listeners import Listeners, Phase
from autoevol.program.records import MethodTally, Outcome, Row, Status
from autoevol.signatures import Method

OnFailure = Literal["drop", "requeue"]
Pool = Literal["previous", "all"]
Save = Literal["all", "last"]
Schedule = Sequence[Sequence[Method]]
"""The methods of each round; the last entry serves the rounds behind it."""

IDK = "IDK"
"""How koevol and auto-evol-instruct mark a row without an answer."""

Work = Callable[[Sequence[RewriteSlot]], Awaitable[object]]


@dataclass(frozen=True)  # no slots: pydantic reads defaults off the class, where slots hide them
class GenerationOptions:
    """How the whole set is evolved, as a config's `evolve` names it.

    Attributes:
        choice: How a row gets its method where there are several. See `program.evolution.choice`.
        rounds: Generations; the paper's default is one. 0: the rows are answered as they are.
        first_round: Number of the first of them.
        pool: Round t evolves what came out of round t - 1, or all that came before it.
        children: Rewrites of a row in each round; the last number serves the rounds behind it.
        attempts: Tries of a rewrite before it counts as failed; each with the next method where
            there are several.
        retry_temperature: Of the second attempt and later ones.
        on_failure: "requeue" puts a row whose rewrites all failed back into the next round's pool,
            unchanged.
        save: "last": only what comes to the end of its way is answered (and exported): rows of the
            last round, and those that `until` stops.
    """

    choice: ChoiceName = "random"
    rounds: Size = 1
    first_round: Count = 1
    pool: Pool = "previous"
    children: Annotated[tuple[Count, ...], MinLen(1)] = (1,)
    attempts: Count = 1
    retry_temperature: Temperature = 0.7
    on_failure: OnFailure = "drop"
    save: Save = "all"


@dataclass(frozen=True)
class GenerationSettings(GenerationOptions):
    """How the whole set of one run is evolved.

    Attributes:
        weights: For the choice `weighted`, by method's name.
        until: The length at which a row's way ends.
        learned: By round, the totals that a bandit began it with in an earlier try of the same
            run. It begins with them again, so that its choices stay what they were although rows
            that were unscored then may be scored now.
        seed: The run's.
    """

    weights: Mapping[str, float] = field(default_factory=dict)
    until: LengthGoal | None = None
    learned: Mapping[int, Mapping[str, MethodTally]] = field(default_factory=dict)
    seed: int = 0

    @property
    def last_round(self) -> int:
        """Number of the last round."""
        return self.first_round + self.rounds - 1

    def children_in(self, round_number: int) -> int:
        """Return how many rewrites a row gets in a round."""
        return self.children[min(round_number, len(self.children)) - 1]

    def most_rewrites(self, rows: int) -> int:
        """Return how many rewrites the rounds may come to, attempts not counted."""
        return sum(self._rewrites_by_round(rows))

    def most_answers(self, rows: int) -> int:
        """Return how many rewrites may be answered, tries and samples not counted.

        A row comes to its end once, and no round has more rows than the last.
        """
        made = self._rewrites_by_round(rows)
        return made[-1] if self.save == "last" and self.pool == "previous" else sum(made)

    def _rewrites_by_round(self, rows: int) -> list[int]:
        made = []
        for number in range(self.first_round, self.last_round + 1):
            made.append(rows * self.children_in(number))
            rows = made[-1] + (rows if self.pool == "all" else 0)
        return made


@dataclass(frozen=True, slots=True)
class RoundCount:
    """Where the rewrites of a round went: entered = kept + failed + unscored.

    Attributes:
        round: Its number; 0 for rows that are answered as they are.
        finished: Kept ones that are long enough, and so not part of the next round's pool.
    """

    round: int
    entered: int
    kept: int
    failed: int
    unscored: int
    finished: int = 0


class Generator:
    """Applies methods to rows.

    Args:
        evolver: The program; its method is replaced by those of `schedule`.
        schedule: Of each round at least one method.
        pipeline: Roles, F, and how rows are grouped.
        settings: Rounds, attempts, choice.
        listeners: Hear of every row as it is finished.

    Attributes:
        by_method: What became of the attempts with each method, by its name.
    """

    def __init__(
        self,
        evolver: Evolver,
        schedule: Schedule,
        pipeline: Pipeline,
        settings: GenerationSettings,
        listeners: Listeners,
    ) -> None:
        self.schedule = [[evolver.with_method(m) for m in methods] for methods in schedule]
        self.pipeline = pipeline
        self.settings = settings
        self.listeners = listeners
        self.by_method: dict[str, Counter[Status]] = {}
        self._tallies: dict[int, Counter[str]] = {}
        self._chooser = Chooser(settings.choice, settings.weights, {}, settings.seed)

    async def generate(self, seeds: Sequence[Row]) -> list[RoundCount]:
        """Take each seed through all rounds and return the account of each round.

        Rows do not wait for each other, but for those of their block: a row enters its next round
        as soon as it has left the one before. Only a bandit makes all rows wait for the end of a
        round, to learn from it.
        """
        settings = self.settings
        total = settings.most_rewrites(len(seeds)) if settings.rounds else len(seeds)
        self.listeners.on_phase(Phase("evolve" if settings.rounds else "answer", total))
        rounds = range(settings.first_round, settings.last_round + 1)
        self._tallies = {number: Counter() for number in rounds or (0,)}
        places = (RewriteSlot(index, row) for index, row in enumerate(seeds))
        if not settings.rounds:
            await self._blocks(places, self._answer)
        elif settings.choice == "bandit":
            await self._round_by_round(places, rounds)
        else:
            await self._blocks(places, partial(self._all_rounds, rounds))
        return [_count(number, tally) for number, tally in self._tallies.items()]

    async def _blocks(self, places: Iterable[RewriteSlot], work: Work) -> None:
        size, in_flight = self.pipeline.block_rows, self.pipeline.blocks_in_flight
        await run_blocks(places, work, size=size, in_flight=in_flight)

    async def _all_rounds(self, rounds: Iterable[int], block: Sequence[RewriteSlot]) -> None:
        pool = block
        for number in rounds:
            pool = await self._round(pool, number)

    async def _round_by_round(self, places: Iterable[RewriteSlot], rounds: Iterable[int]) -> None:
        """Let a bandit learn from the totals of the rounds that are finished."""
        pool = list(places)
        for number in rounds:
            self._chooser = replace(self._chooser, totals=self._learned_by(number))
            following: dict[str, list[RewriteSlot]] = {}

            async def work(
                block: Sequence[RewriteSlot],
                number: int = number,
                following: dict[str, list[RewriteSlot]] = following,
            ) -> None:
                following[block[0].row.id] = await self._round(block, number)

            await self._blocks(pool, work)
            pool = [each for part in _in_order(pool, following) for each in part]

    def _learned_by(self, number: int) -> Mapping[str, MethodTally]:
        """Return what a bandit goes by in a round, and tell the listener that keeps it."""
        counted = {n: MethodTally(t["kept"], t["failed"]) for n, t in self.by_method.items()}
        totals = self.settings.learned.get(number, counted)
        self.listeners.on_learned(number, totals)
        return totals

    async def _round(self, pool: Sequence[RewriteSlot], number: int) -> list[RewriteSlot]:
        """Take a block through one round and return its part of the next round's pool."""
        children = range(self.settings.children_in(number))
        places = [replace(place, child=child) for place in pool for child in children]
        outcomes = await self._tried(places, number)
        for outcome in outcomes:
            self._account(outcome, number)
        count = len(children)
        families = (outcomes[i * count : (i + 1) * count] for i in range(len(pool)))
        pairs = zip(pool, families, strict=True)
        return [after for place, family in pairs for after in self._following(place, family)]

    def _account(self, outcome: Outcome, number: int) -> None:
        self._tallies[number][outcome.status] += 1
        self._tallies[number]["finished"] += self._is_finished(outcome)
        self.listeners.on_row(outcome)

    async def _tried(self, places: Sequence[RewriteSlot], round_number: int) -> list[Outcome]:
        done: dict[int, Outcome] = {}
        pending = list(range(len(places)))
        for number in range(self.settings.attempts):
            attempts = [self._attempt(places[i], round_number, number) for i in pending]
            found = await attempt_block(attempts, self.pipeline)
            for i, outcome in zip(pending, found, strict=True):
                self.by_method.setdefault(outcome.row.method or "", Counter())[outcome.status] += 1
                done[i] = _later(done.get(i), outcome)
            pending = [i for i in pending if done[i].status == "failed"]
        return [done[i] for i in range(len(places))]

    def _attempt(self, place: RewriteSlot, round_number: int, number: int) -> Attempt:
        settings = self.settings
        evolvers = self._evolvers(round_number)
        names = [evolver.method_name for evolver in evolvers]
        row, *child = place.coordinates
        return Attempt(
            source=place.row,
            evolver=evolvers[self._chooser.choose(names, place, round_number, number)],
            draw=draw_number("row", row, round_number, number, *child),
            round=round_number,
            child=place.child,
            temperature=settings.retry_temperature if number else None,
            is_last=settings.save == "all" or round_number == settings.last_round,
            until=settings.until,
        )

    def _evolvers(self, round_number: int) -> list[Evolver]:
        return self.schedule[min(round_number, len(self.schedule)) - 1]

    def _following(self, place: RewriteSlot, family: Sequence[Outcome]) -> list[RewriteSlot]:
        """Return what a row and its rewrites give to the next round's pool."""
        kept = [o for o in family if o.status == "kept"]
        after = [RewriteSlot(place.index, o.row) for o in kept if not self._is_finished(o)]
        is_requeued = self.settings.on_failure == "requeue" and any(
            outcome.status == "failed" for outcome in family
        )
        if self.settings.pool == "all" or (is_requeued and not kept):
            return [replace(place, child=0), *after]
        return after

    def _is_finished(self, outcome: Outcome) -> bool:
        until = self.settings.until
        return outcome.status == "kept" and until is not None and until.is_met(outcome.row)

    async def _answer(self, block: Sequence[RewriteSlot]) -> None:
        """Answer rows as they are; those with an answer may keep it."""
        outcomes = [Outcome(place.row, place.row, "kept") for place in block]
        missing = [outcome for outcome in outcomes if not self._keeps_answer(outcome.row)]
        evolver = self._evolvers(1)[0]
        attempts = [
            Attempt(o.row, evolver, draw_number("row", o.row.id, 0, 0), round=0) for o in missing
        ]
        answers = iter(await answer_block(missing, attempts, self.pipeline))
        for outcome in outcomes:
            self._account(outcome if self._keeps_answer(outcome.row) else next(answers), 0)

    def _keeps_answer(self, row: Row) -> bool:
        is_answered = row.response.strip() not in ("", IDK)
        return self.pipeline.answer.only_missing and is_answered


def _in_order(
    pool: Sequence[RewriteSlot], parts: Mapping[str, list[RewriteSlot]]
) -> Iterable[list[RewriteSlot]]:
    """Return the parts of the next pool in the order of the rows that they came from."""
    return (parts[place.row.id] for place in pool if place.row.id in parts)


def _count(number: int, tally: Counter[str]) -> RoundCount:
    kept, failed, unscored = tally["kept"], tally["failed"], tally["unscored"]
    entered = kept + failed + unscored
    return RoundCount(number, entered, kept, failed, unscored, tally["finished"])


def _later(before: Outcome | None, after: Outcome) -> Outcome:
    """Return the later outcome with the cost of both.

    A retry whose calls died leaves the row unscored: another time it could pass.
    """
    if before is None:
        return after
    usage = add_usage(before.row.usage, after.row.usage)
    return replace(after, row=replace(after.row, usage=usage), attempts=before.attempts + 1)
