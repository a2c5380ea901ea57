"""A tiny experiment on a real model: the contract is checked, not its taste."""

import asyncio
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import dspy
import mlflow
import pytest

from autoevol.experiments.models.budget import Budget
from autoevol.experiments.models.ledger import LedgerSettings
from autoevol.experiments.models.runtime import open_models
from autoevol.experiments.models.settings import ModelSettings
from autoevol.program.adapter import PlainAdapter
from tests.conftest import REPOSITORY
from tests.support.command_line import run_cli

pytestmark = pytest.mark.local

MODEL = "local/qwen2.5-coder-0.5b-instruct"
TINY = {
    "models.evolver.model": MODEL,
    "data.limit": 6,
    "data.train_size": 2,
    "data.dev_size": 2,
    "data.heldout_size": 2,
    "data.path": str(REPOSITORY / "data/seeds_en_ko.jsonl"),
    "optimizer.batch_size": 2,
    "optimizer.candidates": 1,
    "evolve.attempts": 1,
    "models.evolver.max_tokens": 96,
    "models.responder.max_tokens": 48,
    "models.optimizer.max_tokens": 200,
    "failure.respond": "[strict, -truncated]",
    "failure.evolve": "[strict]",
    "failure.rules": "[strict]",
}


@pytest.fixture(autouse=True)
def _one_processor_beside_others() -> Iterator[None]:
    """Keep to one processor where another worker tests beside this one.

    llama.cpp's threads wait for each other at every layer: with fewer free processors than threads
    they mostly wait.
    """
    processors = os.sched_getaffinity(0)
    if "PYTEST_XDIST_WORKER" in os.environ:
        os.sched_setaffinity(0, {max(processors)})
    yield
    os.sched_setaffinity(0, processors)


def test_the_quickstart_in_small_keeps_the_contract(workplace: Path) -> None:
    overrides = [part for key, value in TINY.items() for part in ("--set", f"{key}={value}")]
    config = REPOSITORY / "experiments/configs/quickstart.yaml"

    done = run_cli("run", str(config), *overrides)

    assert done.code == 0, done.err
    folder = Path("runs/quickstart")
    summary = json.loads((folder / "summary.json").read_text())
    rows = [
        json.loads(line)
        for name in ("evolved.jsonl", "failures.jsonl")
        for line in (folder / name).read_text().splitlines()
    ]
    assert summary["rows_in"] == summary["rows_out"] + summary["rows_failed"] == len(rows) == 6
    assert summary["rows_unscored"] == 0
    assert summary["calls"] == sum(summary["calls_by_role"].values()) > 0
    assert summary["tokens_out"] > 0
    assert summary["tokens_cached"] > 0
    assert all(row["instruction"] or row["raw"] for row in rows)
    client = mlflow.MlflowClient()
    parent = client.get_run(summary["mlflow_run_id"])
    children = client.search_runs(
        [parent.info.experiment_id], f"tags.`mlflow.parentRunId` = '{parent.info.run_id}'"
    )
    assert {child.data.tags["candidate_id"] for child in children} == {
        "initial",
        "step-01-candidate-1",
    }
    _check_program_json(folder, rows)


def _check_program_json(folder: Path, rows: list[dict[str, str]]) -> None:
    """Load the program with plain DSPy: on the run's ledger it must ask the very same questions."""
    predictor = dspy.Predict("instruction -> evolved_instruction")
    predictor.load(str(folder / "program.json"))
    settings = ModelSettings(MODEL, role="evolver", temperature=0.4, top_p=0.95, max_tokens=96)
    shutil.copy(folder / "ledger.sqlite", "copy.sqlite")
    with open_models(
        {"evolver": settings},
        ledger=LedgerSettings(Path("copy.sqlite")),
        budget=Budget(calls=0),
        on_part=lambda done, total: None,
        say=lambda line: None,
    ) as models:
        with dspy.context(lm=models.lms["evolver"], adapter=PlainAdapter()):
            for row in rows:
                prediction = asyncio.run(
                    predictor.acall(instruction=row["origin"], config={"rollout_id": row["draw"]})
                )
                assert prediction.evolved_instruction == row["instruction"]
        assert models.engine.totals.calls.total() == models.engine.totals.replayed


def test_the_check_command_measures_the_speed(workplace: Path) -> None:
    name = "local/smollm2-135m-instruct"
    assert run_cli("models", "pull", name).code == 0
    checked = run_cli("models", "check", name)
    assert checked.code == 0, checked.err
    assert "SHA-256 as published" in checked.out
    assert "tokens/s" in checked.out


def test_a_file_that_is_no_model_is_refused(workplace: Path) -> None:
    Path("broken.gguf").write_bytes(b"GGUF but not really" + os.urandom(64))
    Path("seeds.jsonl").write_text('{"instruction": "Name a tree."}\n')
    Path("broken.yaml").write_text(
        "name: broken\nmodels: {evolver: {model: local/broken.gguf}}\n"
        "data: {path: seeds.jsonl}\noptimizer: {name: none}\n"
    )
    refused = run_cli("run", "broken.yaml")
    assert refused.code == 2
    assert "broken.gguf" in refused.err
