"""The bulk phase of a run: evolve the whole set, and write each row as it is finished."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from autoevol.experiments.artifacts.bandit import BANDIT, BanditFile
from autoevol.experiments.artifacts.row_files import RowWriter, row_files
from autoevol.experiments.artifacts.summary import BulkResult
from autoevol.experiments.models.budget import Totals
from autoevol.experiments.run.context import OpenRun
from autoevol.experiments.run.planning.generation import generation_settings
from autoevol.program.errors import ConfigError
from autoevol.program.evolution.evolver import Evolver
from autoevol.program.evolution.generator import GenerationSettings, Generator, Schedule
from autoevol.program.listeners import Listeners
from autoevol.program.records import MethodTally, Outcome, RoundCount


@dataclass(frozen=True, slots=True)
class BulkPhase:
    """Takes the seeds through all rounds.

    Attributes:
        totals: Of the engine; they grow with each call.
    """

    opened: OpenRun
    totals: Totals

    async def run(self, student: Evolver, schedule: Schedule) -> BulkResult:
        """Evolve the seeds.

        Args:
            student: Its method is replaced by those of `schedule`.
            schedule: The methods of each round.
        """
        # A copy, for the engine adds to its totals in place.
        before = replace(self.totals)
        with row_files(self.opened.folder.path) as write:
            generator = self.generator(student, schedule, write)
            rounds = await generator.generate(self.opened.plan.splits.seeds)
        return self.result(rounds, generator, before)

    @property
    def settings(self) -> GenerationSettings:
        """How the seeds are evolved, but for what a bandit has learned."""
        return generation_settings(self.opened.plan, {})

    def generator(
        self, student: Evolver, schedule: Schedule, write: RowWriter, *, shows_phase: bool = True
    ) -> Generator:
        """Return what takes seeds through all rounds, each row written as it is finished."""
        plan, bandit = self.opened.plan, BanditFile(self.opened.folder.path / BANDIT)
        settings = generation_settings(plan, self._learned(bandit))

        def on_row(outcome: Outcome) -> None:
            write(outcome)
            self.opened.on_row(outcome)

        listeners = Listeners(on_row=on_row, on_learned=bandit.write_round)
        if shows_phase:
            listeners = replace(listeners, on_phase=self.opened.on_phase)
        return Generator(student, schedule, self.opened.pipeline, settings, listeners)

    def result(
        self, rounds: Sequence[RoundCount], generator: Generator, before: Totals
    ) -> BulkResult:
        """Return where the rows went; `before` are the engine's totals before the phase."""
        return BulkResult(rounds, generator.by_method, self.prefix_hits(before))

    def prefix_hits(self, before: Totals) -> float | None:
        """Return the share of the method's tokens from the prefix cache, in [0, 1].

        None: no call was made, since the ledger had all of them.

        Args:
            before: The engine's totals before the phase.
        """
        shared = self.totals.method_tokens - before.method_tokens
        cached = self.totals.method_tokens_cached - before.method_tokens_cached
        return round(cached / shared, 4) if shared else None

    def _learned(self, bandit: BanditFile) -> dict[int, dict[str, MethodTally]]:
        """Return what an earlier try's bandit knew; what is damaged is learned again."""
        try:
            return bandit.read()
        except ConfigError as error:
            self.opened.context.say(f"{error}: the bandit learns again from the rows")
            bandit.path.unlink()
            return {}
