"""The bulk phase of a run: evolve the whole set, and write each row as it is finished."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from autoevol.experiments.artifacts.row_files import row_files
from autoevol.experiments.artifacts.summary import BulkResult
from autoevol.experiments.files.atomic import write_whole
from autoevol.experiments.models.budget import Totals
from autoevol.experiments.run.context import OpenRun
from autoevol.experiments.run.wiring import generation_settings
from autoevol.program.evolution.evolver import Evolver
from autoevol.program.evolution.generator import Generator, Schedule
from autoevol.program.listeners import Listeners
from autoevol.program.records import MethodTally, Outcome

BANDIT = "bandit.json"


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
        plan, folder = self.opened.plan, self.opened.folder
        # A copy, for the engine adds to its totals in place.
        before, bandit = replace(self.totals), BanditFile(folder.path / BANDIT)
        settings = generation_settings(plan, bandit.read())
        with row_files(folder.path) as write:

            def on_row(outcome: Outcome) -> None:
                write(outcome)
                self.opened.on_row(outcome)

            listeners = Listeners(
                on_phase=self.opened.on_phase, on_row=on_row, on_learned=bandit.write_round
            )
            generator = Generator(student, schedule, self.opened.pipeline, settings, listeners)
            rounds = await generator.generate(plan.splits.seeds)
        return BulkResult(rounds, generator.by_method, _prefix_hits(before, self.totals))


@dataclass(frozen=True, slots=True)
class BanditFile:
    """What a bandit knew when each round began; a resumed run chooses by the same tallies.

    The rows themselves cannot tell that again: those that were unscored then may be scored now.
    """

    path: Path

    def read(self) -> dict[int, dict[str, MethodTally]]:
        """Return the tallies by round and by the method's name; empty before the first round."""
        tree = json.loads(self.path.read_text("utf-8")) if self.path.is_file() else {}
        return {
            int(number): {name: MethodTally(**tally) for name, tally in tallies.items()}
            for number, tallies in tree.items()
        }

    def write_round(self, round_number: int, tallies: Mapping[str, MethodTally]) -> None:
        """Add a round that begins; the file is there complete or as it was before."""
        # A resumed run may be killed again before it comes to the later rounds of the file.
        rounds = {**self.read(), round_number: tallies}
        tree = {
            number: {name: {"kept": t.kept, "failed": t.failed} for name, t in by_name.items()}
            for number, by_name in rounds.items()
        }
        write_whole(self.path, json.dumps(tree, indent=1, ensure_ascii=False) + "\n")


def _prefix_hits(before: Totals, after: Totals) -> float | None:
    """Return the share of the method's tokens that came from the prefix cache, in [0, 1].

    None: no call was made, since the ledger had all of them.
    """
    shared = after.method_tokens - before.method_tokens
    cached = after.method_tokens_cached - before.method_tokens_cached
    return round(cached / shared, 4) if shared else None
