"""The first look at the evolver: does it copy or reword, and what becomes of suspects."""

from collections.abc import Sequence
from dataclasses import replace

from dspy.utils.exceptions import AdapterParseError, LMInvalidRequestError

from autoevol.experiments.artifacts.identity import read_identity
from autoevol.experiments.run.context import OpenRun
from autoevol.experiments.run.planning.generation import generation_settings
from autoevol.metrics import Case, broken, fails
from autoevol.metrics.failure.evolvers import (
    LEAST_REWRITES,
    MOST_REWRITES,
    EvolverLook,
    look_at,
)
from autoevol.program.blocks import together
from autoevol.program.draws import draw_number
from autoevol.program.evolution.attempt import Attempt
from autoevol.program.evolution.choice import Chooser, RewriteSlot
from autoevol.program.evolution.evaluation import first_draw
from autoevol.program.evolution.evolver import Evolver, RowContext
from autoevol.program.evolution.pipeline import Suspects
from autoevol.program.listeners import Phase
from autoevol.program.lm_errors import UNSCORED_ERRORS
from autoevol.program.records import Row

_ACTIONS: dict[str, Suspects] = {"copies": "drop", "rewords": "keep", "unknown": "keep"}


async def with_suspects_decided(opened: OpenRun) -> OpenRun:
    """Return the run with a decision on suspects; by default it depends on the evolver's class.

    The class is fixed before the first row is judged, from the first rewrites that the run makes
    anyway: their calls are in the ledger by then, and none is paid twice. `run.json` keeps it.
    """
    setting = opened.plan.config.failure.suspects
    if setting != "auto":
        return replace(opened, pipeline=replace(opened.pipeline, suspects=setting))
    if not _may_suspect(opened):
        return opened
    identity = read_identity(opened.folder.path)
    look = identity.evolver
    if look is None:
        first = _FirstLook(opened)
        look = await first.take()
        # A resumed run makes the calls that died; only then is the class that of the whole run.
        if not first.died or first.made >= LEAST_REWRITES:
            replace(identity, evolver=look).write(opened.folder.path)
    action = _ACTIONS[look.evolver_class]
    opened.context.say(_message(look, action))
    failure = opened.pipeline.failure.for_evolver(look.evolver_class)
    return replace(opened, pipeline=replace(opened.pipeline, suspects=action, failure=failure))


def _may_suspect(opened: OpenRun) -> bool:
    rules = opened.pipeline.failure.evolve
    is_evolving = bool(opened.plan.config.evolve.rounds) or opened.plan.start is not None
    return is_evolving and any(rule.finding == "suspicion" for rule in rules)


def _message(look: EvolverLook, action: Suspects) -> str:
    few = f"{look.rewrites} sound ones of {look.looked}, 20 needed"
    shown = f"it keeps {look.kept:.0%} of the seeds' words in {look.rewrites} rewrites"
    words = {
        "copies": f"copies ({shown})",
        "rewords": f"rewords ({shown})",
        "unknown": f"made too few rewrites to tell whether it copies its seeds ({few})",
    }
    done = "dropped" if action == "drop" else "kept"
    return (
        f"the evolver {words[look.evolver_class]}: suspected rows are {done} "
        "(failure.suspects: auto)"
    )


class _FirstLook:
    """Makes the first rewrites of a run.

    Args:
        opened: The run.

    Attributes:
        died: Calls that failed in transport.
        made: Rewrites, those with evidence against them included.
    """

    def __init__(self, opened: OpenRun) -> None:
        self._opened = opened
        self._pipeline = opened.pipeline
        plan = opened.plan
        settings = generation_settings(plan, {})
        self._chooser = Chooser(settings.choice, settings.weights, {}, settings.seed)
        self._round = settings.first_round
        number = min(self._round, len(plan.schedule)) - 1
        methods = [plan.start] if plan.start else plan.schedule[number]
        self._evolvers = [Evolver(method) for method in methods]
        self.died = self.made = 0
        # The tracker sees these calls when the run itself makes them.
        self._role = replace(opened.pipeline.roles.evolver, on_call=None)

    async def take(self) -> EvolverLook:
        """Return what the rewrites show; calls that fail are left to the run itself."""
        attempts = [self._attempt(index, row) for index, row in enumerate(self._rows())]
        # Another task than its seed's tells nothing: see `metrics.failure.evolvers.tells`.
        attempts = [one for one in attempts if one.evolver.method.kind != "breadth"]
        self._opened.on_phase(Phase("first look", len(attempts)))
        rewrites: list[Case] = []

        async def work(block: Sequence[Attempt]) -> None:
            cases = await together([self._rewrite(attempt) for attempt in block])
            rewrites.extend(case for case in cases if case is not None)

        await self._pipeline.run_blocks(attempts, work)
        return look_at(rewrites, looked=self.made)

    def _rows(self) -> Sequence[Row]:
        """Return the rows whose first rewrites the run needs anyway, those of a search first."""
        splits = self._opened.plan.splits
        if self._opened.plan.start is None:
            return splits.seeds[:MOST_REWRITES]
        measured = [*splits.dev, *splits.heldout][:MOST_REWRITES]
        # Of the other rows a search evolves some; no more of them than it takes to tell the class.
        others = [*splits.train, *splits.fresh][: max(0, LEAST_REWRITES - len(measured))]
        return [*measured, *others]

    def _attempt(self, index: int, row: Row) -> Attempt:
        """Return the run's own first attempt at a row."""
        names = [evolver.method_name for evolver in self._evolvers]
        number = self._chooser.choose(names, RewriteSlot(index, row), self._round, 0)
        draw = (
            first_draw(row)
            if self._opened.plan.start
            else draw_number("row", row.id, self._round, 0)
        )
        return Attempt(row, self._evolvers[number], draw)

    async def _rewrite(self, attempt: Attempt) -> Case | None:
        """Return what F sees of a rewrite; None: there is none, or evidence is against it."""
        case = await self._case(attempt)
        self.made += case is not None
        # An answer in the place of a rewrite says nothing of how its evolver rewrites.
        is_rewrite = case is not None and not fails(broken(self._pipeline.failure.evolve, case))
        self._opened.context.bar.advance(failed=not is_rewrite)
        return case if is_rewrite else None

    def _context(self, attempt: Attempt) -> RowContext:
        shows_system = self._pipeline.rewriting.shows_system
        return RowContext(system=attempt.source.system) if shows_system else RowContext()

    async def _case(self, attempt: Attempt) -> Case | None:
        text = attempt.source.instruction
        try:
            prediction = await attempt.evolver.evolve_with(
                self._role, text, draw=attempt.draw, context=self._context(attempt)
            )
        except UNSCORED_ERRORS:
            self.died += 1
            return None
        except (LMInvalidRequestError, AdapterParseError):
            return None
        return attempt.case(text, prediction.evolved_instruction or "", None)
