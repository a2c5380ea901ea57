"""Whatever stands on the command line: an odd path or value is one line and exit 2."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.command_line import run_cli

ODD_FILES = (
    *("fifo.jsonl", "folder.jsonl", "loop.jsonl", "gone.jsonl", "seeds.jsonl/x.jsonl"),
    *("/dev/zero", "~nosuchuser/x.jsonl", "x" * 256 + ".jsonl", "x/" * 4000 + "y.jsonl"),
    *("bytes.jsonl", "null.jsonl", "deep.jsonl", "cut.parquet", "empty.csv", "a\nb.jsonl", ""),
)
READERS = (
    *(["convert", "{}", "new.jsonl"], ["merge", "new.jsonl", "seeds.jsonl", "{}"]),
    *(["equalise", "{}", "seeds.jsonl", "--by", "count"], ["score", "{}"], ["report", "{}"]),
    *(["export", "{}", "--format", "alpaca"], ["compare", "{}", "seeds.jsonl"]),
    *(["metric-check", "{}"], ["seeds", "{}", "new.jsonl"], ["run", "{}", "--dry-run"]),
    *(["view", "{}"], ["judge-check", "scripted/world", "--labels", "{}"]),
    *(["methods", "show", "{}"], ["evolve", "test.yaml", "--method", "{}"]),
)
TEXTS = ("methods", "evolve")
ODD_FOLDERS = ("fifo.jsonl", "seeds.jsonl", "seeds.jsonl/x", "loop.jsonl", "/dev/null", "x" * 256)
WRITERS = (
    ["equalise", "seeds.jsonl", "seeds.csv", "--by", "count", "--out", "{}"],
    ["convert", "seeds.jsonl", "{}/new.jsonl"],
    ["merge", "{}/new.jsonl", "seeds.jsonl"],
    ["run", "test.yaml", "--dry-run", "--out", "{}"],
)


@pytest.fixture
def place(write_config: Callable[..., Path]) -> Path:
    """Return a folder with seeds, a config, and what paths can lead to."""
    write_config()
    os.mkfifo("fifo.jsonl")
    Path("folder.jsonl").mkdir()
    Path("loop.jsonl").symlink_to("loop.jsonl")
    Path("bytes.jsonl").write_bytes(b"\xff\xfe{")
    Path("null.jsonl").write_text("null\n")
    Path("deep.jsonl").write_text("[" * 100_000)
    Path("cut.parquet").write_text("PAR1")
    Path("empty.csv").touch()
    Path("seeds.csv").write_text("instruction\nName a tree.\n")
    return Path()


def refuse(arguments: list[str]) -> str:
    before = sorted(Path().rglob("*"))
    result = run_cli(*arguments, expected=2)
    assert len(result.err.strip().splitlines()) == 1, result.err
    assert len(result.err) < 1000
    assert sorted(Path().rglob("*")) == before
    return result.err


@pytest.mark.parametrize("arguments", READERS, ids=lambda arguments: arguments[0])
def test_a_file_that_cannot_be_read_is_refused(arguments: list[str], place: Path) -> None:
    # A method may be any text.
    texts = {"null.jsonl", "deep.jsonl", "cut.parquet"} if arguments[0] in TEXTS else set()
    for name in ODD_FILES:
        if name not in texts:
            refuse([argument.format(name) for argument in arguments])


@pytest.mark.parametrize("arguments", WRITERS, ids=lambda arguments: arguments[0])
def test_a_folder_that_cannot_be_written_is_refused(arguments: list[str], place: Path) -> None:
    for name in ODD_FOLDERS:
        refuse([argument.format(name) for argument in arguments])


def test_a_path_is_an_error_of_its_option(place: Path) -> None:
    long = "x" * 256
    assert "--out: 'xxx" in refuse(["run", "test.yaml", "--out", long])
    assert "--method: 'xxx" in refuse(["evolve", "test.yaml", "--method", long])
    assert "IN: 'xxx" in refuse(["convert", long, "new.jsonl"])


def test_an_export_goes_to_no_file(finish: Callable[..., Path]) -> None:
    finish(optimizer={"name": "none"})
    Path("file").touch()
    command = ["export", "runs/test", "--format", "alpaca", "--out"]
    assert "file/alpaca.jsonl: cannot be written" in refuse([*command, "file"])
    assert "255" in refuse([*command, "é" * 200]) or "too long" in refuse([*command, "é" * 200])


def test_a_problem_is_one_line_whatever_it_quotes(place: Path) -> None:
    complaint = refuse(["convert", "a\nb\x1b[31m\u2028.jsonl", "new.jsonl"])
    assert r"a\nb\x1b[31m\u2028.jsonl" in complaint
    complaint = refuse(["convert", "seeds.jsonl", "new.jsonl", "--from", "x" * 5000])
    assert "unknown format" in complaint


@pytest.mark.parametrize("folder", ["runs/[red]x", "runs/a[/b]", "runs [/old]"])
def test_a_folder_is_shown_as_it_is_called(place: Path, folder: str) -> None:
    planned = run_cli("run", "test.yaml", "--out", folder, "--dry-run", expected=0)
    assert f"→ {folder}" in planned.out
    finished = run_cli("run", "test.yaml", "--out", folder, expected=0)
    assert f"kept     {folder}/evolved.jsonl" in finished.out
    assert folder in [line.strip() for line in finished.out.splitlines()]


def test_runs_are_compared_under_their_whole_names(place: Path) -> None:
    folders = ["runs/x[red]", "runs/y[b]"]
    for folder in folders:
        run_cli("run", "test.yaml", "--out", folder, expected=0)
    compared = run_cli("compare", *folders, expected=0).out
    assert all(compared.count(Path(folder).name) >= 2 for folder in folders)
