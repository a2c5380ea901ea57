"""The first look at the seeds: can anybody tell whether rows like these teach?"""

import itertools
from collections.abc import Sequence
from dataclasses import replace

from dspy.utils.exceptions import LMInvalidRequestError

from autoevol.experiments.run.context import OpenRun
from autoevol.metrics import ALWAYS
from autoevol.program.errors import ConfigError
from autoevol.program.listeners import Phase
from autoevol.program.lm_errors import UNSCORED_ERRORS
from autoevol.program.records import Row
from autoevol.program.witnesses.results import known_result
from autoevol.program.witnesses.teaching import Teacher

MOST_SEEDS = 24
"""Seeds that are looked at; where none of so many has a result, at most one in eight does."""


async def with_teaching_decided(opened: OpenRun) -> OpenRun:
    """Return the run without the stage `teach` where neither solvers nor the judge can speak.

    One seed with a result is enough. Its answer may state it; otherwise seeds are solved in turn,
    by solutions that the run makes of parents, too.

    Raises:
        ConfigError: F has no other rule that could decide.
    """
    teacher = opened.pipeline.failure.teacher
    if teacher is None:
        return opened
    seeds = _seeds(opened)
    if opened.folder.chunk_rows:
        # Its exam is no chunk's own, and a try that finds all chunks finished asks nobody.
        await teacher.judges()
    if await _has_result(opened, teacher, seeds) or await teacher.judges():
        return opened
    why = (
        f"none of {len(seeds)} seeds has a result that solvers could compare, and no judge is "
        "admitted"
    )
    failure = opened.pipeline.failure
    if {rule.name for rule in (*failure.evolve, *failure.respond)} <= set(ALWAYS):
        where = f"{opened.plan.where}: failure.teach"
        raise ConfigError(where, f"{why}, so nothing would decide; name rules in failure.evolve")
    opened.context.say(f"failure.teach abstains: {why}; the other rules decide")
    pipeline = replace(opened.pipeline, failure=failure.without_teaching())
    return replace(opened, pipeline=pipeline, teach_abstains=why)


def _seeds(opened: OpenRun) -> Sequence[Row]:
    splits = opened.plan.splits
    rows = [*splits.dev, *splits.heldout] if opened.plan.start else splits.seeds
    return list(itertools.islice((row for row in rows if not row.turns), MOST_SEEDS))


async def _has_result(opened: OpenRun, teacher: Teacher, seeds: Sequence[Row]) -> bool:
    """Return whether solvers can compare the results of a seed; a call that dies tells nothing."""
    if any(known_result(row.response) for row in seeds):
        return True
    opened.on_phase(Phase("look at the seeds", 0))
    for row in seeds:
        try:
            if await teacher.can_solve(row.prompt):
                return True
        except (*UNSCORED_ERRORS, LMInvalidRequestError):
            return True
    return False
