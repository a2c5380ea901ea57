"""A bandit that goes on begins its rounds with what it knew when they began."""

import json
from collections.abc import Callable
from pathlib import Path

from tests.support.command_line import run_cli

RUN = Path("runs/test")


def methods_of_round_two() -> list[str]:
    files = (RUN / name for name in ("evolved.jsonl", "failures.jsonl"))
    rows = [json.loads(line) for file in files for line in file.read_text().splitlines()]
    return [row["method"] for row in rows if row["round"] == 2]


def test_what_a_round_began_with_is_kept_and_used_again(write_config: Callable[..., Path]) -> None:
    evolve = {"methods": ["weak", "e0"], "choice": "bandit", "rounds": 2, "on_failure": "requeue"}
    config = write_config(optimizer={"name": "none"}, evolve=evolve)
    run_cli("run", str(config), expected=0)
    before = methods_of_round_two()
    learned = json.loads((RUN / "bandit.json").read_text())
    (RUN / "summary.json").unlink()

    learned["2"] = {"weak": {"kept": 0, "failed": 900}, "e0": {"kept": 900, "failed": 0}}
    (RUN / "bandit.json").write_text(json.dumps(learned))
    run_cli("run", str(config), expected=0)

    assert set(before) == {"weak", "e0"}
    assert set(methods_of_round_two()) == {"e0"}
    assert json.loads((RUN / "bandit.json").read_text())["2"] == learned["2"]
