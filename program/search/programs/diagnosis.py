"""What the first measurement of a program shows that no instruction will mend."""

import logging
from collections import Counter
from collections.abc import Iterator, Sequence

from autoevol.program.records import Outcome
from autoevol.program.search.programs.metric import UserMetric

logger = logging.getLogger(__name__)


def warn_of_problems(outcomes: Sequence[Outcome], metric: UserMetric) -> None:
    """Log rows without a score, errors of the program, and a bar that no score reaches.

    Args:
        outcomes: Of the initial program on the dev rows.
        metric: The one that judged them.
    """
    for problem in _problems(outcomes, metric):
        logger.warning("%s", problem)


def _problems(outcomes: Sequence[Outcome], metric: UserMetric) -> Iterator[str]:
    total = len(outcomes)
    unscored = [outcome for outcome in outcomes if outcome.status == "unscored"]
    if unscored:
        yield f"{len(unscored)} of {total} dev rows got no score: {_commonest(unscored)}"
    raised = [o for o in outcomes if o.status == "failed" and o.reasons[0].rule == "error"]
    if raised:
        rows = f"all {total}" if len(raised) == total else f"{len(raised)} of {total}"
        yield f"the program raises on {rows} dev rows: {_commonest(raised)}"
    scores = [o.row.scores["score"] for o in outcomes if "score" in o.row.scores]
    best = max(scores, default=0.0)
    if best > 0 and metric.is_failed(best):
        yield (
            f"no dev row passes: the highest score is {best:.6g}, and a row passes from "
            f"{metric.passes:g} on; set passes to a score that a good answer reaches"
        )


def _commonest(outcomes: Sequence[Outcome]) -> str:
    counts = Counter(str(outcome.reasons[0]) for outcome in outcomes)
    [(reason, count)] = counts.most_common(1)
    return reason if count == len(outcomes) else f"{reason} ({count} of them)"
