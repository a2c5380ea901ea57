"""Names of runs tell two runs of one config apart, and say nothing of the machine."""

from collections.abc import Callable
from pathlib import Path

import mlflow
import pytest

from autoevol.experiments.tracking.naming.runs import placed, run_name
from tests.support.command_line import run_cli, summary_of


def test_a_name_is_the_configs_and_the_folders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run_name("quick", Path("runs/quick-2")) == "quick-2 · runs"
    assert run_name("quick", tmp_path / "runs" / "quick") == "quick · runs"
    assert run_name("quick", Path("runs/tuesday")) == "tuesday, quick · runs"
    assert run_name("quick", Path("runs/quicker")) == "quicker, quick · runs"
    assert run_name("quick", Path("quick")) == "quick"
    assert run_name("quick", Path("a/b/c/d/quick")) == "quick · b/c/d"
    assert run_name("quick", Path("/home/somebody/work/runs/quick")) == "quick · work/runs"
    assert placed("train it", Path("runs/train-it")) == "train it · runs/train-it"
    assert placed("train it", Path("/home/somebody/work/x")) == "train it · work/x"


def test_two_runs_of_a_config_have_two_names(write_config: Callable[..., Path]) -> None:
    config = write_config(6, optimizer={"name": "none"}, evolve={"methods": ["weak"]})
    for out in ("runs/test", "runs/test-2"):
        run_cli("run", str(config), "--out", out, expected=0)
    ids = [summary_of(Path(out))["mlflow_run_id"] for out in ("runs/test", "runs/test-2")]
    names = [mlflow.get_run(run_id).info.run_name for run_id in ids]
    assert names == ["test · runs", "test-2 · runs"]
