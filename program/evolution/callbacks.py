"""DSPy's evaluation callbacks: a callback that watches evaluations of DSPy sees ours, too."""

import logging
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import dspy

from autoevol.program.evolution.evolver import Evolver
from autoevol.program.records import Evaluation, Row

_log = logging.getLogger(__name__)


@contextmanager
def reported_evaluation(
    evolver: Evolver, rows: Sequence[Row]
) -> Iterator[Callable[[Evaluation], None]]:
    """Call `on_evaluate_start` and `on_evaluate_end` of the callbacks in DSPy's settings.

    The block hands its evaluation to what this yields. A callback that fails is logged and stops
    nothing. The outputs are `score`, the share of scored rows that did not fail in percent, and
    `results`, the outcomes.
    """
    callbacks = list(dspy.settings.get("callbacks") or ())
    if not callbacks:
        yield lambda evaluation: None
        return
    call_id = uuid.uuid4().hex
    outputs: dict[str, Any] = {}

    def report(evaluation: Evaluation) -> None:
        rate = evaluation.failure_rate.rate
        outputs.update(score=round(100 * (1 - rate), 2), results=evaluation.outcomes)

    inputs = {"program": evolver, "devset": list(rows)}
    _tell(callbacks, "on_evaluate_start", call_id=call_id, instance=evolver, inputs=inputs)
    try:
        yield report
    except BaseException as error:
        _tell(callbacks, "on_evaluate_end", call_id=call_id, outputs=None, exception=error)
        raise
    _tell(callbacks, "on_evaluate_end", call_id=call_id, outputs=outputs, exception=None)


def _tell(callbacks: Sequence[Any], name: str, **values: Any) -> None:
    for callback in callbacks:
        try:
            getattr(callback, name)(**values)
        except Exception:  # noqa: BLE001, somebody else's code may raise anything
            _log.warning("%s of %s failed", name, type(callback).__name__, exc_info=True)
