"""A verified set that is killed in any stage comes to the same files; no call is paid twice."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from tests.support.verifying import SMALL

FILES = ("constraints.jsonl", "verified.jsonl", "pairs.jsonl", "funnel.json")
PROGRAM = """
import sys, time
from autoevol.experiments.cli import app
from autoevol.experiments.models.transports import scripted
from tests.support.verifying import verifier

def slow(messages, draw):
    with open("calls.txt", "a") as calls:
        calls.write(".")
    time.sleep(0.01)
    return verifier(messages, draw)

scripted.SCRIPTS["verifier"] = slow
sys.argv[1:] = ["verify", "verify.yaml", "--out", sys.argv[1]]
app.main()
"""


@pytest.fixture
def _inputs(workplace: Path) -> None:
    lines = [json.dumps({"id": f"q{n}", "instruction": f"Name {n} fruits."}) for n in range(1, 6)]
    Path("queries.jsonl").write_text("\n".join(lines) + "\n")
    Path("constraints.txt").write_text("Use the word fig at least twice.\n")
    config = {
        "name": "verified",
        "models": {"evolver": {"model": "scripted/verifier", "concurrency": 2}},
        "data": {"path": "queries.jsonl"},
        "evolve": {"rounds": 0},
        "verify": {
            **SMALL,
            "proposals": 2,
            "queries": 3,
            "responses": 6,
        },
    }
    Path("verify.yaml").write_text(yaml.safe_dump(config))


def _start(out: str) -> "subprocess.Popen[bytes]":
    root = str(Path(__file__).parents[3])
    paths = os.pathsep.join([root, str(Path(root) / "src")])
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, out],
        env={**os.environ, "PYTHONPATH": paths},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def _calls() -> int:
    file = Path("calls.txt")
    return file.stat().st_size if file.exists() else 0


@pytest.mark.usefixtures("_inputs")
def test_kills_in_every_stage_change_nothing() -> None:
    whole = _start("undisturbed")
    assert whole.wait(120) == 0
    undisturbed = _calls()
    Path("calls.txt").unlink()

    kills = 0
    for reached in range(5, undisturbed, undisturbed // 6):
        process = _start("killed")
        while process.poll() is None and _calls() < reached:
            time.sleep(0.005)
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
            kills += 1
        process.wait(60)
    last = _start("killed")
    assert last.wait(120) == 0

    assert kills >= 4
    # A call that is in flight when its process dies is made again: two at a time.
    assert _calls() <= undisturbed + 2 * kills + 2
    for name in FILES:
        assert Path("killed", name).read_bytes() == Path("undisturbed", name).read_bytes()
