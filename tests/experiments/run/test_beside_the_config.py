"""Files that lie beside a config are found by every command that reads it, or the run's copy."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from autoevol.signatures import shipped_methods, to_markdown
from tests.support.command_line import rows_of, run_cli


@pytest.fixture
def config(write_config: Callable[..., Path]) -> Path:
    """Return a config whose files all lie beside it, in a folder below the working folder."""
    folder = Path("conf")
    folder.mkdir()
    tree: dict[str, Any] = yaml.safe_load(write_config(24).read_text())
    Path(tree["data"]["path"]).rename(folder / "seeds.jsonl")
    (folder / "exam.jsonl").write_text('{"instruction": "What is the capital of Peru?"}\n')
    (folder / "own.md").write_text(to_markdown(shipped_methods()["deepen"]))
    (folder / "answers.txt").write_text("Answer briefly.\n")
    tree |= {
        "data": {"path": "seeds.jsonl"},
        "optimizer": {"name": "none"},
        "evolve": {"methods": ["own.md"]},
        "answer": {"prompt": "answers.txt"},
        "scores": {"names": ["overlap"], "benchmarks": ["exam.jsonl"]},
        "filters": [{"decontaminate": {"benchmarks": ["exam.jsonl"]}}],
        "output": {"dir": "runs/test"},
    }
    (folder / "test.yaml").write_text(yaml.safe_dump(tree))
    return folder / "test.yaml"


def test_later_commands_find_what_lay_beside_the_config(config: Path) -> None:
    run_cli("run", str(config), expected=0)
    run_cli("score", "runs/test", expected=0)
    run_cli("continue", "runs/test", expected=0)
    folder = Path("runs/test-round-2")
    assert rows_of(folder / "evolved.jsonl") or rows_of(folder / "failures.jsonl")


def test_a_run_resumes_however_its_files_are_named(
    config: Path, workplace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_cli("run", str(config), expected=0)
    before = Path("runs/test/evolved.jsonl").read_bytes()
    monkeypatch.chdir(config.parent)
    again = run_cli("run", "test.yaml", "--out", "../runs/test", expected=0)
    assert "rows in / out" in again.out
    monkeypatch.chdir(workplace)
    assert Path("runs/test/evolved.jsonl").read_bytes() == before
    # What the files say decides, not where they lie.
    (config.parent / "own.md").write_text(to_markdown(shipped_methods()["reasoning"]))
    other = run_cli("run", str(config), expected=2)
    assert "content of its data or method files" in other.err
