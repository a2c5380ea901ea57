"""The bulk phase of many seeds, chunk by chunk; finished chunks stay as they are."""

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import astuple, dataclass, replace

from autoevol.experiments.artifacts.row_files import row_files
from autoevol.experiments.artifacts.summary import BulkResult
from autoevol.experiments.models.engine import Engine
from autoevol.experiments.models.ledger import read_bill
from autoevol.experiments.run.chunks import Chunk, ChunkResult, chunks_of, join_rows
from autoevol.experiments.run.phases.bulk import BulkPhase
from autoevol.program.evolution.evolver import Evolver
from autoevol.program.evolution.generator import Schedule
from autoevol.program.evolution.pipeline import Pipeline
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
        folder, made_by = opened.folder.path, _fingerprint(opened.pipeline, schedule)
        chunks = chunks_of(folder, len(opened.plan.splits.seeds), opened.folder.chunk_rows)
        held = [(chunk, chunk.finished(made_by)) for chunk in chunks]
        results = {chunk: result for chunk, result in held if result}
        # Further rows come behind these as they are finished, for those who look while it runs.
        join_rows(folder, [*results])
        pending = [chunk for chunk in chunks if chunk not in results]
        self._show_phase(sum(chunk.rows for chunk in pending))
        for chunk in pending:
            results[chunk] = await self._made(chunk, student, schedule, made_by)
        join_rows(folder, chunks)
        counts = [count for chunk in chunks for count in results[chunk].rounds]
        by_method = _by_method([results[chunk] for chunk in chunks])
        return BulkResult(_by_round(counts), by_method, self.bulk.prefix_hits(before))

    def _show_phase(self, rows: int) -> None:
        settings = self.bulk.settings
        total = settings.most_rewrites(rows) if settings.rounds else rows
        self.bulk.opened.on_phase(Phase("evolve" if settings.rounds else "answer", total))

    async def _made(
        self, chunk: Chunk, student: Evolver, schedule: Schedule, made_by: str
    ) -> ChunkResult:
        opened = self.bulk.opened
        chunk.begin()
        seeds = opened.plan.splits.seeds[chunk.first : chunk.first + chunk.rows]
        async with self.engine.part(chunk.ledger):
            with row_files(chunk.folder, opened.folder.path) as write:
                generator = self.bulk.generator(student, schedule, write, shows_phase=False)
                rounds = await generator.generate(seeds, chunk.first)
        bill = read_bill(chunk.ledger)
        result = ChunkResult(made_by, rounds, generator.by_method, bill)
        if not result.has_unscored:
            chunk.finish(result)
        return result


def _fingerprint(pipeline: Pipeline, schedule: Schedule) -> str:
    """Return the hash of what decides a chunk's rows and may be another in a further try.

    A search that was skipped may be made, F may have no judge, and suspects may be kept.
    """
    failure = pipeline.failure
    rules = [rule.name for rule in (*failure.evolve, *failure.respond)]
    rules += ["teach"] if failure.teacher else []
    methods = [[method.id for method in methods] for methods in schedule]
    content = json.dumps([methods, rules, pipeline.suspects])
    return hashlib.sha256(content.encode()).hexdigest()[:32]


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
