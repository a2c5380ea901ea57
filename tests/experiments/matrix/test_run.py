"""A matrix of runs: every cell a run of its own, checked first, resumed, in MLflow under one."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mlflow
import pytest
import yaml

from autoevol.experiments.config.experiment import load_config
from autoevol.experiments.config.loading import tree_of
from autoevol.experiments.matrix.grid import read_matrix
from autoevol.experiments.matrix.plan import plan_matrix
from autoevol.experiments.models.transports import scripted
from autoevol.experiments.run.request import RunRequest
from tests.support.command_line import run_cli
from tests.support.counting import counting
from tests.support.loopback import answering, good_reply

WriteConfig = Callable[..., Path]
FOLDER = Path("runs/test")
MATRIX = {"optimizer.name": ["none", "auto_evol"], "evolve.methods": [["weak"], ["e0-direct"]]}
NAMES = ["weak.none", "weak.auto_evol", "e0-direct.none", "e0-direct.auto_evol"]
SEARCH = {"steps": 1, "batch_size": 2, "candidates": 2, "headroom": False}
QUICK = {"optimizer": {"name": "none"}, "matrix": {"evolve.methods": [["weak"], ["e0-direct"]]}}


def summaries(folder: Path = FOLDER) -> dict[str, dict[str, Any]]:
    files = sorted(folder.glob("*/summary.json"))
    return {file.parent.name: json.loads(file.read_text()) for file in files}


def test_every_combination_is_a_run_of_its_own(write_config: WriteConfig) -> None:
    shown = run_cli("run", str(write_config(matrix=MATRIX, optimizer=SEARCH)), expected=0).out

    by_cell = summaries()
    assert [*by_cell] == sorted(NAMES)
    for name in NAMES:
        config = load_config(FOLDER / name / "config.yaml")
        method, optimizer = name.split(".")
        assert (config.optimizer.name, config.evolve.methods[0].name) == (optimizer, method)
        assert config.name == f"test.{name}"
        assert config.seed == 0
        assert "matrix" not in yaml.safe_load((FOLDER / name / "config.yaml").read_text())
        assert f"{name}: {by_cell[name]['rows_out']} rows kept" in shown
    assert f"autoevol compare {' '.join(f'runs/test/{name}' for name in NAMES)}" in shown
    assert [line["cell"] for line in json.loads((FOLDER / "cells.json").read_text())] == NAMES


def test_a_cell_is_what_its_config_alone_would_be(
    write_config: WriteConfig, finish: WriteConfig
) -> None:
    finish(matrix=MATRIX, optimizer=SEARCH)
    alone = write_config(optimizer={"name": "none"}, evolve={"methods": ["e0-direct"]})
    run_cli("run", str(alone), "--out", "runs/alone", expected=0)

    rows = Path("runs/alone/evolved.jsonl").read_text()
    assert rows == (FOLDER / "e0-direct.none/evolved.jsonl").read_text()
    again = run_cli("run", str(FOLDER / "weak.none/config.yaml"), expected=0)
    assert "rows in / out" in again.out


@pytest.mark.usefixtures("_listening_to_ctrl_c")
@pytest.mark.parametrize(
    ("budget", "interrupt_at", "finished"),
    [
        pytest.param({"calls": 10}, None, 0, id="budget"),
        pytest.param({}, 45, 1, id="Ctrl-C"),
    ],
)
def test_a_stopped_matrix_goes_on_and_pays_no_call_twice(
    budget: dict[str, int],
    interrupt_at: int | None,
    finished: int,
    write_config: WriteConfig,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    calls: list[int] = []
    monkeypatch.setitem(scripted.SCRIPTS, "counted", counting(calls, interrupt_at=interrupt_at))
    models = {"evolver": {"model": "scripted/counted", "concurrency": 4}}
    config = str(write_config(models=models, matrix=MATRIX, optimizer=SEARCH, budget=budget))

    stopped = run_cli("run", config, expected=3)
    assert "resumes" in stopped.err
    assert [*summaries()] == NAMES[:finished]
    assert not (FOLDER / NAMES[2]).exists()
    before = [(FOLDER / name / "summary.json").stat().st_mtime_ns for name in NAMES[:finished]]

    again = run_cli("run", config, "--set", "budget.calls=null", expected=0)
    by_cell = summaries()
    assert [*by_cell] == sorted(NAMES)
    assert sum(summary["calls"] for summary in by_cell.values()) == len(calls)
    after = [(FOLDER / name / "summary.json").stat().st_mtime_ns for name in NAMES[:finished]]
    assert after == before
    assert by_cell[NAMES[finished]]["resumed"]
    assert "weak.none: " in again.out


def test_a_finished_matrix_prints_its_lines_and_calls_nothing(finish: WriteConfig) -> None:
    config = str(finish(**QUICK))
    before = {file: file.stat().st_mtime_ns for file in FOLDER.rglob("*") if file.is_file()}
    again = run_cli("run", config, expected=0)
    assert "weak: " in again.out
    assert before == {f: f.stat().st_mtime_ns for f in FOLDER.rglob("*") if f.is_file()}


def test_more_values_add_cells_and_leave_the_finished_ones(
    write_config: WriteConfig, finish: WriteConfig
) -> None:
    finish(**QUICK)
    before = (FOLDER / "weak/summary.json").stat().st_mtime_ns
    more = "matrix.evolve.methods=[[deepen], [weak], [e0-direct]]"
    run_cli("run", str(write_config(**QUICK)), "--set", more, expected=0)
    assert [*summaries()] == ["deepen", "e0-direct", "weak"]
    assert (FOLDER / "weak/summary.json").stat().st_mtime_ns == before


def test_a_dry_run_writes_nothing_and_adds_the_cells_up(write_config: WriteConfig) -> None:
    before = sorted(Path().rglob("*"))
    config = str(write_config(**QUICK))
    dry = run_cli("run", config, "--dry-run", expected=0).out
    rows = {cells[1].strip(): cells[2].strip() for cells in lines_of(dry)}
    assert rows == {"weak": "60", "e0-direct": "60", "sum": "120"}
    assert sorted(Path().rglob("*")) == sorted({*before, Path("seeds.jsonl"), Path("test.yaml")})
    run_cli("run", config, "--set", "matrix.evolve.methods=[[weak]]", expected=0)
    rows = {c[1].strip(): c[2].strip() for c in lines_of(run_cli("run", config, "--dry-run").out)}
    assert rows == {"weak": "finished", "e0-direct": "60", "sum": "60"}


def lines_of(table: str) -> list[list[str]]:
    return [line.split("│") for line in table.splitlines() if line.startswith("│")]


def test_limit_out_and_set_hold_for_all_cells(write_config: WriteConfig) -> None:
    config = str(write_config(**QUICK))
    run_cli("run", config, "--limit", "6", "--set", "evolve.rounds=2", expected=0)
    by_cell = summaries(Path("runs/test-limit-6"))
    assert {(summary["rows_in"], len(summary["rounds"])) for summary in by_cell.values()} == {
        (6, 2)
    }
    run_cli("run", config, "--out", "runs/elsewhere", expected=0)
    assert [*summaries(Path("runs/elsewhere"))] == ["e0-direct", "weak"]


def test_fresh_keeps_the_old_folders_and_opens_another_parent(write_config: WriteConfig) -> None:
    config = str(write_config(**QUICK))
    run_cli("run", config, expected=0)
    first = json.loads((FOLDER / "matrix.json").read_text())["key"]
    run_cli("run", config, "--fresh", expected=0)
    assert len(list(FOLDER.glob("weak*"))) == 2
    assert json.loads((FOLDER / "matrix.json").read_text())["key"] != first


def test_optimize_and_evolve_take_a_matrix(write_config: WriteConfig) -> None:
    searches = str(write_config(matrix={"seed": [0, 1]}, optimizer=SEARCH))
    run_cli("optimize", searches, expected=0)
    assert sorted(file.parent.name for file in FOLDER.glob("*/search.json")) == ["seed-0", "seed-1"]
    best = FOLDER / "seed-0/methods/best.md"
    run_cli("evolve", searches, "--method", str(best), "--out", "runs/applied", expected=0)
    assert [*summaries(Path("runs/applied"))] == ["seed-0", "seed-1"]


def test_mlflow_has_one_parent_with_the_cells_below_it(write_config: WriteConfig) -> None:
    config = str(write_config(name="tree", matrix={"optimizer.name": ["none", "auto_evol"]}))
    run_cli("run", config, "--set", "budget.calls=70", expected=3)
    parent = the_parent("tree")
    assert parent.info.status == "KILLED"
    run_cli("run", config, expected=0)

    parent = the_parent("tree")
    client = mlflow.MlflowClient()
    cells = children(parent)
    table = mlflow.artifacts.load_dict(f"runs:/{parent.info.run_id}/cells.json")
    assert parent.info.status == "FINISHED"
    assert parent.data.params["optimizer.name"] == "['none', 'auto_evol']"
    assert parent.info.run_name == "tree · runs"
    names = {"none · runs/tree", "auto_evol · runs/tree"}
    assert {cell.info.run_name for cell in cells} == names
    assert {cell.data.tags["run_kind"] for cell in cells} == {"cell"}
    assert {cell.data.tags["cell"]: cell.data.params["optimizer.name"] for cell in cells} == {
        name: name for name in ("none", "auto_evol")
    }
    assert [row[0] for row in table["data"]] == ["none", "auto_evol"]
    assert parent.data.params["cells"] == "2"
    assert parent.data.metrics["matrix/rows_kept"] > 0
    searched = next(cell for cell in cells if cell.data.tags["cell"] == "auto_evol")
    assert {"initial"} < {child.data.tags["candidate_id"] for child in children(searched)}
    points = client.get_metric_history(searched.info.run_id, "failure_rate")
    assert len({point.step for point in points}) == len(points)


def test_endpoints_that_vary_are_in_no_table_and_no_param(write_config: WriteConfig) -> None:
    bases = ["http://one.internal/sk-12345", "http://two.internal/sk-12345"]
    none = {"optimizer": {"name": "none"}, "matrix": {"models.evolver.api_base": bases}}
    run_cli("run", str(write_config(6, name="ends", **none)), expected=0)
    parent = the_parent("ends")
    table = mlflow.artifacts.load_text(f"runs:/{parent.info.run_id}/cells.json")
    (file,) = Path("runs").rglob("cells.json")
    for text in (table, file.read_text(), parent.data.params["models.evolver.api_base"]):
        assert "api_base-" in text
        assert "sk-12345" not in text


def the_parent(name: str) -> Any:
    client = mlflow.MlflowClient()
    experiments = [experiment.experiment_id for experiment in client.search_experiments()]
    query = f"tags.run_kind = 'matrix' and tags.matrix = '{name}'"
    (parent,) = client.search_runs(experiments, query)
    return parent


def children(parent: Any) -> list[Any]:
    query = f"tags.`mlflow.parentRunId` = '{parent.info.run_id}'"
    return list(mlflow.MlflowClient().search_runs([parent.info.experiment_id], query))


def test_cells_of_another_matrix_stay_where_they_are_and_are_taken_over(
    write_config: WriteConfig,
) -> None:
    run_cli("run", str(write_config(name="grown", **QUICK)), expected=0)
    first = the_parent("grown")
    more = "matrix.evolve.methods=[[weak], [e0-direct], [deepen]]"
    run_cli("run", str(write_config(name="grown", **QUICK)), "--set", more, expected=0)
    experiment = first.info.experiment_id
    runs = mlflow.MlflowClient().search_runs([experiment], "tags.matrix = 'grown'")
    parents = [run for run in runs if run.data.tags["run_kind"] == "matrix"]
    (second,) = [run for run in parents if run.info.run_id != first.info.run_id]
    assert len(runs) == 2 + 3
    assert {cell.data.tags["cell"] for cell in children(second)} == {"weak", "e0-direct", "deepen"}


def test_all_cells_have_the_same_rows(write_config: WriteConfig) -> None:
    optimizers = ["none", "auto_evol", "paper", "gepa"]
    data = {"path": "seeds.jsonl", "dev_size": 5, "heldout_size": 5, "fresh_size": 4}
    file = write_config(data=data, matrix={"optimizer.name": optimizers, "evolve.rounds": [1, 2]})
    tree = tree_of(file)
    planned = plan_matrix(read_matrix(tree, file, ()), RunRequest("all", file))
    first, *others = (cell.plan.splits for cell in planned.cells if cell.plan.start)
    assert len(others) == 5
    assert all(other == first for other in others)
    assert all(cell.plan.splits.seeds is first.seeds for cell in planned.cells)
    assert first.train
    assert planned.note is None


def test_rows_that_differ_by_what_is_varied_are_told(write_config: WriteConfig) -> None:
    said = run_cli("run", str(write_config(matrix={"seed": [1, 2]})), "--dry-run", expected=0).out
    assert "cells do not share all rows: seed varies" in said
    said = run_cli("run", str(write_config(**QUICK)), "--dry-run", expected=0).out
    assert "do not share" not in said


def test_a_call_that_another_cell_has_paid_is_not_paid_again(write_config: WriteConfig) -> None:
    """Cells that differ in F alone ask the same questions; what each kept is what it is alone."""
    matrix = {"failure.rules": [["paper"], ["strict"], []]}
    with answering(lambda request: (200, good_reply(request))) as server:
        evolver = {"model": "openai/m", "api_base": server.url, "temperature": 0.7}
        config = write_config(
            6,
            models={"evolver": evolver},
            optimizer={"name": "none"},
            evolve={"methods": ["weak"], "respond": False},
            matrix=matrix,
        )
        run_cli("run", str(config), "--yes", expected=0)
        assert len(server.requests) == 6
        config.write_text(yaml.safe_dump({**yaml.safe_load(config.read_text()), "matrix": None}))
        run_cli("run", str(config), "--yes", "--out", "runs/alone", expected=0)

    figures = [(cell["calls"], cell["calls_shared"]) for cell in summaries().values()]
    assert sorted(figures) == [(0, 6), (0, 6), (6, 0)]
    alone = Path("runs/alone/evolved.jsonl").read_text()
    assert (FOLDER / "paper/evolved.jsonl").read_text() == alone


def test_a_damaged_file_of_a_matrix_is_made_again_or_refused(finish: WriteConfig) -> None:
    config = str(finish(12, **QUICK))
    figures = (FOLDER / "cells.json").read_text()
    (FOLDER / "cells.json").write_text("{")
    (FOLDER / "weak/evolved.jsonl").write_text("")

    run_cli("run", config, expected=0)

    assert json.loads((FOLDER / "cells.json").read_text())[1:] == json.loads(figures)[1:]
    assert (FOLDER / "weak/evolved.jsonl").read_text()
    (FOLDER / "matrix.json").write_text("{}")
    (FOLDER / "cells.json").unlink()
    assert "matrix.json" in run_cli("run", config, expected=2).err
