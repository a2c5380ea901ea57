"""Methods in the Prompt Registry: each once a run, linked to it, and read back as they ran."""

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import dspy
import mlflow
import pytest

import autoevol
from autoevol.experiments.tracking.config import load_tracking
from autoevol.experiments.tracking.prompts.registry import MethodRegistry, method_body
from autoevol.experiments.tracking.store import open_store
from autoevol.program.adapter import PlainAdapter
from autoevol.program.errors import ConfigError
from autoevol.signatures import Method, shipped_methods
from tests.support.command_line import run_cli, summary_of

WriteConfig = Callable[..., Path]
RUN = Path("runs/test")


def versions_of(name: str) -> list[Any]:
    """Return the versions of a run's prompt, the first one first."""
    client = mlflow.MlflowClient()
    versions = client.search_prompt_versions(f"autoevol-{name}")
    return sorted(versions, key=lambda version: int(version.version))


def linked(run_id: str) -> list[dict[str, str]]:
    entries: list[dict[str, str]] = json.loads(
        mlflow.get_run(run_id).data.tags["mlflow.linkedPrompts"]
    )
    return entries


def messages(signature: Any, demos: Any) -> Any:
    """Return the messages of an evolving call on a row."""
    return PlainAdapter().format(signature, demos, {"instruction": "Name {{three}} trees."})


def test_every_accepted_method_is_a_version_of_its_run(write_config: WriteConfig) -> None:
    config = str(write_config(name="accepted"))
    run_cli("run", config, "--set", "budget.calls=100", expected=3)
    run_cli("run", config, expected=0)
    summary = summary_of(Path("runs/accepted"))
    accepted = [line["method_id"] for line in summary["accepted_methods"]]
    versions = versions_of("accepted")
    assert len(accepted) > 1
    assert [version.tags["method_id"] for version in versions] == accepted
    assert {version.tags["run_id"] for version in versions} == {summary["mlflow_run_id"]}
    assert versions[0].commit_message.startswith("initial method: ")
    assert versions[1].commit_message.startswith("step 1, ")
    assert linked(summary["mlflow_run_id"]) == [
        {"name": "autoevol-accepted", "version": str(version.version)} for version in versions
    ]
    best = autoevol.load_method("prompts:/autoevol-accepted@best")
    assert best.id == summary["best_method_id"]

    run_cli("track", "runs/accepted", expected=0)
    Path("runs/accepted/tracking.jsonl").unlink()
    run_cli("track", "runs/accepted", expected=0)
    assert len(versions_of("accepted")) == len(versions)


def test_an_experiment_of_another_store_in_the_environment_changes_nothing(
    write_config: WriteConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_EXPERIMENT_ID", "77")
    result = run_cli("run", str(write_config(name="elsewhere")), expected=0)
    assert "not tracked" not in result.out
    summary = summary_of(Path("runs/elsewhere"))
    accepted = [line["method_id"] for line in summary["accepted_methods"]]
    assert [version.tags["method_id"] for version in versions_of("elsewhere")] == accepted
    for version in ("@best", f"/{len(accepted)}"):
        assert autoevol.load_method(f"prompts:/autoevol-elsewhere{version}").id in accepted


def test_another_run_of_the_name_has_versions_of_its_own(write_config: WriteConfig) -> None:
    config = str(write_config(6, name="twice", optimizer={"name": "none"}))
    for out in ("runs/one", "runs/two"):
        run_cli("run", config, "--out", out, expected=0)
    ids = [summary_of(Path(out))["mlflow_run_id"] for out in ("runs/one", "runs/two")]
    first, second = versions_of("twice")
    assert [first.tags["run_id"], second.tags["run_id"]] == ids
    assert [linked(run_id)[0]["version"] for run_id in ids] == ["1", "2"]
    assert mlflow.MlflowClient().get_prompt_version_by_alias("autoevol-twice", "best").version == 2


def test_what_is_loaded_asks_what_ran(write_config: WriteConfig) -> None:
    search = {
        "steps": 2,
        "batch_size": 4,
        "candidates": 4,
        "initial_method": "e0-shown",
        "operators": ["drop_demonstration"],
    }
    run_cli("run", str(write_config(name="loaded", optimizer=search)), expected=0)
    folder = Path("runs/loaded")
    predictor = dspy.Predict("instruction -> evolved_instruction")
    predictor.load(str(folder / "program.json"))
    best = summary_of(folder)["best_method_id"]
    (version,) = [v.version for v in versions_of("loaded") if v.tags["method_id"] == best]
    for source in (
        "prompts:/autoevol-loaded@best",
        f"prompts:/autoevol-loaded/{version}",
        folder / "methods/best.md",
    ):
        method = autoevol.load_method(source)
        evolver = autoevol.Evolver(method)
        assert evolver.evolve.dump_state() == predictor.dump_state()
        assert messages(evolver.evolve.signature, evolver.evolve.demos) == messages(
            predictor.signature, predictor.demos
        )
        assert method.demonstrations


ODD = Method(
    "odd",
    'Keep {{name}}, {{ spaced }}, {x}, {% if a %}b{% endif %} and "quotes".\r\nTab:\t더 어렵게 🦆',
    demonstrations=(
        ("Use {{name}}.\n---\nid: 1", "Use {{name}} twice: {%raw%}"),
        ("", " : - # "),
    ),
    thinking="steps",
    kind="breadth",
)


@pytest.mark.parametrize("method", [ODD, *shipped_methods().values()], ids=lambda m: m.name)
def test_every_text_comes_back_as_it_was(method: Method, workplace: Path) -> None:
    config = load_tracking()
    assert config is not None
    store = open_store(config)
    run_id = store.client.create_run(store.experiment_id).info.run_id
    registry = MethodRegistry(store, run_id, f"key-{method.id}", f"odd-{method.name}")
    versions = [registry.register(method_body(method, "tried")) for _ in range(2)]
    assert [version and version.version for version in versions] == [1, 1]
    loaded = autoevol.load_method(f"prompts:/autoevol-odd-{method.name}/1")
    assert loaded == replace(method, template=None)
    assert loaded.signature.instructions == method.signature.instructions


@pytest.mark.parametrize("text", ["x" * 100_001, "half \ud83d of a pair"])
def test_a_text_that_mlflow_cannot_hold_is_left_out(text: str, workplace: Path) -> None:
    config = load_tracking()
    assert config is not None
    store = open_store(config)
    run_id = store.client.create_run(store.experiment_id).info.run_id
    registry = MethodRegistry(store, run_id, "key", "too-much")
    assert registry.register(method_body(Method("m", text), "tried")) is None


def test_what_cannot_be_loaded_is_an_error_of_one_line(workplace: Path) -> None:
    client = mlflow.MlflowClient()
    steps = shipped_methods()["e0"]
    client.register_prompt("autoevol-older", steps.instructions, tags={"method_id": steps.id})
    mlflow.genai.register_prompt("autoevol-chat", [{"role": "user", "content": "Hello"}])
    sources = {
        "prompts:/autoevol-nothing/1": "autoevol-nothing",
        "prompts:/autoevol-nothing@best": "autoevol-nothing",
        "prompts:/autoevol-older/1": "holds the instructions alone",
        "prompts:/autoevol-chat/1": "is a prompt of several messages",
        "nowhere.md": "nowhere.md",
    }
    for source, message in sources.items():
        with pytest.raises(ConfigError, match=message) as caught:
            autoevol.load_method(source)
        assert "\n" not in str(caught.value)
    with pytest.raises(ConfigError, match="there is no database"):
        autoevol.load_method("prompts:/a/1", tracking_uri="sqlite:///none.db")
    assert not Path("none.db").exists()
    Path("mlflow.yaml").write_text("tracking_uri: sqlite:///empty.db\n")
    with pytest.raises(ConfigError, match="there is no database"):
        autoevol.load_method("prompts:/a/1")


def test_a_method_file_is_read_without_mlflow(workplace: Path) -> None:
    code = (
        "import sys, autoevol\n"
        "from pathlib import Path\n"
        "Path('m.md').write_text('Make it harder.')\n"
        "assert autoevol.load_method('m.md').instructions == 'Make it harder.'\n"
        "assert 'mlflow' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
