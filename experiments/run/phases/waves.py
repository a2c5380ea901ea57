"""The bulk phase towards a number of rows: waves of seeds, each scored and filtered at its end.

The next wave is as large as the kept rate of those before says that it must be. Rates are functions
of the rows alone, so a resumed run makes the same waves.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from autoevol.experiments.artifacts.row_files import EVOLVED, RowWriter, cut_surplus, row_files
from autoevol.experiments.artifacts.summary import BulkResult
from autoevol.experiments.files.reading import read_rows
from autoevol.experiments.run.phases.bulk import BulkPhase
from autoevol.experiments.run.phases.scores import ScorePhase
from autoevol.experiments.scores.filtering import keep_marks
from autoevol.experiments.scores.results import ScoreResults
from autoevol.program.evolution.evolver import Evolver
from autoevol.program.evolution.generator import Generator, Schedule
from autoevol.program.records import RoundCount


@dataclass(frozen=True, slots=True)
class Waves:
    """Takes seeds through all rounds until enough rows are kept.

    Attributes:
        target: The number of rows that are asked for.
    """

    bulk: BulkPhase
    score: ScorePhase
    target: int

    async def run(
        self, student: Evolver, schedule: Schedule
    ) -> tuple[BulkResult, ScoreResults | None, Mapping[str, int]]:
        """Return where the rows went, their scores, and the rows that each filter took out."""
        opened, before = self.bulk.opened, replace(self.bulk.totals)
        folder = opened.folder.path
        with row_files(folder) as write:
            generator = self.bulk.generator(student, schedule, write)
            rounds = await self._waves(generator, write)
            surplus = cut_surplus(folder, self.target, self._counts)
            # Figures of rounds are those of the rows that stay; all replies are in the ledger.
            scores = await self.score.run()
            keep_marks(folder)
            filtered = self._filtered()
        result = replace(self.bulk.result(rounds, generator, before), surplus=surplus)
        return result, scores, filtered

    async def _waves(self, generator: Generator, write: RowWriter) -> Sequence[RoundCount]:
        seeds = self.bulk.opened.plan.splits.seeds
        most = min(len(seeds), self._most_seeds(generator) or len(seeds))
        rounds: Sequence[RoundCount] = ()
        done, size = 0, self._first_size(generator)
        while True:
            wave = seeds[done : min(done + size, most)]
            rounds = await generator.generate(wave, done)
            write.finish()
            if self.score.filters_by_scores:
                await self.score.run(is_final=False)
            self.score.filter()
            done += len(wave)
            kept = self._kept()
            if kept >= self.target or done >= most:
                return rounds
            size = self._next_size(kept, done)
            self.bulk.opened.context.say(
                f"{kept:,} of {self.target:,} rows from {done:,} seeds; {size:,} more seeds"
            )
            write.reopen()

    def _first_size(self, generator: Generator) -> int:
        """Return the least number of seeds that may be enough."""
        return math.ceil(self.target / max(1, generator.settings.most_rewrites(1)))

    def _next_size(self, kept: int, done: int) -> int:
        """Return the seeds that are needed at the rate so far; twice as many where none is kept."""
        return math.ceil((self.target - kept) * done / kept) if kept else done

    def _most_seeds(self, generator: Generator) -> int | None:
        """Return the seeds that the cap on candidates allows, at least one; None: all."""
        cap = self.bulk.opened.plan.config.evolve.max_candidates
        return max(1, cap // max(1, generator.settings.most_rewrites(1))) if cap else None

    def _kept(self) -> int:
        return sum(map(self._counts, read_rows(self.bulk.opened.folder.path / EVOLVED)))

    def _filtered(self) -> Mapping[str, int]:
        """Return the rows that stay and are marked, by filter."""
        counts = dict.fromkeys((name for name, _ in self.score.tools.filters), 0)
        for row in read_rows(self.bulk.opened.folder.path / EVOLVED):
            if row["filtered_by"]:
                counts[row["filtered_by"]] += 1
        return counts

    def _counts(self, row: Mapping[str, Any]) -> bool:
        """Tell whether a row is one of those that are asked for: it is exported."""
        is_answered = bool(row["response"]) or not self.bulk.opened.plan.config.evolve.respond
        return row["filtered_by"] is None and is_answered
