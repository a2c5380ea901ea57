"""A run changes no environment variable beside a second thread, and contacts only what it names."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from autoevol.environment import DEFAULTS
from benchmarks.server_process import ROOT, ServerProcess, serving

CLEAN = {
    key: value
    for key, value in os.environ.items()
    if key not in DEFAULTS and not key.startswith(("MLFLOW", "PYTEST", "HF_"))
}
"""As at a user's: nothing of the tests, by which MLflow also knows that it is tested."""

SCORES = {"names": ["length", "lexical", "neighbours", "difficulty"]}
FILTERS = [{"name": "dedup"}]


def configured(folder: Path, server: ServerProcess, **sections: Any) -> Path:
    """Write a search with every kind of call, tracked in a new store."""
    lines = [{"instruction": f"List the {n} largest rivers of Asia."} for n in range(30)]
    (folder / "seeds.jsonl").write_text("\n".join(map(json.dumps, lines)))
    model = {"model": "hosted_vllm/world", "api_base": server.url, "concurrency": 8}
    tree = {
        "name": "audited",
        "models": {"evolver": model},
        "data": {"path": "seeds.jsonl", "train_size": 6, "dev_size": 10, "heldout_size": 8},
        "optimizer": {"steps": 1, "batch_size": 4, "candidates": 2},
        "failure": {"evolve": ["strict", "koevol"]},
        "evolve": {"methods": ["weak"]},
        **sections,
    }
    (folder / "audited.yaml").write_text(yaml.safe_dump(tree))
    (folder / "mlflow.yaml").write_text("tracking_uri: sqlite:///mlflow.db\n")
    return folder / "audited.yaml"


def audited(folder: Path, *arguments: str, **variables: str) -> dict[str, Any]:
    """Run a command under the hook, with some variables set; return its report."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.audited", "report.json", *arguments],
        cwd=folder,
        env={**CLEAN, **variables, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'src'}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    report: dict[str, Any] = json.loads((folder / "report.json").read_text())
    return {**report, "output": done.stdout + done.stderr}


def test_a_whole_run_changes_no_variable_beside_a_thread_and_contacts_its_endpoint_alone(
    tmp_path: Path,
) -> None:
    with serving() as server:
        config = configured(tmp_path, server, scores=SCORES, filters=FILTERS)
        run = audited(tmp_path, "run", str(config))
        again = audited(tmp_path, "track", "runs/audited")
        endpoint = urlsplit(server.url)

    assert json.loads((tmp_path / "runs/audited/summary.json").read_text())["mlflow_run_id"]
    assert run["changes"] == []
    assert set(run["contacts"]) == {str((endpoint.hostname, endpoint.port))}
    assert (again["changes"], again["contacts"]) == ([], [])


def test_a_model_behind_litellm_changes_no_variable_either(tmp_path: Path) -> None:
    with serving() as server:
        model = {"model": "deepseek/deepseek-chat", "api_base": server.url, "concurrency": 8}
        none = {"name": "none"}
        config = configured(tmp_path, server, models={"evolver": model}, optimizer=none)
        run = audited(tmp_path, "run", str(config), "--yes")
        endpoint = urlsplit(server.url)
    assert run["changes"] == []
    assert set(run["contacts"]) == {str((endpoint.hostname, endpoint.port))}


def test_a_home_that_cannot_be_written_changes_no_variable_either(tmp_path: Path) -> None:
    with serving() as server:
        # Two rounds, for a picture: matplotlib is what looks for a home.
        evolve = {"methods": ["weak"], "rounds": 2}
        config = configured(tmp_path, server, optimizer={"name": "none"}, evolve=evolve)
        run = audited(tmp_path, "run", str(config), HOME="/dev/null")
    assert run["changes"] == []
    assert (tmp_path / "runs/audited/words_added.png").is_file()


def changed_by_import(prelude: str, environment: dict[str, str]) -> dict[str, str]:
    """Return the variables that are other ones after `import autoevol`."""
    script = f"""
import json, os, threading
{prelude}
before = dict(os.environ)
import autoevol
print(json.dumps({{k: v for k, v in os.environ.items() if before.get(k) != v}}))
os._exit(0)
"""
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**environment, "PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
        check=True,
    )
    changed: dict[str, str] = json.loads(done.stdout)
    return changed


def test_the_import_turns_telemetry_off_but_changes_nothing_that_is_set() -> None:
    assert changed_by_import("", CLEAN) == DEFAULTS
    own = {**CLEAN, "MLFLOW_HTTP_REQUEST_TIMEOUT": "99"}
    assert "MLFLOW_HTTP_REQUEST_TIMEOUT" not in changed_by_import("", own)


def test_the_import_changes_nothing_in_a_process_that_runs_threads() -> None:
    thread = "threading.Thread(target=threading.Event().wait, daemon=True).start()"
    assert changed_by_import(thread, CLEAN) == {}


@pytest.mark.parametrize(
    "check",
    [
        "from mlflow.telemetry.utils import is_telemetry_disabled as f; print(f())",
        "from huggingface_hub.constants import HF_HUB_DISABLE_TELEMETRY as f; print(f)",
    ],
)
def test_the_libraries_take_the_variables_as_an_order(check: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", f"import autoevol\n{check}"],
        env={**CLEAN, "PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "True"
