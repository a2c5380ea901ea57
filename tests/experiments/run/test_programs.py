"""Any program on our models: a search is replayed from its ledger, and leaves its records."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import dspy
import mlflow
import pytest

import autoevol
from autoevol.experiments.artifacts.search_record import STEPS, read_record, record_of
from autoevol.experiments.models.budget import Budget
from autoevol.experiments.models.ledger import LedgerSettings
from autoevol.experiments.models.runtime import open_models
from autoevol.experiments.models.settings import ModelSettings
from autoevol.experiments.models.transports import scripted
from autoevol.experiments.models.transports.protocol import Message
from autoevol.experiments.tracking.candidates import candidate_bodies
from autoevol.program.errors import BudgetExhaustedError, ConfigError
from autoevol.program.listeners import Listeners
from autoevol.program.records import StepRecord
from autoevol.program.search.programs.compiler import AutoEvol
from autoevol.program.search.settings import SearchSettings
from tests.support.programs import exact, model, sets

SMALL = SearchSettings(steps=3, batch_size=4, candidates=3)


def tickets(messages: Sequence[Message], draw: int) -> str:
    """Play the scripted model of tickets."""
    return model().reply(messages[0]["content"], messages[-1]["content"], draw)


def search(folder: Path, calls: int | None = None) -> tuple[list[StepRecord], str, int, int]:
    """Return the steps, the final instructions, and the calls in all and from the ledger."""
    steps: list[StepRecord] = []
    settings = {
        role: ModelSettings("scripted/tickets", role=role, temperature=0.7)
        for role in ("evolver", "optimizer")
    }
    with open_models(
        settings,
        ledger=LedgerSettings(folder / "ledger.sqlite"),
        budget=Budget(calls=calls),
        on_part=lambda done, total: None,
        say=lambda line: None,
    ) as models:
        compiler = AutoEvol(
            exact,
            SMALL,
            Listeners(on_step=steps.append),
            optimizer_lm=models.lms["optimizer"],
            num_threads=4,
        )
        with dspy.context(lm=models.lms["evolver"]):
            best = compiler.compile(dspy.Predict("ticket -> category"), **sets(fresh=8))
        totals = models.engine.totals
    return steps, best.signature.instructions, totals.calls.total(), totals.replayed


def test_a_search_that_was_stopped_is_replayed_from_the_ledger(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(scripted.SCRIPTS, "tickets", tickets)
    whole = search(tmp_path)
    stopped = tmp_path / "stopped"
    stopped.mkdir()
    with pytest.raises(BudgetExhaustedError):
        search(stopped, calls=40)
    steps, instructions, calls, replayed = search(stopped)
    assert instructions == whole[1]
    assert [step.best.method.id for step in steps] == [step.best.method.id for step in whole[0]]
    assert replayed >= 30, "the calls before the stop"
    again = search(stopped)
    assert again[1] == instructions
    assert again[3] == again[2] == calls, "every call comes from the ledger"


def test_ledger_models_pay_once_and_mlflow_shows_the_search(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    played: list[int] = []

    def counted(messages: Sequence[Message], draw: int) -> str:
        played.append(draw)
        return tickets(messages, draw)

    monkeypatch.setitem(scripted.SCRIPTS, "tickets", counted)
    keys = {"model": "scripted/tickets", "temperature": 0.7}

    def compiled(calls: int | None = None) -> dspy.Module:
        with (
            autoevol.ledger_models(tmp_path / "own", keys, calls=calls) as models,
            dspy.context(lm=models.program),
        ):
            search = AutoEvol(
                exact,
                SMALL,
                autoevol.mlflow_listeners(),
                optimizer_lm=models.optimizer,
                num_threads=4,
            )
            return search.compile(dspy.Predict("ticket -> category"), **sets(fresh=8))

    with pytest.raises(ConfigError, match=r"no run is active; use mlflow\.start_run"):
        compiled()
    with mlflow.start_run(), pytest.raises(BudgetExhaustedError):
        compiled(calls=40)
    stopped = len(played)
    with mlflow.start_run() as run:
        best = compiled()
    whole = len(played)
    assert stopped >= 30
    with mlflow.start_run():
        assert compiled().signature.instructions == best.signature.instructions
    assert len(played) == whole, "every call comes from the ledger"
    logged = mlflow.MlflowClient().get_run(run.info.run_id)
    assert 0 <= logged.data.metrics["failure_rate"] <= 1
    assert "confirmation" in logged.data.tags


UNPRICED = {"model": "hosted_vllm/m", "api_base": "http://127.0.0.1:1/v1"}


@pytest.mark.parametrize(
    ("keys", "options", "needle"),
    [
        ({"model": "scripted/world", "temprature": 1}, {}, "temprature"),
        ({"model": 7}, {}, "evolver.model"),
        ("gpt-9-foo", {}, "autoevol.ledger_models: program"),
        ("hosted_vllm/m", {}, "api_base"),
        ({"model": "scripted/world", "adapter": "json"}, {}, "program.adapter"),
        (UNPRICED, {"usd": 5}, "usd: the price of hosted_vllm/m is unknown; set the price of"),
        ("scripted/world", {"usd": -1}, "usd"),
        ("scripted/world", {"calls": 0}, "calls"),
    ],
)
def test_what_cannot_be_opened_is_one_line(
    keys: Any, options: dict[str, Any], needle: str, tmp_path: Path
) -> None:
    own = tmp_path / "own"
    with pytest.raises(ConfigError) as refused, autoevol.ledger_models(own, keys, **options):
        pass
    assert needle in str(refused.value)
    assert not own.exists(), "nothing is written"


def test_a_folder_has_one_budget_at_a_time(tmp_path: Path) -> None:
    with (
        autoevol.ledger_models(tmp_path, "scripted/world", calls=3),
        pytest.raises(ConfigError, match="at work in"),
        autoevol.ledger_models(tmp_path, "scripted/world", calls=3),
    ):
        pass


def test_an_optimizer_without_keys_is_not_limited_as_the_program_is(tmp_path: Path) -> None:
    program = {"model": "scripted/world", "max_tokens": 30, "top_p": 0.1}
    with autoevol.ledger_models(tmp_path, program) as models:
        assert models.program.kwargs["max_tokens"] == 30
        assert models.optimizer.kwargs["max_tokens"] > 1000
        assert models.optimizer.kwargs["top_p"] == 0.95


def test_the_records_of_a_program_are_those_of_any_method(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(scripted.SCRIPTS, "tickets", tickets)
    steps, instructions, _, _ = search(tmp_path)
    bodies = [body for step in steps for body in candidate_bodies(step, 0.7)]
    assert bodies[0][0] == "initial"
    assert bodies[0][1]["metrics"]["failed.metric"] == 16
    assert json.dumps(bodies)
    best = steps[-1].best.method
    record = record_of(steps[0].incumbent.method, steps, [best], {})
    (tmp_path / STEPS).write_text(record.as_json())
    stored = read_record(tmp_path)
    assert stored is not None
    assert stored.best[0].instructions == best.instructions == instructions
