"""Whatever a person writes in a config: exit 0 or 2, and one line that names file and key."""

import os
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY
from tests.support.command_line import run_cli
from tests.support.mutations import mutations

CONFIGS = sorted((REPOSITORY / "experiments/configs").glob("*.yaml"))
COUNT = int(os.environ.get("MUTATIONS", "25"))
"""Mutations of each config; `make fuzz` tries 500."""


@pytest.fixture
def bench(workplace: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with the shipped data, and with what paths can lead to."""
    monkeypatch.setenv("OPENAI_API_KEY", "none")
    (workplace / "data").symlink_to(REPOSITORY / "data")
    os.mkfifo(workplace / "fifo")
    (workplace / "folder").mkdir()
    (workplace / "loop").symlink_to("loop")
    return workplace


@pytest.mark.parametrize("config", CONFIGS, ids=lambda file: file.stem)
def test_a_mutated_config_is_run_or_refused(config: Path, bench: Path) -> None:
    file = bench / "mutated.yaml"
    before = sorted(bench.rglob("*"))
    failures = []
    for mutation in mutations(config.read_text("utf-8"), seed=config.stem, count=COUNT):
        file.write_text(mutation.text, "utf-8")
        result = run_cli("run", str(file), "--dry-run")
        lines = result.err.strip().splitlines()
        is_named = len(lines) == 1 and any(name in lines[0] for name in mutation.names)
        if not (result.code == 0 or (result.code == 2 and is_named)):
            failures.append(f"{mutation.kind}: exit {result.code}: {result.err}")
    assert not failures, "\n".join(failures)
    file.unlink()
    assert sorted(bench.rglob("*")) == before
