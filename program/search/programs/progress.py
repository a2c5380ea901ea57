"""What `AutoEvol` says of its search, through DSPy's own log, where nobody else listens."""

import logging

from autoevol.program.listeners import Listeners
from autoevol.program.records import FinalChoice, Headroom, StepRecord

# DSPy shows what is logged below its name, as it does for its own optimisers.
logger = logging.getLogger("dspy.autoevol")


def logging_progress(*, skips: bool) -> Listeners:
    """Return listeners that log the start, each step and the choice.

    Args:
        skips: A search is skipped if the initial program fails too few rows.
    """

    def on_headroom(headroom: Headroom) -> None:
        if skips and not headroom.is_enough:
            logger.warning("%s: the search is skipped", headroom)
        else:
            logger.info("the initial program fails %s of the dev rows", headroom.initial)

    return Listeners(on_headroom=on_headroom, on_step=_log_step, on_choice=_log_choice)


def log_end(*, is_changed: bool, calls: int) -> None:
    """Log what the search returns, and the calls of all models."""
    result = "a better program" if is_changed else "no gain was proved: the program stays as it is"
    logger.info("%s, after %d calls", result, calls)


def _log_step(record: StepRecord) -> None:
    logger.info(
        "step %d: %d candidates; %s; the best fails %s of the dev rows",
        record.step + 1,
        len(record.candidates),
        "a better one" if record.is_accepted else "none is better",
        record.best.failure_rate,
    )


def _log_choice(choice: FinalChoice) -> None:
    initial = choice.initial.failure_rate
    if choice.best.method.id == choice.initial.method.id:
        logger.info("fresh rows confirm no gain (the start fails %s): it is kept", initial)
        return
    fresh = next(f.fresh for f in choice.finalists if f.dev.method.id == choice.best.method.id)
    logger.info("fresh rows confirm the gain: %s fail instead of %s", fresh.failure_rate, initial)
