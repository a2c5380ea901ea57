"""A finished folder with a lost or damaged file is made again by the same command, or refused."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from autoevol.experiments.models.ledger import read_bill
from tests.support.command_line import rows_of, run_cli, summary_of

RUN = Path("runs/test")
SEARCH: dict[str, Any] = {
    "optimizer": {"steps": 1, "batch_size": 4, "candidates": 2},
    "evolve": {"methods": ["weak"], "rounds": 2},
    "scores": {"names": ["length", "difficulty"]},
    "filters": [{"name": "dedup", "alike": 0.5}],
    "output": {"formats": ["alpaca"]},
}
ROWS = ("evolved.jsonl", "failures.jsonl", "filtered.jsonl", "scores.jsonl")


def lost(file: Path) -> None:
    file.unlink()


def emptied(file: Path) -> None:
    file.write_bytes(b"")


def cut(file: Path) -> None:
    content = file.read_bytes()
    file.write_bytes(content[: len(content) * 2 // 3])


def without_last_line(file: Path) -> None:
    file.write_bytes(b"".join(file.read_bytes().splitlines(keepends=True)[:-1]))


def overwritten(file: Path) -> None:
    file.write_bytes(b"\xff\x00 null\n")


def of_another_kind(file: Path) -> None:
    file.write_bytes(b"[1]\n")


def contents() -> dict[str, bytes]:
    """Return the files that must come back as they were; others hold times."""
    left_out = ("summary.json", "report.html", "run.lock", "tracking.jsonl")
    files = (file for file in RUN.rglob("*") if file.is_file() and file.name not in left_out)
    return {str(file): file.read_bytes() for file in files if not file.name.startswith("ledger")}


def calls() -> int:
    return sum(sums.calls for sums in read_bill(RUN / "ledger.sqlite").finished)


def restored(config: str) -> None:
    """Run again; a call that is not in the ledger fails the test."""
    before = calls()
    run_cli("run", config, expected=0)
    summary = summary_of(RUN)
    assert summary["calls"] == calls() == before
    assert summary["rows_out"] == len(rows_of(RUN / "evolved.jsonl"))
    assert summary["rows_failed"] == len(rows_of(RUN / "failures.jsonl"))


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        *((name, damage) for name in ROWS for damage in (lost, without_last_line)),
        ("evolved.jsonl", emptied),
        ("evolved.jsonl", cut),
        ("evolved.jsonl", overwritten),
        ("failures.jsonl", of_another_kind),
        ("summary.json", emptied),
        ("summary.json", of_another_kind),
        ("config.yaml", lost),
        ("config.yaml", overwritten),
        ("steps.json", lost),
        ("steps.json", of_another_kind),
        ("scores.json", cut),
        ("scores.jsonl", of_another_kind),
        ("program.json", cut),
        ("methods/best.md", without_last_line),
        ("methods/step-01.md", lost),
        ("report.html", cut),
        ("funnel.png", lost),
        ("exports/alpaca.jsonl", cut),
    ],
)
def test_a_damaged_file_is_made_again(
    name: str, damage: Callable[[Path], None], finish: Callable[..., Path]
) -> None:
    config, before = str(finish(**SEARCH)), contents()
    damage(RUN / name)
    restored(config)
    # The same key: MLflow's run is the same one, too.
    assert contents() == before


def test_a_whole_folder_is_left_alone(finish: Callable[..., Path]) -> None:
    config = str(finish(**SEARCH))
    before = {file: file.stat().st_mtime_ns for file in RUN.glob("*.json*")}
    run_cli("run", config, expected=0)
    assert {file: file.stat().st_mtime_ns for file in RUN.glob("*.json*")} == before


def test_a_lost_storage_of_the_study_is_made_again(write_config: Callable[..., Path]) -> None:
    search = {"steps": 1, "batch_size": 4, "candidates": 2, "storage": "sqlite:///study.db"}
    config = str(write_config(optimizer=search))
    run_cli("run", config, expected=0)
    Path("study.db").unlink()
    restored(config)
    assert Path("study.db").stat().st_size > 0


@pytest.mark.parametrize("name", ["evolved.jsonl", "summary.json", "methods/best.md"])
def test_without_its_ledger_a_damaged_folder_is_refused_in_one_line(
    name: str, finish: Callable[..., Path]
) -> None:
    config = str(finish(**SEARCH))
    emptied(RUN / name)
    (RUN / "ledger.sqlite").unlink()
    before = contents()
    refused = run_cli("run", config, expected=2)
    assert len(refused.err.strip().splitlines()) == 1
    assert "ledger.sqlite" in refused.err
    assert "--fresh" in refused.err
    assert contents() == before
    run_cli("run", config, "--fresh", expected=0)


@pytest.mark.parametrize("damage", [lost, emptied, overwritten, of_another_kind])
def test_without_its_run_json_a_folder_is_refused_in_one_line(
    damage: Callable[[Path], None], finish: Callable[..., Path]
) -> None:
    config = str(finish(**SEARCH))
    damage(RUN / "run.json")
    refused = run_cli("run", config, expected=2)
    assert len(refused.err.strip().splitlines()) == 1
    assert "run.json" in refused.err
    run_cli("run", config, "--fresh", expected=0)


def test_figures_of_later_scores_come_back_into_rows_that_are_made_again(
    finish: Callable[..., Path],
) -> None:
    config = str(finish(optimizer={"name": "none"}))
    run_cli("score", str(RUN), "--scores", "length", expected=0)
    before = contents()
    without_last_line(RUN / "evolved.jsonl")
    restored(config)
    assert contents() == before


def test_a_damaged_bandit_learns_again(finish: Callable[..., Path]) -> None:
    evolve = {"methods": ["weak", "e0"], "choice": "bandit", "rounds": 2, "on_failure": "requeue"}
    config, before = str(finish(optimizer={"name": "none"}, evolve=evolve)), contents()
    of_another_kind(RUN / "bandit.json")
    restored(config)
    assert contents() == before


@pytest.mark.parametrize(
    "command",
    [
        ("score", str(RUN), "--scores", "length"),
        ("export", str(RUN), "--format", "sharegpt", "--out", "exported"),
        ("compare", str(RUN), str(RUN)),
    ],
    ids=lambda command: command[0],
)
@pytest.mark.parametrize(
    ("name", "damage"),
    [
        *(("evolved.jsonl", damage) for damage in (emptied, without_last_line, overwritten)),
    ],
)
def test_no_command_passes_over_rows_that_are_lost(
    name: str, damage: Callable[[Path], None], command: tuple[str, ...], finish: Callable[..., Path]
) -> None:
    finish(**SEARCH)
    damage(RUN / name)
    refused = run_cli(*command, expected=2)
    assert name in refused.err
    assert len(refused.err.strip().splitlines()) == 1


@pytest.mark.parametrize("damage", [overwritten, of_another_kind, emptied])
@pytest.mark.parametrize("command", ["export", "report"])
def test_a_damaged_summary_is_one_line(
    command: str, damage: Callable[[Path], None], finish: Callable[..., Path]
) -> None:
    finish(**SEARCH)
    damage(RUN / "summary.json")
    refused = run_cli(command, str(RUN), expected=2)
    assert "summary.json" in refused.err
    assert len(refused.err.strip().splitlines()) == 1


def test_a_report_of_fewer_rows_says_so(finish: Callable[..., Path]) -> None:
    finish(**SEARCH)
    without_last_line(RUN / "evolved.jsonl")
    assert "evolved.jsonl" in run_cli("report", str(RUN), expected=0).err
