"""Run folders of earlier versions resume and replay without one repeated call."""

import json
import shutil
import sqlite3
import tempfile
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import mlflow
import pytest
import yaml

from autoevol.experiments.artifacts import format as folder_format
from autoevol.experiments.artifacts.format import FORMAT, with_implied
from autoevol.program.search.settings import PAPER
from tests.conftest import REPOSITORY
from tests.support.command_line import Result, run_cli

FIXTURES = REPOSITORY / "tests" / "fixtures"
OLD = FIXTURES / "format-1"
COMMAND = ("run", "old.yaml", "--yes")


@pytest.fixture
def old(workplace: Path) -> Path:
    """Work beside the old runs' seeds and configs."""
    for file in ("seeds.jsonl", "old.yaml", "over-http.yaml"):
        shutil.copy(OLD / file, workplace)
    return workplace


def bring(name: str) -> Path:
    """Put an old folder where its config expects it."""
    return shutil.copytree(OLD / name, Path("folder"))


def calls_in(folder: Path) -> Mapping[bytes, str]:
    """Return the replies in a ledger by key, from a copy: opening a ledger changes it."""
    with tempfile.TemporaryDirectory() as copy:
        for file in folder.glob("ledger.sqlite*"):
            shutil.copy(file, copy)
        with closing(sqlite3.connect(Path(copy) / "ledger.sqlite")) as db:
            return dict(db.execute("SELECT key, text FROM calls"))


def lines_of(file: Path) -> list[str]:
    """Return the lines in order: rows are written as they are finished."""
    return sorted(file.read_text("utf-8").splitlines())


def summary_of(folder: Path) -> dict[str, Any]:
    summary: dict[str, Any] = json.loads((folder / "summary.json").read_text("utf-8"))
    return summary


@pytest.mark.parametrize(("name", "kept"), [("searching", 121), ("evolving", 199)])
def test_a_killed_run_ends_as_if_it_had_not_been_killed(name: str, kept: int, old: Path) -> None:
    folder = bring(name)
    before, whole = calls_in(folder), calls_in(OLD / "finished")
    assert len(before) == kept

    run_cli(*COMMAND, expected=0)

    assert calls_in(folder) == whole, "a call was repeated under another key, or is missing"
    assert summary_of(folder)["calls_replayed"] == kept
    for file in ("evolved.jsonl", "failures.jsonl", "filtered.jsonl", "methods/best.md"):
        assert lines_of(folder / file) == lines_of(OLD / "finished" / file), file
    # No number means format 1, and a resumed run keeps the format that it began with.
    assert (folder / "run.json").read_bytes() == (OLD / name / "run.json").read_bytes()


def test_a_finished_run_prints_its_summary_and_stays_as_it_is(old: Path) -> None:
    folder = bring("finished")
    before = {file.name: file.read_bytes() for file in folder.iterdir() if file.is_file()}

    done = run_cli(*COMMAND, expected=0)

    assert "343" in done.out
    assert {name: (folder / name).read_bytes() for name in before} == before


@pytest.mark.parametrize("name", ["evolving", "finished"])
@pytest.mark.parametrize("number", [2, 3, 4, 5, 6, 7])
def test_a_run_of_a_later_format_ends_with_equal_files_and_no_other_call(
    number: int, name: str, workplace: Path
) -> None:
    fixture = FIXTURES / f"format-{number}"
    for file in ("seeds.jsonl", "old.yaml"):
        shutil.copy(fixture / file, workplace)
    folder = shutil.copytree(fixture / name, Path("folder"))
    kept, whole = calls_in(folder), calls_in(fixture / "finished")

    run_cli(*COMMAND, expected=0)

    assert calls_in(folder) == whole
    assert summary_of(folder)["calls_replayed"] == len(kept)
    for file in ("evolved.jsonl", "failures.jsonl", "filtered.jsonl", "exports/alpaca.jsonl"):
        assert (folder / file).read_bytes() == (fixture / "finished" / file).read_bytes(), file


def test_a_run_that_numbered_from_0_goes_on_doing_so(workplace: Path) -> None:
    """Its files, its rows and its children in MLflow would otherwise name two things alike."""
    for file in ("seeds.jsonl", "old.yaml"):
        shutil.copy(FIXTURES / "format-6" / file, workplace)
    folder = shutil.copytree(FIXTURES / "format-6" / "evolving", Path("folder"))
    run_cli(*COMMAND, expected=0)
    assert {file.name for file in (folder / "methods").iterdir()} == {
        "best.md",
        *(f"step-{number:02d}.md" for number in range(4)),
    }
    assert candidates_of(folder) == {"initial"} | {
        f"step-{step:02d}-candidate-{number}" for step in range(4) for number in range(4)
    }
    (folder / "tracking.jsonl").unlink()
    run_cli("track", "folder", expected=0)
    assert len(candidates_of(folder)) == 1 + 16


def candidates_of(folder: Path) -> set[str]:
    """Return the candidates of a run that MLflow has, each once."""
    run_id, client = summary_of(folder)["mlflow_run_id"], mlflow.MlflowClient()
    query = f"tags.`mlflow.parentRunId` = '{run_id}'"
    runs = client.search_runs([client.get_run(run_id).info.experiment_id], query)
    names = [run.data.tags["candidate_id"] for run in runs]
    assert len(names) == len({*names})
    return {*names}


@pytest.mark.parametrize(
    ("name", "config"), [("finished", "old.yaml"), ("over-http", "over-http.yaml")]
)
def test_a_finished_run_replays_from_its_ledger_alone(name: str, config: str, old: Path) -> None:
    """Of `over-http` the server is gone: a call that is not in the ledger would stop the run."""
    folder = bring(name)
    rows, calls = lines_of(folder / "evolved.jsonl"), calls_in(folder)
    (folder / "summary.json").unlink()

    run_cli("run", config, "--yes", expected=0)

    assert lines_of(folder / "evolved.jsonl") == rows
    assert calls_in(folder) == calls
    assert summary_of(folder)["calls_replayed"] == len(calls)


@pytest.mark.parametrize(
    "command",
    [
        ("score", "folder", "--scores", "length,lexical"),
        ("report", "folder"),
        ("export", "folder", "--format", "sharegpt", "--out", "exported"),
        ("compare", "folder", "other"),
        ("convert", "folder/evolved.jsonl", "converted.jsonl", "--to", "alpaca"),
    ],
    ids=lambda command: command[0],
)
def test_every_command_reads_an_old_folder(command: tuple[str, ...], old: Path) -> None:
    bring("finished")
    shutil.copytree(OLD / "finished", "other")
    assert run_cli(*command).code == 0


def refused(folder: Path, **identity: Any) -> Result:
    """Run into a folder whose `run.json` has other values."""
    file = folder / "run.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **identity}))
    return run_cli(*COMMAND, expected=2)


def test_a_folder_of_a_later_format_is_refused_in_one_line(old: Path) -> None:
    folder = bring("searching")
    before = calls_in(folder)
    done = refused(folder, format=FORMAT + 1)
    assert len(done.err.strip().splitlines()) == 1
    assert f"format {FORMAT + 1}" in done.err
    assert "update AutoEvol" in done.err
    assert calls_in(folder) == before


def test_fresh_moves_a_folder_of_a_later_format_aside(old: Path) -> None:
    refused(bring("finished"), format=FORMAT + 1)
    run_cli(*COMMAND, "--fresh", expected=0)
    assert len(list(old.glob("folder*"))) == 2
    assert json.loads(Path("folder/run.json").read_text())["format"] == FORMAT


def test_a_stored_config_that_no_longer_reads_names_format_and_way_out(old: Path) -> None:
    folder = bring("searching")
    tree = yaml.safe_load((folder / "config.yaml").read_text())
    (folder / "config.yaml").write_text(yaml.safe_dump({**tree, "gone": 1}))
    done = run_cli(*COMMAND, expected=2)
    assert len(done.err.strip().splitlines()) == 1
    assert "format 1" in done.err
    assert "--fresh" in done.err


@pytest.mark.parametrize("key", ["answer", "evolve.attempts", "optimizer.fresh_level", "scores"])
def test_a_key_that_the_folder_has_never_heard_of_makes_no_other_run(key: str, old: Path) -> None:
    """Keys that came later are not in an older folder's config."""
    folder = bring("evolving")
    tree = yaml.safe_load((folder / "config.yaml").read_text())
    group, _, name = key.partition(".")
    if name:
        del tree[group][name]
    else:
        del tree[group]
    (folder / "config.yaml").write_text(yaml.safe_dump(tree))
    run_cli(*COMMAND, "--dry-run", expected=0)


def test_an_old_folder_implies_the_default_that_its_format_had(
    old: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Let the format after the first have another default: the old run keeps the one of its own."""
    folder = bring("evolving")
    whole = calls_in(OLD / "finished")
    tree = yaml.safe_load((folder / "config.yaml").read_text())
    config = yaml.safe_load(Path("old.yaml").read_text())
    del tree["evolve"]["rounds"], config["evolve"]["rounds"]  # implied 2; the default is 1
    (folder / "config.yaml").write_text(yaml.safe_dump(tree))
    Path("old.yaml").write_text(yaml.safe_dump(config))
    monkeypatch.setitem(folder_format.IMPLIED, 1, {"evolve.rounds": 2})

    run_cli(*COMMAND, expected=0)

    assert calls_in(folder) == whole


def test_implied_keys_fill_gaps_alone_and_earlier_formats_come_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(folder_format, "FORMAT", 3)
    monkeypatch.setattr(folder_format, "IMPLIED", {1: {"a.b": 1}, 2: {"a.b": 2, "c": 3}})
    assert with_implied({}, 1) == {"a": {"b": 1}, "c": 3}
    assert with_implied({"a": {"b": 7}}, 1) == {"a": {"b": 7}, "c": 3}
    assert with_implied({}, 2) == {"a": {"b": 2}, "c": 3}
    assert with_implied({}, 3) == {}


def test_the_paper_s_settings_are_implied_by_its_name_in_every_format() -> None:
    """Otherwise an older folder of the published search would be another run."""
    implied = with_implied({"optimizer": {"name": "paper"}}, 5)["optimizer"]
    assert not implied.keys() & PAPER.keys()
    assert implied["fresh_level"] == 0.2
    assert with_implied({}, 5)["optimizer"]["policy"] == "learned"
