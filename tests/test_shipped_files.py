"""What ships is sound: configs, seeds, pins of weights."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from autoevol.experiments.artifacts.folder import as_yaml
from autoevol.experiments.config.experiment import load_config
from autoevol.experiments.models.local.weights import SHIPPED
from tests.conftest import REPOSITORY

CONFIGS = sorted((REPOSITORY / "experiments/configs").glob("*.yaml"))


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_what_a_run_keeps_of_its_config_says_the_same(path: Path, tmp_path: Path) -> None:
    config = load_config(path)
    kept = tmp_path / "config.yaml"
    kept.write_text(as_yaml(config), encoding="utf-8")
    assert load_config(kept) == config


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_a_shipped_config_is_valid_and_named_as_its_file(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from autoevol.experiments.run.planning.estimate import estimate
    from autoevol.experiments.run.planning.plan import make_plan

    monkeypatch.chdir(REPOSITORY)
    monkeypatch.setenv("OPENAI_API_KEY", "for the check only")
    config = load_config(path)
    assert config.name == path.stem
    assert estimate(make_plan(config, str(path)))


def test_the_seeds_are_as_many_and_as_mixed_as_the_readme_says() -> None:
    lines = (REPOSITORY / "data/seeds_en_ko.jsonl").read_text("utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    assert len({row["id"] for row in rows}) == len({row["instruction"] for row in rows}) == 126
    assert sum(row["lang"] == "ko" for row in rows) == 42
    assert {row["root"].split("/")[1] for row in rows} == {"general", "math", "code"}


@pytest.mark.parametrize("name", SHIPPED)
def test_every_wheel_of_a_shipped_model_is_pinned_by_hash(name: str) -> None:
    file = REPOSITORY / f"experiments/models/local/wheels/{name}.txt"
    lines = file.read_text().splitlines()
    assert lines
    assert all("==" in line and "--hash=sha256:" in line for line in lines)


def test_a_dry_run_imports_no_litellm(workplace: Path) -> None:
    config = REPOSITORY / "experiments/configs/hosted.yaml"
    code = (
        "import sys; sys.argv = ['autoevol', 'run', sys.argv[1], '--dry-run']\n"
        "from autoevol.experiments.cli.app import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "print('litellm' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(config)],
        capture_output=True,
        text=True,
        cwd=REPOSITORY,
        env={"COLUMNS": "160", "OPENAI_API_KEY": "none"},
        check=True,
    )
    assert done.stdout.strip().splitlines()[-1] == "False"
    assert "openai/gpt-4o-mini" in done.stdout
