"""The bulk phase of many seeds, chunk by chunk; finished chunks stay as they are."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import astuple, dataclass, replace

from autoevol.experiments.artifacts.row_files import row_files
from autoevol.experiments.artifacts.summary import BulkResult
from autoevol.experiments.models.engine import Engine
from autoevol.experiments.models.ledger import read_bill
from autoevol.experiments.run.chunks import (
    Chunk,
    ChunkResult,
    append_rows,
    chunks_of,
    join_rows,
)
from autoevol.experiments.run.phases.bulk import BulkPhase
from autoevol.program.evolution.evolver import Evolver
from autoevol.program.evolution.generator import Schedule
from autoevol.program.listeners import Phase
from autoevol.program.records import RoundCount, Status


@dataclass(frozen=True, slots=True)
class ChunkedBulk:
    """Takes the seeds through all rounds, a chunk after the other.

    Attributes:
        bulk: Takes a chunk's seeds through them.
        engine: Of the run; each chunk has a ledger of its own.
    """

    bulk: BulkPhase
    engine: Engine

    async def run(self, student: Evolver, schedule: Schedule) -> BulkResult:
        """Evolve the seeds; see `BulkPhase.run`."""
        opened, before = self.bulk.opened, replace(self.bulk.totals)
        folder, seeds = opened.folder.path, opened.plan.splits.seeds
        chunks = chunks_of(folder, len(seeds), opened.folder.chunk_rows)
        results = {chunk: result for chunk in chunks if (result := chunk.result())}
        pending = [chunk for chunk in chunks if chunk not in results]
        # What an earlier try left of them is replaced in the middle of the run's files.
        is_begun_before = any(chunk.folder.is_dir() for chunk in pending)
        join_rows(folder, chunks)
        self._show_phase(sum(chunk.rows for chunk in pending))
        for chunk in pending:
            results[chunk] = await self._made(chunk, student, schedule)
            append_rows(folder, chunk)
        if is_begun_before:
            join_rows(folder, chunks)
        counts = [count for chunk in chunks for count in results[chunk].rounds]
        by_method = _by_method([results[chunk] for chunk in chunks])
        return BulkResult(_by_round(counts), by_method, self.bulk.prefix_hits(before))

    def _show_phase(self, rows: int) -> None:
        settings = self.bulk.settings
        total = settings.most_rewrites(rows) if settings.rounds else rows
        self.bulk.opened.on_phase(Phase("evolve" if settings.rounds else "answer", total))

    async def _made(self, chunk: Chunk, student: Evolver, schedule: Schedule) -> ChunkResult:
        chunk.folder.mkdir(parents=True, exist_ok=True)
        seeds = self.bulk.opened.plan.splits.seeds[chunk.first : chunk.first + chunk.rows]
        async with self.engine.part(chunk.ledger):
            with row_files(chunk.folder) as write:
                generator = self.bulk.generator(student, schedule, write, shows_phase=False)
                rounds = await generator.generate(seeds, chunk.first)
        result = ChunkResult(rounds, generator.by_method, read_bill(chunk.ledger))
        # The calls of unscored rows are tried again by the next command.
        if not any(count.unscored for count in rounds):
            chunk.finish(result)
        return result


def _by_round(counts: Sequence[RoundCount]) -> list[RoundCount]:
    """Return the sums of the accounts of each round."""
    sums: dict[int, list[int]] = {}
    for count in counts:
        number, *figures = astuple(count)
        held = sums.setdefault(number, [0] * len(figures))
        sums[number] = [one + other for one, other in zip(held, figures, strict=True)]
    return [RoundCount(number, *figures) for number, figures in sorted(sums.items())]


def _by_method(results: Sequence[ChunkResult]) -> dict[str, Counter[Status]]:
    sums: dict[str, Counter[Status]] = {}
    for result in results:
        for name, counts in result.by_method.items():
            sums.setdefault(name, Counter()).update(counts)
    return sums
