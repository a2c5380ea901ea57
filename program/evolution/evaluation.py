"""A method's failure rate on some rows, and its trajectories on a mini-batch."""

from collections.abc import Sequence

from autoevol.metrics import Reason
from autoevol.program.draws import draw_number
from autoevol.program.evolution.attempt import Attempt
from autoevol.program.evolution.callbacks import reported_evaluation
from autoevol.program.evolution.evolver import Evolver
from autoevol.program.evolution.pipeline import Pipeline
from autoevol.program.listeners import Listeners, Phase
from autoevol.program.records import Evaluation, Outcome, Row, Trajectory
from autoevol.signatures.remedies import fault_of


async def evaluate(
    evolver: Evolver,
    rows: Sequence[Row],
    pipeline: Pipeline,
    listeners: Listeners,
    *,
    phase: str | None,
) -> Evaluation:
    """Evolve and answer each row once and return the outcomes (paper, section 3.3).

    Every method sees the same rows with the same draws, so methods are compared in pairs.

    Args:
        evolver: Holds the method.
        rows: The rows to evolve.
        pipeline: Roles, F, and how rows are grouped.
        listeners: Called for the phase and for each row.
        phase: Name of the phase; None: the rows belong to one that has begun.

    Raises:
        LMError: A call failed in a way that affects every row, for example a refused key.
    """
    with reported_evaluation(evolver, rows) as report:
        outcomes = await _evolve_once(evolver, rows, pipeline, listeners, phase=phase)
        evaluation = Evaluation(evolver.method, tuple(outcomes))
        report(evaluation)
    return evaluation


async def trajectories(
    evolver: Evolver,
    rows: Sequence[Row],
    pipeline: Pipeline,
    listeners: Listeners,
    *,
    length: int,
    phase: str,
) -> list[Trajectory]:
    """Evolve a mini-batch `length` times over (l of the paper) and return each row's stages.

    A row whose calls died says nothing about the method and is left out.

    Args:
        evolver: Holds the method.
        rows: The mini-batch.
        pipeline: Roles, F, and how rows are grouped.
        listeners: Called for each phase and for each row.
        length: l, the number of times that a row is evolved.
        phase: Name of the phases.

    Raises:
        LMError: A call failed in a way that affects every row, for example a refused key.
    """
    chains: dict[str, list[Outcome]] = {row.id: [] for row in rows}
    origin_ids = {row.id: row.id for row in rows}
    pool = list(rows)
    for round_number in range(1, length + 1):
        outcomes = await _evolve_once(
            evolver, pool, pipeline, listeners, phase=phase, round_number=round_number
        )
        for outcome in outcomes:
            origin_ids[outcome.row.id] = origin_ids[outcome.source.id]
            chains[origin_ids[outcome.source.id]].append(outcome)
        # Failed rewrites are evolved further too, since the analysis shows every stage. Only a
        # reply that could not be parsed leaves no text to evolve.
        pool = [outcome.row for outcome in outcomes if outcome.row.instruction]
    scored = [row for row in rows if all(o.status != "unscored" for o in chains[row.id])]
    return [_trajectory(row, chains[row.id], pipeline.is_old) for row in scored]


async def _evolve_once(
    evolver: Evolver,
    rows: Sequence[Row],
    pipeline: Pipeline,
    listeners: Listeners,
    *,
    phase: str | None,
    round_number: int = 1,
) -> list[Outcome]:
    if phase is not None:
        listeners.on_phase(Phase(phase, len(rows)))
    outcomes: dict[str, Outcome] = {}

    async def work(block: Sequence[Row]) -> None:
        attempts = [Attempt(row, evolver, first_draw(row), round_number) for row in block]
        for outcome in await pipeline.attempt_block(attempts):
            outcomes[outcome.source.id] = outcome
            listeners.on_row(outcome)

    await pipeline.run_blocks(rows, work)
    # In the order of the rows, since blocks finish in any order.
    return [outcomes[row.id] for row in rows]


def first_draw(row: Row) -> int:
    """Return the draw of a row's first attempt, the same one as in the bulk phase."""
    return draw_number("row", row.id, row.round + 1, 0)


def shown_reason(reason: Reason, *, by_name: bool = False) -> str:
    """Return a reason for the optimizer model: what is wrong, in plain words, and what shows it."""
    return str(reason) if by_name else fault_of(reason.rule, reason.evidence)


def _trajectory(row: Row, outcomes: Sequence[Outcome], by_name: bool) -> Trajectory:
    evolved = [outcome.row.text or outcome.raw for outcome in outcomes]
    notes = [
        f"stage {stage}: {'; '.join(shown_reason(r, by_name=by_name) for r in outcome.reasons)}"
        for stage, outcome in enumerate(outcomes, start=1)
        if outcome.reasons
    ]
    return Trajectory(row.id, (row.text, *evolved), tuple(notes))
