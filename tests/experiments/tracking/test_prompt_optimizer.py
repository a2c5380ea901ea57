"""Our search behind `mlflow.genai.optimize_prompts`, on a prompt whose true failure rate is known.

A scripted model sorts a ticket right if the prompt holds the order for its category.
"""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import dspy
import mlflow
import pytest
from mlflow.genai.optimize.types import EvaluationResultRecord
from mlflow.genai.scorers import scorer

import autoevol
from autoevol.experiments.tracking.prompts.optimizer import _scored
from autoevol.program.errors import ConfigError, StoppedError
from autoevol.program.search.settings import SearchSettings
from tests.conftest import REPOSITORY
from tests.support.programs import ORDERS, ScriptedLM, model, taught, tickets

# MLflow warns of type hints in modules of its own, and of a judge that nobody uses.
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::FutureWarning")

RESET: Callable[[], object] = mlflow.tracing.reset
START = "Sort the ticket, and keep {braces}: {{ticket}}"
SETTINGS = SearchSettings(steps=4, candidates=4, headroom=False)


@pytest.fixture(autouse=True)
def _own_experiment(workplace: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """MLflow's active run and experiment are of the process; a trace of each row takes longest."""
    monkeypatch.setenv("MLFLOW_TRACE_SAMPLING_RATIO", "0")
    RESET()
    mlflow.set_experiment("prompts")
    yield
    while mlflow.active_run():
        mlflow.end_run()
    monkeypatch.delenv("MLFLOW_TRACE_SAMPLING_RATIO")
    RESET()


@scorer
def is_right(outputs: str, expectations: dict[str, Any]) -> bool:
    return bool(outputs == expectations["expected_response"])


def rows(count: int = 32) -> list[dict[str, Any]]:
    return [{"inputs": {"ticket": t.ticket}, "outputs": t.category} for t in tickets(count)]


def sorted_by(name: str) -> Callable[..., str]:
    """Return the program: it fills in a prompt, and knows what its orders teach."""
    registered = mlflow.genai.load_prompt(f"prompts:/{name}/1")

    def predict_fn(ticket: str) -> str:
        text = registered.format(ticket=ticket)
        assert isinstance(text, str)
        category = next(t.category for t in tickets(32) if t.ticket in text)
        return category if ORDERS[category] in text else "unknown"

    return predict_fn


def improved(name: str, template: str = START, **options: Any) -> Any:
    prompt = mlflow.genai.register_prompt(name, template)
    optimizer = options.pop("optimizer", None) or autoevol.AutoEvolPromptOptimizer(
        SETTINGS, optimizer_lm=options.pop("lm", None) or model()
    )
    return mlflow.genai.optimize_prompts(
        **{
            "predict_fn": sorted_by(name),
            "train_data": rows(),
            "prompt_uris": [prompt.uri],
            "optimizer": optimizer,
            "scorers": [is_right],
            **options,
        }
    )


def test_the_search_teaches_a_prompt_what_it_lacks() -> None:
    result = improved("tickets")
    (best,) = result.optimized_prompts
    known_orders = [name for name, order in ORDERS.items() if order in best.template]
    assert best.version == 2
    assert best.template.startswith(START)
    assert len(known_orders) >= 2
    assert result.initial_eval_score == 0
    assert result.final_eval_score >= 0.25 * len(known_orders) - 0.2
    assert result.final_eval_score_per_scorer == {"is_right": result.final_eval_score}
    assert mlflow.genai.load_prompt("prompts:/tickets/1").template == START


def test_the_example_of_the_docs_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    page = (REPOSITORY / "docs/programs.md").read_text("utf-8")
    (code,) = [block for block in page.split("```") if "optimize_prompts(" in block]

    def reply(system: str, user: str, draw: int) -> str:
        if "Sort this ticket" in system:
            category = next(t.category for t in tickets(32) if t.ticket in system)
            return category if ORDERS[category] in system else "unknown"
        return model().reply(system, user, draw)

    monkeypatch.setattr(dspy, "LM", lambda name, **options: ScriptedLM(reply))
    monkeypatch.setattr(mlflow, "set_tracking_uri", lambda uri: None)
    names: dict[str, Any] = {"tickets": [(t.ticket, t.category) for t in tickets(32)]}
    exec(code.removeprefix("python"), names)
    result = names["result"]
    assert "{{ticket}}" in result.optimized_prompts[0].template
    assert result.final_eval_score > result.initial_eval_score == 0


def test_the_run_has_the_failure_rate_by_step_and_every_candidate() -> None:
    with mlflow.start_run() as run:
        improved("followed")
    client = mlflow.MlflowClient()
    points = client.get_metric_history(run.info.run_id, "failure_rate")
    table = mlflow.artifacts.load_dict(f"runs:/{run.info.run_id}/candidates.json")
    data = client.get_run(run.info.run_id).data
    assert [point.step for point in points] == [*range(len(points))]
    assert points[0].value == 1 > points[-1].value
    assert table["columns"][:2] == ["id", "verdict"]
    assert table["data"][0][0] == "step-01-candidate-1"
    assert "initial: " in data.tags["confirmation"]
    assert data.metrics["final_eval_score"] > data.metrics["initial_eval_score"]


def test_a_proposal_that_loses_or_adds_a_variable_is_rejected() -> None:
    def careless(method: str, draw: int) -> str:
        text = taught(method, draw)
        return text.replace("{{ticket}}", ("the ticket", "{{ticket}} of {{user}}")[draw % 2])

    with mlflow.start_run() as run:
        result = improved("careless", lm=model(careless))
    table = mlflow.artifacts.load_dict(f"runs:/{run.info.run_id}/candidates.json")
    reasons = {line[1] for line in table["data"]}
    assert reasons <= {
        "loses {{ticket}}",
        "adds {{user}}, which the program does not fill in",
        "duplicate of an earlier method",
    }
    assert {"loses {{ticket}}"} < reasons
    assert result.optimized_prompts[0].template == START
    assert result.initial_eval_score == result.final_eval_score


def test_a_chat_prompt_and_a_second_prompt_are_improved_text_by_text() -> None:
    messages = [
        {"role": "system", "content": "Sort tickets."},
        {"role": "user", "content": "{{ticket}}"},
    ]
    chat = mlflow.genai.register_prompt("chat", messages)
    closing = mlflow.genai.register_prompt("closing", "Name the category alone.")

    def predict_fn(ticket: str) -> str:
        filled = chat.format(ticket=ticket)
        text = json.dumps([*filled, closing.format()])
        category = next(t.category for t in tickets(32) if t.ticket in text)
        return category if ORDERS[category] in text else "unknown"

    result = improved(
        "unused",
        predict_fn=predict_fn,
        prompt_uris=[chat.uri, closing.uri],
    )
    first, second = result.optimized_prompts
    assert [message["role"] for message in first.template] == ["system", "user"]
    assert "{{ticket}}" in first.template[1]["content"]
    assert any(order in json.dumps([first.template, second.template]) for order in ORDERS.values())
    assert result.final_eval_score > 0


def test_a_row_whose_scorer_raises_is_unscored_and_ends_nothing() -> None:
    @scorer
    def fragile(inputs: dict[str, Any], outputs: str, expectations: dict[str, Any]) -> bool:
        if inputs["ticket"].endswith(("1.", "2.")):
            raise ValueError("no opinion")
        return bool(outputs == expectations["expected_response"])

    result = improved("fragile", scorers=[fragile])
    assert result.final_eval_score > 0

    @scorer
    def graded(outputs: str) -> float:
        return 4.0

    with pytest.raises(StoppedError):
        improved("graded", scorers=[graded])


def test_rows_that_are_run_again_one_by_one_are_counted_again() -> None:
    def evaluated(_: dict[str, str], records: list[Any]) -> list[Any]:
        trace: Any = None
        if len(records) > 1:
            raise ValueError("no opinion")
        return [EvaluationResultRecord({}, "x", {}, 1.0, trace, {}, {})]

    assert [row.runs for row in _scored(evaluated, {}, [{}, {}])] == [2, 2]
    assert [row.runs for row in _scored(evaluated, {}, [{}])] == [1]


def test_equal_inputs_are_one_row_and_too_few_are_refused() -> None:
    with pytest.raises(ConfigError, match="has 1 different inputs"):
        improved("few", train_data=rows(1) * 9)
    for options in ({"dev_size": 24, "fresh_size": 8}, {"dev_size": 0}, {"fresh_size": 16}):
        optimizer = autoevol.AutoEvolPromptOptimizer(SETTINGS, optimizer_lm=model(), **options)
        with pytest.raises(ConfigError, match="leave none to learn from"):
            improved("few", optimizer=optimizer)


def test_what_is_missing_is_named() -> None:
    with pytest.raises(ConfigError, match="scorers"):
        improved("missing", scorers=None)
    with pytest.raises(ConfigError, match="train_data"):
        improved("missing", scorers=None, train_data=None)
    with pytest.raises(ConfigError, match="optimizer_lm"):
        improved("missing", optimizer=autoevol.AutoEvolPromptOptimizer(SETTINGS))
    with pytest.raises(ConfigError, match="passes"):
        autoevol.AutoEvolPromptOptimizer(passes=2)
    only = SearchSettings(operators=("safeguard",))
    optimizer = autoevol.AutoEvolPromptOptimizer(only, optimizer_lm=model())
    with pytest.raises(ConfigError, match="no prompt template has safeguard"):
        improved("missing", optimizer=optimizer)
