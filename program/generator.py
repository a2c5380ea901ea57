"""The bulk phase: rows times rounds, each row with its attempts, every row accounted for."""

import random
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
        """Evolve `seeds` round by round and return the account of each round."""
        index = {row.seed_id: i for i, row in enumerate(seeds)}
        pool, counts = list(seeds), []
        for round_number in range(1, self.settings.rounds + 1):
            self.listeners.on_phase(Phase(f"evolve, round {round_number}", len(pool)))
            pool, count = await self._round(pool, round_number, index)
            counts.append(count)
        return counts

    async def _round(
        self, pool: Sequence[Row], round_number: int, index: Mapping[str, int]
    ) -> tuple[list[Row], RoundCount]:
        tally: dict[Status, int] = {"kept": 0, "failed": 0, "unscored": 0}
        following: list[Row] = []

        def deliver(outcome: Outcome) -> None:
            tally[outcome.status] += 1
            following.extend(self._next(outcome))
            self.listeners.on_row(outcome)

        async def work(block: Sequence[Row]) -> list[Outcome]:
            return await self._tried(block, round_number, index)

        await run_blocks(
            pool,
            work,
            deliver,
            size=self.pipeline.block_rows,
            in_flight=self.pipeline.blocks_in_flight,
        )
        following.sort(key=lambda row: index[row.seed_id])
        return following, RoundCount(round_number, len(pool), **tally)

    async def _tried(
        self, block: Sequence[Row], round_number: int, index: Mapping[str, int]
    ) -> list[Outcome]:
        done: dict[str, Outcome] = {}
        pending = list(block)
        for number in range(self.settings.attempts):
            attempt = self._attempt(number, round_number, index)
            for outcome in await attempt_block(pending, attempt, self.pipeline):
                seed = outcome.source.seed_id
                done[seed] = _later(done.get(seed), outcome)
            pending = [row for row in pending if done[row.seed_id].status == "failed"]
        return [done[row.seed_id] for row in block]

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
            if self.settings.choice == "round_robin":
                return self.evolvers[
                    (index[row.seed_id] + round_number + number) % len(self.evolvers)
                ]
            coordinates = ("choice", self.settings.seed, row.id, round_number, number)
            return random.Random(draw_number(*coordinates)).choice(self.evolvers)

        return choose

    def _next(self, outcome: Outcome) -> list[Row]:
        if outcome.status == "kept":
            return [outcome.row]
        return [outcome.source] if self.settings.on_failure == "requeue" else []


def _later(before: Outcome | None, after: Outcome) -> Outcome:
    """Return the later outcome with the cost of both.

    A retry whose calls died leaves the row unscored: another time it could pass.
    """
    if before is None:
        return after
    usage = add_usage(before.row.usage, after.row.usage)
    return replace(after, row=replace(after.row, usage=usage), attempts=before.attempts + 1)
