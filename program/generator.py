"""The bulk phase: rows times rounds, each row with its attempts, every row accounted for."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from program.blocks import run_blocks
from program.draws import draw_number
from program.evolver import Evolver
from program.listeners import Listeners, Phase
from program.pipeline import Attempt, Pipeline, add_usage, attempt_block
from program.records import Outcome, Row, Status
from signatures import Method

Choice = Literal["random", "round_robin"]
OnFailure = Literal["drop", "requeue"]


@dataclass(frozen=True, slots=True)
class GenerationSettings:
    """How the whole set is evolved.

    Attributes:
        rounds: Generations; the paper's default is one.
        attempts: Tries of a row before it counts as failed, at least 1.
        retry_temperature: Of the second attempt and later ones.
        choice: How a row gets its method where there are several.
        on_failure: "requeue" puts a failed row back into the next round's pool, unchanged.
    """

    rounds: int = 1
    attempts: int = 1
    retry_temperature: float = 0.7
    choice: Choice = "random"
    on_failure: OnFailure = "drop"
    seed: int = 0


@dataclass(frozen=True, slots=True)
class RoundCount:
    """Where the rows of a round went: entered = kept + failed + unscored."""

    round: int
    entered: int
    kept: int
    failed: int
    unscored: int


class Generator:
    """Applies methods to rows.

    Args:
        evolver: The program; its method is replaced by those of `methods`.
        methods: At least one.
        pipeline: Roles, F, and how rows are grouped.
        settings: Rounds, attempts, choice.
        listeners: Hear of every row as it is finished.
    """

    def __init__(
        self,
        evolver: Evolver,
        methods: Sequence[Method],
        pipeline: Pipeline,
        settings: GenerationSettings,
        listeners: Listeners,
    ) -> None:
        self.evolvers = [evolver.with_method(method) for method in methods]
        self.pipeline = pipeline
        self.settings = settings
        self.listeners = listeners

    async def generate(self, seeds: Sequence[Row]) -> list[RoundCount]:
        """Take each seed through all rounds and return the account of each round.

        Rows do not wait for each other, but for those of their block: a row enters its next round
        as soon as it has left the one before.
        """
        settings, pipeline = self.settings, self.pipeline
        tallies = [Counter[Status]() for _ in range(settings.rounds)]
        self.listeners.on_phase(Phase("evolve", len(seeds) * settings.rounds))

        async def work(block: Sequence[_Place]) -> None:
            pool = block
            for number, tally in enumerate(tallies, start=1):
                pool = await self._round(pool, number, tally)

        await run_blocks(
            (_Place(index, row) for index, row in enumerate(seeds)),
            work,
            size=pipeline.block_rows,
            in_flight=pipeline.blocks_in_flight,
        )
        return [_count(number, tally) for number, tally in enumerate(tallies, start=1)]

    async def _round(
        self, pool: Sequence["_Place"], number: int, tally: Counter[Status]
    ) -> list["_Place"]:
        """Take a block through one round and return its part of the next round's pool."""
        following = []
        for place, outcome in zip(pool, await self._tried(pool, number), strict=True):
            tally[outcome.status] += 1
            self.listeners.on_row(outcome)
            row = self._next(outcome)
            if row is not None:
                following.append(_Place(place.index, row))
        return following

    async def _tried(self, pool: Sequence["_Place"], round_number: int) -> list[Outcome]:
        index = {place.row.seed_id: place.index for place in pool}
        done: dict[str, Outcome] = {}
        pending = [place.row for place in pool]
        for number in range(self.settings.attempts):
            attempt = self._attempt(number, round_number, index)
            for outcome in await attempt_block(pending, attempt, self.pipeline):
                seed = outcome.source.seed_id
                done[seed] = _later(done.get(seed), outcome)
            pending = [row for row in pending if done[row.seed_id].status == "failed"]
        return [done[seed] for seed in index]

    def _attempt(self, number: int, round_number: int, index: Mapping[str, int]) -> Attempt:
        return Attempt(
            evolver_of=self._chooser(number, round_number, index),
            draw_of=lambda row: draw_number("row", row.id, round_number, number),
            round=round_number,
            temperature=self.settings.retry_temperature if number else None,
        )

    def _chooser(
        self, number: int, round_number: int, index: Mapping[str, int]
    ) -> Callable[[Row], Evolver]:
        """Return the choice of a method: a function of seed, row, round and attempt alone."""

        def choose(row: Row) -> Evolver:
            if len(self.evolvers) == 1:
                return self.evolvers[0]
            if self.settings.choice == "round_robin":
                return self.evolvers[
                    (index[row.seed_id] + round_number + number) % len(self.evolvers)
                ]
            coordinates = ("choice", self.settings.seed, row.id, round_number, number)
            return self.evolvers[draw_number(*coordinates) % len(self.evolvers)]

        return choose

    def _next(self, outcome: Outcome) -> Row | None:
        if outcome.status == "kept":
            return outcome.row
        is_requeued = outcome.status == "failed" and self.settings.on_failure == "requeue"
        return outcome.source if is_requeued else None


@dataclass(frozen=True, slots=True)
class _Place:
    """A row on its way, and its seed's number among the seeds, from 0."""

    index: int
    row: Row


def _count(number: int, tally: Counter[Status]) -> RoundCount:
    return RoundCount(number, tally.total(), tally["kept"], tally["failed"], tally["unscored"])


def _later(before: Outcome | None, after: Outcome) -> Outcome:
    """Return the later outcome with the cost of both.

    A retry whose calls died leaves the row unscored: another time it could pass.
    """
    if before is None:
        return after
    usage = add_usage(before.row.usage, after.row.usage)
    return replace(after, row=replace(after.row, usage=usage), attempts=before.attempts + 1)
