"""What a command imports: the heavy packages come only when something needs them."""

import subprocess
import sys
from pathlib import Path

import pytest

from autoevol.experiments.cli.app import COMMANDS, load_command
from tests.conftest import REPOSITORY

HEAVY = set(
    "aiohttp datasets dspy litellm matplotlib mlflow optuna pandas pyarrow torch transformers "
    "xllamacpp".split()
)
SCRIPT = """
import sys
from autoevol.experiments.cli.app import main
sys.argv = ["autoevol", *sys.argv[1:]]
try:
    main()
except SystemExit as stop:
    assert not stop.code, stop.code
finally:
    print("imported:", *sys.modules)
"""


@pytest.mark.parametrize(
    ("arguments", "needed"),
    [
        pytest.param(["--help"], set(), id="help"),
        pytest.param(["run", "--help"], set(), id="help of a command"),
        pytest.param(["models", "list"], set(), id="a list of models"),
        pytest.param(
            ["run", str(REPOSITORY / "experiments/configs/quickstart.yaml"), "--dry-run"],
            {"dspy"},
            id="dry run",
        ),
        pytest.param(
            [
                "run",
                str(REPOSITORY / "experiments/configs/quickstart.yaml"),
                "--dry-run",
                *("--set", "scores.names=[ifd]"),
            ],
            {"dspy"},
            id="dry run with a score by a model in this process",
        ),
        pytest.param(
            ["convert", str(REPOSITORY / "data/seeds_en_ko.jsonl"), "{out}"], set(), id="convert"
        ),
    ],
)
def test_a_command_imports_what_it_needs(
    arguments: list[str], needed: set[str], workplace: Path
) -> None:
    arguments = [each.format(out=workplace / "out.jsonl") for each in arguments]
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, *arguments],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    imported = set(done.stdout.rpartition("imported: ")[2].split())
    assert "autoevol.experiments.cli.app" in imported, done.stderr
    assert imported & HEAVY <= needed


@pytest.mark.parametrize("name", COMMANDS)
def test_the_table_of_commands_says_what_a_command_says_of_itself(name: str) -> None:
    """`--help` shows the table's line, `NAME --help` the command's own."""
    line = COMMANDS[name][1]
    own = " ".join(load_command(name).help.split())
    assert own.startswith(line.removesuffix("."))
