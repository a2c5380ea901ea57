"""Traces: a bounded number of those that somebody will look at, and none is lost."""

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dspy
import mlflow
import pytest
import yaml

from autoevol.experiments.tracking.traces import (
    FIRST,
    MOST,
    PER_ROLE,
    PER_RULE,
    TraceSelection,
    is_trace_of,
)
from autoevol.program.calls import CallRecord
from autoevol.program.roles import PredictorCall, Role
from autoevol.signatures import shipped_methods
from tests.support.command_line import run_cli, summary_of

WriteConfig = Callable[..., Path]
RUN = Path("runs/test")


@pytest.fixture
def traced(workplace: Path, store: Path) -> None:
    """Track with the default settings."""
    uri = f"sqlite:///{store}/mlflow.db"
    (workplace / "mlflow.yaml").write_text(yaml.safe_dump({"tracking_uri": uri}))


def traces_of(run_id: str) -> list[Any]:
    client = mlflow.MlflowClient()
    experiment = client.get_run(run_id).info.experiment_id
    return [*client.search_traces(locations=[experiment], run_id=run_id, max_results=MOST)]


def traces() -> list[Any]:
    return traces_of(summary_of(RUN)["mlflow_run_id"])


@pytest.mark.usefixtures("traced")
def test_the_number_of_traces_does_not_grow_with_the_rows(write_config: WriteConfig) -> None:
    sections = {"optimizer": {"name": "none"}, "evolve": {"methods": ["weak"], "respond": False}}
    run_cli("run", str(write_config(200, **sections)), expected=0)

    kinds = Counter(trace.info.tags["traced_as"] for trace in traces())
    rules = Counter(
        trace.info.tags["rule"] for trace in traces() if trace.info.tags["traced_as"] == "failure"
    )
    broken = summary_of(RUN)["failures_by_rule"]["evolve"]
    assert kinds["first of the phase"] == FIRST
    assert rules
    assert {*rules} <= {*broken}
    assert max(rules.values()) <= PER_RULE
    assert len(traces()) == kinds.total() < 40


@pytest.mark.usefixtures("traced")
def test_a_search_shows_its_proposals_and_judgements(write_config: WriteConfig) -> None:
    failure = {"evolve": ["strict", "koevol"], "respond": ["strict"]}
    search = {"steps": 2, "batch_size": 4, "candidates": 3, "headroom": False}
    run_cli("run", str(write_config(optimizer=search, failure=failure)), expected=0)

    found = Counter(
        (trace.info.tags["traced_as"], trace.info.tags["mlflow.traceName"]) for trace in traces()
    )
    calls = summary_of(RUN)["calls_by_role"]
    assert sum(n for (kind, _), n in found.items() if kind == "optimizer") == calls["optimizer"]
    # A reply that did not parse is asked for again, within one trace.
    judged = sum(n for (kind, _), n in found.items() if kind == "judge")
    assert 0 < judged <= min(PER_ROLE, calls["judge"])
    assert ("optimizer", "OptimizeMethod") in found


@pytest.mark.usefixtures("traced")
def test_a_trace_has_the_prompt_and_the_reply(write_config: WriteConfig) -> None:
    sections = {"optimizer": {"name": "none"}, "evolve": {"methods": ["weak"], "respond": False}}
    run_cli("run", str(write_config(4, **sections)), expected=0)
    (trace, *_) = traces()
    root, call = trace.data.spans
    assert (root.name, root.parent_id, root.span_type) == ("evolver", None, "CHAIN")
    assert (call.parent_id, call.span_type) == (root.span_id, "CHAT_MODEL")
    assert root.inputs["instruction"] in call.inputs[-1]["content"]
    assert root.outputs["evolved_instruction"] in call.outputs
    assert call.inputs[0]["role"] == "system"
    assert root.start_time_ns <= call.start_time_ns <= call.end_time_ns <= root.end_time_ns
    assert trace.info.state == "OK"


@pytest.mark.usefixtures("traced")
def test_a_resumed_run_traces_no_call_twice(write_config: WriteConfig) -> None:
    config = str(write_config())
    run_cli("run", config, "--set", "budget.calls=100", expected=3)
    before = {json.loads(line)["key"]: json.loads(line)["at"] for line in journal()}
    run_cli("run", config, expected=0)
    after = {json.loads(line)["key"]: json.loads(line)["at"] for line in journal()}
    kept = [key for key in before if key.startswith("trace-")]
    assert kept
    assert {key: after[key] for key in kept} == {key: before[key] for key in kept}
    ids = [trace.info.trace_id for trace in traces()]
    assert len(ids) == len({*ids}) == sum(key.startswith("trace-") for key in after)


def test_a_call_that_cannot_be_shown_fails_no_row(caplog: pytest.LogCaptureFixture) -> None:
    emitted: list[str] = []
    selection = TraceSelection("key", lambda key, _: emitted.append(key))
    signature = shipped_methods()["weak"].signature
    record = CallRecord("evolver", "m", "text", False, False, 1, 0, 0, 1, 0.1, None)
    unfit = [dspy.Example(question="of another signature")]
    for demos in (unfit, []):
        call = PredictorCall(
            signature=signature,
            role=Role(None, "m"),
            draw=len(demos),
            inputs={"instruction": "Name it."},
            demos=demos,
            started=1,
            ended=2,
            calls=(record,),
            outputs=None,
        )
        selection.on_call(call)
    assert len(emitted) == 1
    assert "is not traced" in caplog.text


def journal() -> list[str]:
    return (RUN / "tracking.jsonl").read_text().splitlines()


def test_no_call_is_traced_where_the_share_is_nothing(write_config: WriteConfig) -> None:
    run_cli("run", str(write_config(6, optimizer={"name": "none"})), expected=0)
    assert traces() == []


def test_an_answer_to_a_row_with_input_is_found_by_what_the_responder_read() -> None:
    row = {"id": "a", "seed": "Sum.", "evolved": "Add.", "input": "1, 2", "response": "3"}
    body = {"inputs": {"instruction": "Add.\n\n1, 2"}, "outputs": {"response": "3"}, "tags": {}}
    assert is_trace_of(body, row)
    assert not is_trace_of(body, {**row, "input": "4"})
    assert is_trace_of({**body, "inputs": {"instruction": "Add."}}, {**row, "input": ""})
