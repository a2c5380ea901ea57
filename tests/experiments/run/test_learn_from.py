"""`optimizer.learn_from`: a search begins with the methods that earlier runs chose."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from autoevol.experiments.models.transports import scripted
from tests.support.command_line import run_cli

WriteConfig = Callable[..., Path]
SMALL = {"steps": 1, "batch_size": 4, "candidates": 3}


def proposals_of(folder: str) -> list[dict[str, Any]]:
    tree = json.loads((Path(folder) / "steps.json").read_text("utf-8"))
    return [proposal for step in tree["steps"] for proposal in step["proposals"]]


def best_of(folder: str) -> str:
    return (Path(folder) / "methods" / "best.md").read_text("utf-8").split("---")[-1]


@pytest.fixture
def earlier(finish: Callable[..., Path]) -> Path:
    """Return the folder of a finished run whose search found a better method."""
    finish(optimizer={**SMALL, "steps": 2})
    folder = Path("runs/test").rename("runs/earlier")
    assert json.loads((folder / "steps.json").read_text("utf-8"))["start"]
    return folder


def learning(write_config: WriteConfig, *folders: Path, **models: Any) -> str:
    search = {**SMALL, "learn_from": [str(folder) for folder in folders]}
    return str(write_config(optimizer=search, **models))


def test_an_earlier_run_s_method_is_the_first_candidate(
    earlier: Path, write_config: WriteConfig
) -> None:
    run_cli("run", learning(write_config, earlier), expected=0)

    first, *others = proposals_of("runs/test")
    assert first["operator"] == "recall"
    assert "recall" not in {proposal["operator"] for proposal in others}
    assert (
        first["measured"]["method"]
        == json.loads((earlier / "steps.json").read_text())["applied"][0]
    )
    assert best_of("runs/test") == best_of("runs/earlier")


def test_the_folder_of_a_search_alone_will_do(write_config: WriteConfig) -> None:
    config = str(write_config(optimizer={**SMALL, "steps": 2}))
    run_cli("optimize", config, "--out", "runs/alone", expected=0)
    run_cli("run", learning(write_config, Path("runs/alone")), expected=0)
    assert proposals_of("runs/test")[0]["operator"] == "recall"


def test_a_killed_search_replays_with_the_same_methods(
    earlier: Path, write_config: WriteConfig
) -> None:
    config = learning(write_config, earlier)
    run_cli("run", config, "--set", "budget.calls=60", expected=3)
    run_cli("run", config, expected=0)

    summary = json.loads(Path("runs/test/summary.json").read_text("utf-8"))
    assert summary["calls_replayed"] >= 55
    assert proposals_of("runs/test")[0]["operator"] == "recall"


def test_a_run_does_not_resume_with_other_methods(earlier: Path, write_config: WriteConfig) -> None:
    config = learning(write_config, earlier)
    run_cli("run", config, "--set", "budget.calls=60", expected=3)
    record = earlier / "steps.json"
    record.write_text(record.read_text("utf-8").replace("instructions", "orders"), "utf-8")
    assert "steps.json" in run_cli("run", config, expected=2).err
    tree = json.loads(record.read_text("utf-8").replace("orders", "instructions"))
    tree["applied"] = [tree["start"]]
    record.write_text(json.dumps(tree), "utf-8")

    done = run_cli("run", config, expected=2)

    assert "content of its data or method files" in done.err


@pytest.mark.parametrize(
    ("prepare", "problem"),
    [
        pytest.param(
            lambda folder: (folder / "steps.json").unlink(), "no finished search", id="unfinished"
        ),
        pytest.param(shutil.rmtree, "no finished search", id="no folder"),
    ],
)
def test_a_folder_without_a_finished_search_is_one_line(
    prepare: Callable[[Path], None], problem: str, earlier: Path, write_config: WriteConfig
) -> None:
    prepare(earlier)
    done = run_cli("run", learning(write_config, earlier), expected=2)
    assert problem in done.err
    assert f"optimizer.learn_from: {earlier}" in done.err
    assert done.err.count("\n") == 1
    assert not Path("runs/test").exists()


def test_a_run_of_another_evolver_is_one_line(
    earlier: Path, write_config: WriteConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(scripted.SCRIPTS, "other", scripted.world)
    config = learning(write_config, earlier, models={"evolver": {"model": "scripted/other"}})
    done = run_cli("run", config, expected=2)
    assert "is of another evolver: scripted/world, not scripted/other" in done.err
    assert done.err.count("\n") == 1


def test_an_external_optimiser_learns_from_none(earlier: Path, write_config: WriteConfig) -> None:
    search = {**SMALL, "name": "gepa", "learn_from": [str(earlier)]}
    done = run_cli("run", str(write_config(optimizer=search)), expected=2)
    assert "learn_from is for auto_evol and paper, not for gepa" in done.err
