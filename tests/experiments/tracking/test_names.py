"""Names that MLflow would refuse reach it in a form that it takes, and stay apart."""

from collections.abc import Callable
from pathlib import Path

import mlflow
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mlflow.prompt.registry_utils import validate_prompt_name
from mlflow.utils.validation import _validate_metric_name, _validate_param_name, _validate_tag_name

from autoevol.experiments.models.transports.scripted import SAFEGUARD
from autoevol.experiments.tracking.naming.safe import prompt_name, safe_name, safe_names
from autoevol.signatures import from_markdown
from tests.support.command_line import run_cli, summary_of

CHECKS: tuple[Callable[[str], object], ...] = (
    _validate_metric_name,
    _validate_param_name,
    _validate_tag_name,
)
AWKWARD = ("e0 (1)", "it's", "100%", "a/b", "..", ".", "", "{{x}}", "더 어렵게", "🦆", "x" * 400)


@pytest.mark.parametrize("name", AWKWARD)
def test_mlflow_takes_a_name_for_everything(name: str) -> None:
    safe = safe_name(name)
    for check in CHECKS:
        check(safe)
    assert len(safe) <= 250
    validate_prompt_name(prompt_name(name))


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=300))
def test_mlflow_takes_any_name(name: str) -> None:
    for check in CHECKS:
        check(safe_name(name))
    validate_prompt_name(prompt_name(name))
    assert safe_name(safe_name(name)) == safe_name(name)


def test_a_good_name_stays() -> None:
    for name in ("summary.rounds", "copied_answer", "e0-shown", "더 어렵게"):
        assert safe_name(name) == name
    assert prompt_name("my run, v2") == "autoevol-my-run-v2"


def test_names_that_would_coincide_stay_apart() -> None:
    values = {"a-b": 1, "a(b": 2, "a)b": 3}
    safe = safe_names(values)
    assert [*safe.values()] == [1, 2, 3]
    assert safe["a-b"] == 1


def test_a_run_with_awkward_names_is_tracked(write_config: Callable[..., Path]) -> None:
    files = ["e0 (1).md", "it's.md", "100%.md"]
    for number, file in enumerate(files):
        text = f"Rewrite the instruction into a harder one, way {number}. {SAFEGUARD}\n"
        Path(file).write_text(text)
    config = write_config(
        6,
        name="more+less",
        optimizer={"name": "none"},
        evolve={"methods": files, "respond": False},
        output={"dir": "runs/awkward"},
    )
    result = run_cli("run", str(config), expected=0)
    assert "not tracked" not in result.out
    summary = summary_of(Path("runs/awkward"))
    figures = mlflow.artifacts.load_dict(f"runs:/{summary['mlflow_run_id']}/figures.json")
    kept = {key: value for key, value in figures.items() if key.startswith("attempts_by_method")}
    assert sum(kept.values()) == 6
    methods = {key.rsplit(".", 1)[0] for key in kept}
    assert len(methods) == len(summary["attempts_by_method"])
    best = mlflow.MlflowClient().get_prompt_version_by_alias("autoevol-more-less", "best")
    assert from_markdown(best.template, name="").instructions in {
        Path(file).read_text().strip() for file in files
    }
