"""Whole runs in processes of their own: killed with kill -9 at a drawn moment, started again."""

import json
import os
import random
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

import yaml

from benchmarks.server_process import ServerProcess, serving

REPOSITORY = Path(__file__).resolve().parent.parent
COMMAND = [sys.executable, "-m", "experiments", "run", "test.yaml", "--out", "runs/xyz", "--yes"]
ROWS, CONCURRENCY, LATENCY_S = 40, 8, 0.03
POLL_S, LONGEST_S = 0.002, 180.0
PARTS = {
    "dev: ": "dev",
    ": mini-batch": "mini-batch",
    ": proposals": "proposals",
    ": candidate ": "candidates",
    "held-out: ": "held-out",
    "evolve": "bulk",
}
"""Our name of a phase, by a part of the one that the run prints."""

AFTER = {"candidates": "step record", "bulk": "finish"}
"""What is done without a call after the last call of a phase."""

PHASES = ("start", *list(PARTS.values())[:4], "step record", "held-out", "bulk", "finish")


@dataclass(frozen=True)
class Span:
    """Where a kill may fall: when `first` to `last` are counted, and up to `seconds` later."""

    phase: str
    first: int
    last: int
    seconds: float
    counted: Literal["files", "requests", "replies"] = "requests"


@dataclass(frozen=True)
class Place:
    """A working folder with a config, seeds and an MLflow store of its own."""

    folder: Path
    server: ServerProcess

    @property
    def run(self) -> Path:
        return self.folder / "runs/xyz"

    def start(self) -> subprocess.Popen[bytes]:
        """Start the command, in a process group of its own."""
        env = {k: v for k, v in os.environ.items() if not k.startswith(("MLFLOW", "PYTEST"))}
        env |= {"PYTHONPATH": str(REPOSITORY), "LITELLM_LOCAL_MODEL_COST_MAP": "True"}
        env |= {"PYTHONUNBUFFERED": "1", "HF_HUB_OFFLINE": "1", "COLUMNS": "200"}
        with (self.folder / "out").open("ab") as out, (self.folder / "err").open("ab") as err:
            return subprocess.Popen(
                COMMAND,
                cwd=self.folder,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                start_new_session=True,
            )

    def finish(self) -> int:
        """Run the command to its end and return the exit code."""
        with self.start() as process:
            return process.wait(LONGEST_S)

    def count(self, what: str) -> int:
        if what == "files":
            return sum(1 for _ in self.run.iterdir()) if self.run.exists() else 0
        stats = self.server.stats()
        return int(stats["requests"] if what == "requests" else sum(stats["by_status"].values()))

    def phases(self) -> list[str]:
        """Return the names of the phases that the run has printed."""
        lines = (self.folder / "out").read_text().splitlines()
        found = (re.match(r"(?:\[[\d:]+\])?\s+(.+?)\s+progress\.py:\d+$", line) for line in lines)
        return [match[1] for match in found if match]

    def calls_kept(self) -> int:
        """Return the number of calls in the ledger, from a copy: opening it would mend it."""
        with tempfile.TemporaryDirectory() as copy:
            for file in self.run.glob("ledger.sqlite*"):
                shutil.copy(file, copy)
            with closing(sqlite3.connect(Path(copy) / "ledger.sqlite")) as db:
                tables = [name for (name,) in db.execute("SELECT name FROM sqlite_master")]
                query = "SELECT count(*) FROM calls"
                return int(db.execute(query).fetchone()[0]) if "calls" in tables else 0

    def calls_lost(self) -> int:
        """Return the number of calls that an ended process has requested and not kept."""
        while self.count("replies") < self.count("requests"):  # the server has yet to hear of it
            time.sleep(POLL_S)
        return self.count("requests") - self.calls_kept()


def lay_out(folder: Path, server: ServerProcess, store: Path | None = None) -> Place:
    """Write what a run needs; `store` is copied, for a new one costs seconds."""
    texts = [f"List the {i} largest rivers of Europe." for i in range(1, ROWS + 1)]
    seeds = [{"id": f"seed-{i}", "instruction": text} for i, text in enumerate(texts)]
    model = {"model": "hosted_vllm/world", "api_base": server.url, "temperature": 0.0}
    config = {
        "name": folder.name,
        "models": {"evolver": {**model, "concurrency": CONCURRENCY}},
        "data": {"path": "seeds.jsonl", "train_size": 6, "dev_size": 10, "heldout_size": 10},
        "optimizer": {"steps": 2, "batch_size": 4, "candidates": 3},
        "evolve": {"methods": ["weak"], "respond": True},
        "failure": {"evolve": ["strict", "koevol"], "respond": ["strict"]},
    }
    tracking = {"tracking_uri": "sqlite:///mlflow.db", "experiment": folder.name}
    folder.mkdir()
    (folder / "seeds.jsonl").write_text("\n".join(map(json.dumps, seeds)) + "\n")
    (folder / "test.yaml").write_text(yaml.safe_dump(config))
    (folder / "mlflow.yaml").write_text(yaml.safe_dump({**tracking, "trace_sampling": 0.0}))
    if store:
        shutil.copy(store, folder / "mlflow.db")
    return Place(folder, server)


def spans_of(place: Place) -> list[Span]:
    """Run undisturbed to the end and return the spans of every phase."""
    begun: list[tuple[str, int, float]] = []  # name, replies by then, seconds since the last one
    replies, changed = 0, time.monotonic()
    with place.start() as process:
        while process.poll() is None:
            found, now = place.count("replies"), time.monotonic()
            if found != replies or not place.run.exists():
                replies, changed = found, now
            begun += [(name, replies, now - changed) for name in place.phases()[len(begun) :]]
            time.sleep(POLL_S)
    if process.returncode != 0:
        raise RuntimeError((place.folder / "err").read_text())
    return _spans([*begun, ("", replies, time.monotonic() - changed)])


def _spans(begun: list[tuple[str, int, float]]) -> list[Span]:
    spans = [Span("start", 1, 3, 0.0, "files"), Span("start", 1, 1, begun[0][2], "files")]
    for (name, first, _), (following, end, idle) in pairwise(begun):
        phase = _phase(name)
        if end > first:
            spans.append(Span(phase, first + 1, end, LATENCY_S))
        if phase in AFTER and _phase(following) != phase:
            spans.append(Span(AFTER[phase], end, end, idle, "replies"))
    return spans


def _phase(name: str) -> str:
    return next((phase for part, phase in PARTS.items() if part in name), "")


def moment(spans: list[Span], phase: str, seed: int) -> Span:
    """Return one count and one delay within a phase, the same for the same seed."""
    rng = random.Random(f"{phase} {seed}")
    fitting = [span for span in spans if span.phase == phase]
    span = rng.choices(fitting, [span.last - span.first + 1 for span in fitting])[0]
    count = rng.randint(span.first, span.last)
    return replace(span, first=count, last=count, seconds=rng.uniform(0, span.seconds))


def wait_for(place: Place, process: subprocess.Popen[bytes], when: Span) -> None:
    """Return at the moment, or when the process has ended before."""
    while process.poll() is None and place.count(when.counted) < when.first:
        time.sleep(0.0 if when.counted == "files" else POLL_S)
    time.sleep(when.seconds)


@dataclass(frozen=True)
class Tried:
    """A run that was stopped and started again; in flight: requested and not kept by then."""

    place: Place
    stopped: int
    in_flight: int
    code: int
    stats: dict[str, Any]


def killed_run(folder: Path, store: Path, when: Span) -> Tried:
    """Start a run on a server of its own, kill it, group and all, and start it again."""
    with serving(latency=LATENCY_S) as server:
        place = lay_out(folder, server, store)
        with place.start() as process:
            wait_for(place, process, when)
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
        lost = place.calls_lost()
        return Tried(place, process.returncode, lost, place.finish(), server.stats())
