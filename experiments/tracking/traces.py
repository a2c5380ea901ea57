"""Traces: which calls of a run are traced, a bounded number, and how MLflow gets them.

A trace has a span for the predictor, and one for each model call below it.
"""

import base64
import hashlib
import json
import logging
import re
from collections import Counter, OrderedDict
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any

from autoevol.experiments.tracking.naming.safe import safe_names
from autoevol.experiments.tracking.store import Store
from autoevol.program.listeners import Phase
from autoevol.program.records import Outcome
from autoevol.program.roles import PredictorCall

logger = logging.getLogger(__name__)

FIRST = 3
"""Calls of each signature that are traced in each kind of phase."""
PER_RULE = 3
"""Failed rows that are traced for each rule."""
PER_ROLE = 50
"""Calls of the optimizer, and of the judge, that are traced in all."""
MOST = 300
"""Traces of a run."""
_RECENT = 2000
"""Calls that are kept until their rows are judged: more than are in flight at a time."""
_WATCHED = ("optimizer", "judge")

FEEDBACK = "label"
"""Name of the assessment that a mark in `labels.jsonl` becomes."""

_READER = "autoevol view"
_MISSING = frozenset(("RESOURCE_DOES_NOT_EXIST", "NOT_FOUND"))

_NS_PER_MS = 10**6
_NS_PER_S = 10**9
_PREVIEW = 1000  # characters in MLflow's list of traces

Emit = Callable[[str, Mapping[str, Any]], None]


class TraceSelection:
    """Traces the first calls of each phase, proposals, judgements, and failures of each rule.

    Args:
        run_key: Belongs to the ids of the traces.
        emit: Gets the key and the content of each trace.
    """

    def __init__(self, run_key: str, emit: Emit) -> None:
        self._run_key, self._emit = run_key, emit
        self._phase = ""
        self._counts: Counter[tuple[str, ...]] = Counter()
        self._recent: OrderedDict[int, PredictorCall] = OrderedDict()

    def on_phase(self, phase: Phase) -> None:
        """Note the phase that the next calls belong to."""
        # The steps of a search are phases of one kind.
        self._phase = re.sub(r"\d+", "N", phase.name)

    def on_call(self, call: PredictorCall) -> None:
        """Trace a call if it is one of the first, or keep it for a moment."""
        role, name = _role(call), _name(call)
        if role in _WATCHED and self._is_due(PER_ROLE, "role", role):
            self._trace(call, {"phase": self._phase, "traced_as": role})
        elif self._is_due(FIRST, "phase", self._phase, name):
            self._trace(call, {"phase": self._phase, "traced_as": "first of the phase"})
        else:
            self._recent[call.draw] = call
            if len(self._recent) > _RECENT:
                self._recent.popitem(last=False)

    def on_row(self, outcome: Outcome) -> None:
        """Trace the evolving call of a failed row, or its answer, for the rule that it broke."""
        call = self._recent.pop(outcome.row.draw, None)
        if call is None or outcome.status != "failed" or not outcome.reasons:
            return
        rule = outcome.reasons[0].rule
        if self._is_due(PER_RULE, "rule", rule):
            tags = {"phase": self._phase, "traced_as": "failure", "rule": rule}
            self._trace(call, {**tags, "row": outcome.row.id})

    def _is_due(self, most: int, *kind: str) -> bool:
        """Count a call of a kind, and tell whether it is among the first."""
        if self._counts[kind] >= most or self._counts[()] >= MOST:
            return False
        self._counts.update([kind, ()])
        return True

    def _trace(self, call: PredictorCall, tags: Mapping[str, str]) -> None:
        try:
            body = _body(call, self._run_key, tags)
        # The call itself is done: what cannot be shown of it must not fail its row.
        except Exception as error:  # noqa: BLE001
            logger.warning("a call of %s is not traced: %s", _name(call), error)
            return
        self._emit(f"trace-{body['id']}", body)


def _body(call: PredictorCall, run_key: str, tags: Mapping[str, str]) -> dict[str, Any]:
    inputs = {name: _plain(value) for name, value in call.inputs.items()}
    outputs = {name: _plain(value) for name, value in dict(call.outputs or {}).items()}
    name = _name(call)
    # A resumed run makes the same calls with the same draws, and its traces get the same ids.
    coordinates = json.dumps([run_key, name, call.draw, inputs])
    return {
        "id": hashlib.blake2b(coordinates.encode(), digest_size=16).hexdigest(),
        "name": name,
        "started": call.started,
        "ended": call.ended,
        "inputs": inputs,
        "outputs": outputs,
        "error": call.error,
        "tags": dict(tags),
        "calls": _model_calls(call),
    }


def _role(call: PredictorCall) -> str:
    return call.calls[0].role if call.calls else ""


def _name(call: PredictorCall) -> str:
    """Return the signature's name; DSPy names those that it derives from others all alike."""
    name = call.signature.__name__
    return (_role(call) or "call") if name == "StringSignature" else name


def _model_calls(call: PredictorCall) -> list[dict[str, Any]]:
    return [
        {
            "model": record.model,
            "role": record.role,
            # Those of a repair hold the reply that did not parse, which is here already.
            "messages": _plain(call.messages()) if number == 0 else "repair of the reply before",
            "reply": record.text,
            "seconds": record.seconds,
            "tokens_in": record.tokens_in,
            "tokens_out": record.tokens_out,
            "is_replayed": record.is_replayed,
        }
        for number, record in enumerate(call.calls)
    ]


def _plain(value: Any) -> Any:
    """Return a value as JSON data."""
    return json.loads(json.dumps(value, default=str))


def log_trace(store: Store, run_id: str, body: Mapping[str, Any]) -> None:
    """Log a trace under the id that it names, so that logging it again changes nothing.

    Args:
        store: Gets it.
        run_id: The run that it belongs to.
        body: Of the event.
    """
    from mlflow.entities import TraceInfo, TraceLocation, TraceState
    from mlflow.tracing.client import TracingClient

    info = TraceInfo(
        trace_id=_trace_id(body),
        trace_location=TraceLocation.from_experiment_id(store.experiment_id),
        request_time=body["started"] // _NS_PER_MS,
        execution_duration=(body["ended"] - body["started"]) // _NS_PER_MS,
        state=TraceState.ERROR if body["error"] else TraceState.OK,
        request_preview=json.dumps(body["inputs"], ensure_ascii=False)[:_PREVIEW],
        response_preview=json.dumps(body["outputs"], ensure_ascii=False)[:_PREVIEW],
        trace_metadata={"mlflow.sourceRun": run_id, "mlflow.trace_schema.version": "3"},
        tags={"mlflow.traceName": body["name"], **safe_names(body["tags"])},
    )
    # MLflow's tracer writes to the store of the process, which it keeps in the environment. This
    # client writes to the one that it is handed.
    client = TracingClient(store.uri)
    client.start_trace(info)
    client.log_spans(store.experiment_id, _spans(body))


def is_trace_of(body: Mapping[str, Any], row: Mapping[str, Any]) -> bool:
    """Tell whether a trace shows how a row was rewritten, or how the rewrite was answered.

    Args:
        body: Of the trace's event.
        row: With its texts as a line of `labels.jsonl` names them: `seed`, `evolved`, `input`,
            `response`.
    """
    # By the texts: a search may trace a dev row of the same id, evolved by another method.
    inputs, outputs = _texts(body["inputs"]), _texts(body["outputs"])
    seed, evolved, response = (
        str(row.get(key) or "").strip() for key in ("seed", "evolved", "response")
    )
    if not evolved:
        is_own = bool(row.get("id")) and body["tags"].get("row") == row["id"]
        return is_own and seed in inputs
    is_rewrite = seed in inputs and evolved in outputs
    # The responder reads the instruction with its input.
    whole = f"{evolved}\n\n{str(row.get('input') or '').strip()}".strip()
    is_answer = bool(response) and response in outputs and not inputs.isdisjoint((evolved, whole))
    return is_rewrite or is_answer


def _texts(fields: Mapping[str, Any]) -> set[str]:
    return {value.strip() for value in fields.values() if isinstance(value, str)}


def log_feedback(
    store: Store, body: Mapping[str, Any], label: str | None, kinds: Sequence[str], row: str
) -> bool:
    """Make a trace have one assessment by a reader of a row; return whether it has one now.

    Args:
        store: Holds the trace; one that it does not hold is skipped.
        body: Of the trace's event.
        label: "good" or "bad"; None: the reader has taken the mark back.
        kinds: Kinds of failure, for the rationale.
        row: Id of the row.
    """
    from mlflow.entities import AssessmentSource, Feedback
    from mlflow.exceptions import MlflowException
    from mlflow.tracing.client import TracingClient

    client, trace_id = TracingClient(store.uri), _trace_id(body)
    try:
        assessments = client.get_trace_info(trace_id).assessments
    except MlflowException as error:
        if error.error_code not in _MISSING:
            raise
        return False
    rationale = ", ".join(kinds) or None
    ours = {str(a.assessment_id): _content(a) for a in assessments if _is_ours(a)}
    if [*ours.values()] == ([(label, rationale)] if label else []):
        return label is not None
    for assessment_id in ours:
        client.delete_assessment(trace_id, assessment_id)
    if label:
        source = AssessmentSource(source_type="HUMAN", source_id=_READER)
        feedback = Feedback(FEEDBACK, label, source=source, rationale=rationale)
        feedback.metadata = {"row": row}
        client.log_assessment(trace_id, feedback)
    return label is not None


def _is_ours(assessment: Any) -> bool:
    is_feedback = assessment.name == FEEDBACK and assessment.feedback is not None
    return is_feedback and assessment.source.source_id == _READER


def _content(assessment: Any) -> tuple[Any, str | None]:
    return assessment.feedback.value, assessment.rationale or None


def _spans(body: Mapping[str, Any]) -> list[Any]:
    from mlflow.entities import Span

    root = {
        "spanType": "CHAIN",
        "spanInputs": body["inputs"],
        "spanOutputs": body["outputs"],
    }
    spans = [_span(body, 1, body["name"], (body["started"], body["ended"]), root)]
    for number, (call, times) in enumerate(_timed(body), start=2):
        spans.append(_span(body, number, call["model"], times, _attributes(call)))
    return [Span.from_dict(span) for span in spans]


def _attributes(call: Mapping[str, Any]) -> dict[str, Any]:
    tokens_in, tokens_out = call["tokens_in"], call["tokens_out"]
    return {
        "spanType": "CHAT_MODEL",
        "spanInputs": call["messages"],
        "spanOutputs": call["reply"],
        "chat.tokenUsage": {
            "input_tokens": tokens_in,
            "output_tokens": tokens_out,
            "total_tokens": tokens_in + tokens_out,
        },
    }


def _timed(body: Mapping[str, Any]) -> list[tuple[Mapping[str, Any], tuple[int, int]]]:
    """Return the model calls with their times; the last ended when the predictor did."""
    calls: Sequence[Mapping[str, Any]] = body["calls"]
    ends = [body["ended"]]
    for call in reversed(calls):
        # A replayed call took its time in an earlier try, and none of this span's.
        spent = 0 if call["is_replayed"] else int(call["seconds"] * _NS_PER_S)
        ends.append(max(body["started"], ends[-1] - spent))
    return list(zip(calls, pairwise(reversed(ends)), strict=True))


def _span(
    body: Mapping[str, Any],
    number: int,
    name: str,
    times: tuple[int, int],
    attributes: Mapping[str, Any],
) -> dict[str, Any]:
    """Return a span in the form that MLflow reads; the first is the root of the others."""
    named = {"traceRequestId": _trace_id(body), **attributes}
    status = "STATUS_CODE_ERROR" if body["error"] and number == 1 else "STATUS_CODE_OK"
    return {
        "trace_id": _encoded(bytes.fromhex(body["id"])),
        "span_id": _encoded(number.to_bytes(8)),
        "parent_span_id": None if number == 1 else _encoded((1).to_bytes(8)),
        "name": name,
        "start_time_unix_nano": times[0],
        "end_time_unix_nano": times[1],
        "events": [],
        "links": [],
        "status": {"code": status, "message": body["error"] if number == 1 else ""},
        "attributes": {f"mlflow.{key}": json.dumps(value) for key, value in named.items()},
    }


def _trace_id(body: Mapping[str, Any]) -> str:
    return f"tr-{body['id']}"


def _encoded(number: bytes) -> str:
    return base64.b64encode(number).decode()
