"""Whole runs in processes of their own, killed with kill -9 at a random moment and resumed."""

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
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

from autoevol.experiments.models.transports.scripted import SAFEGUARD
from benchmarks.server_process import ServerProcess, serving

COMMAND = [sys.executable, "-m", "autoevol", "run", "test.yaml", "--out", "runs/xyz", "--yes"]
SETTINGS = {
    **dict.fromkeys(("LITELLM_LOCAL_MODEL_COST_MAP", "HF_HUB_OFFLINE", "PYTHONUNBUFFERED"), "True"),
}
ROWS, CONCURRENCY, LATENCY_S, POLL_S, LONGEST_S = 40, 8, 0.03, 0.002, 180.0
CALLING = (
    "first look",
    "look at the seeds",
    "dev",
    "mini-batch",
    "proposals",
    "candidate",
    "held-out",
    "evolve",
)
"""Phases with calls, by a word of the line that the run prints when a phase begins."""

AFTER = {"candidate": "step record", "evolve": "finish"}
"""Phases without calls, by the phase whose last call comes before them."""

TAUGHT = "look at the seeds"
"""A phase of runs alone whose F asks what rows teach."""

PHASES = ("start", *(phase for phase in CALLING if phase != TAUGHT), *AFTER.values())

Workload = Mapping[str, Any]
"""Sections of a config: data, search, rounds and rules."""

SEARCH: Workload = {
    "data": {"path": "seeds.jsonl", "train_size": 6, "dev_size": 10, "heldout_size": 10},
    "optimizer": {"steps": 2, "batch_size": 4, "candidates": 3},
    "evolve": {"methods": ["weak"], "respond": True},
    "failure": {"evolve": ["strict", "koevol"], "respond": ["strict"]},
}
TEACHING: Workload = {
    **SEARCH,
    "failure": {"rules": ["strict"], "teach": ["learnable"], "learnable": {"samples": 3}},
    "evolve": {"methods": ["weak"], "respond": True, "attempts": 2, "feedback": True},
}
"""A search by what rows teach: a weak and a strong solver try each rewrite and its parent."""

TALKS: Workload = {
    "data": {"path": "talks.jsonl"},
    "optimizer": {"name": "none"},
    "evolve": {
        "methods": ["weak", "careful.md"],
        "choice": "bandit",
        "rounds": 3,
        "on_failure": "requeue",
        "context": "previous",
    },
    "failure": {"rules": ["strict"]},
}
"""Conversations over rounds, with methods that a bandit chooses."""


CHUNKED: Workload = {
    "data": {"path": "seeds.jsonl"},
    "optimizer": {"name": "none"},
    "evolve": {"methods": ["weak"], "rounds": 2, "attempts": 2, "chunk_rows": 7},
    "failure": {"rules": ["strict"]},
}
"""A bulk phase in chunks of seven seeds."""


@dataclass(frozen=True)
class Span:
    """When a kill may fall: at a count from `first` to `last`, and up to `seconds` later."""

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

    @contextmanager
    def started(self) -> Iterator[subprocess.Popen[bytes]]:
        """Start the command; kill its process group at the block's end, or after too long."""
        env = {k: v for k, v in os.environ.items() if not k.startswith(("MLFLOW", "PYTEST"))}
        with (self.folder / "out").open("ab") as out, (self.folder / "err").open("ab") as err:
            process = subprocess.Popen(
                COMMAND,
                cwd=self.folder,
                env={**env, **SETTINGS},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                start_new_session=True,
            )
        timer = threading.Timer(LONGEST_S, os.killpg, (process.pid, signal.SIGKILL))
        timer.start()
        try:
            yield process
        finally:
            timer.cancel()
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def finish(self) -> int:
        with self.started() as process:
            return process.wait()

    def count(self, what: str) -> int:
        if what == "files":
            return sum(1 for _ in self.run.iterdir()) if self.run.exists() else 0
        stats = self.server.stats()
        return int(stats["requests"] if what == "requests" else sum(stats["by_status"].values()))

    def phases(self) -> list[str]:
        texts = (self.folder / "out").read_text().split("\n")[:-1]
        # A phase at work or finished has figures behind its name.
        lines = [text for text in texts if " · " not in text]
        # As a word: the run also says what it thinks of the evolver.
        return [phase for line in lines for phase in CALLING if re.search(rf"\b{phase}\b", line)]

    def calls_kept(self) -> int:
        """Count the calls in copies of the ledgers: opening one itself would repair it."""
        folders = [self.run, *sorted((self.run / "chunks").glob("*"))]
        return sum(_calls_in(folder) for folder in folders)

    def calls_lost(self) -> int:
        """Count the calls that an ended process requested and did not store."""
        # The process is gone, but the server may still be at its last replies.
        while self.count("replies") < self.count("requests"):
            time.sleep(POLL_S)
        requests = self.count("requests")
        return requests - self.calls_kept() if requests else 0


def _calls_in(folder: Path) -> int:
    with tempfile.TemporaryDirectory() as copy:
        for file in folder.glob("ledger.sqlite*"):
            shutil.copy(file, copy)
        if not (Path(copy) / "ledger.sqlite").is_file():
            return 0
        with closing(sqlite3.connect(Path(copy) / "ledger.sqlite")) as db:
            return int(db.execute("SELECT count(*) FROM calls").fetchone()[0])


def lay_out(
    folder: Path, server: ServerProcess, store: Path | None = None, workload: Workload = SEARCH
) -> Place:
    """Write what a run needs; an MLflow store is copied, since a new one takes seconds."""
    texts = [f"List the {i} largest rivers of Europe." for i in range(1, ROWS + 1)]
    seeds = [{"id": f"seed-{i}", "instruction": text} for i, text in enumerate(texts)]
    talks = [{"id": f"talk-{i}", "turns": [t, f"Why the {i}?"]} for i, t in enumerate(texts[::2])]
    model: dict[str, Any] = {"model": "hosted_vllm/world", "api_base": server.url}
    model["temperature"] = 0.7
    # Two models, each with its own limit, have as many calls in flight together as one has.
    model["concurrency"] = CONCURRENCY // 2 if workload is TEACHING else CONCURRENCY
    solvers = {"solver": {**model, "model": "hosted_vllm/weak"}, "strong_solver": model}
    config = {
        "name": folder.name,
        "models": {"evolver": model, **(solvers if workload is TEACHING else {})},
        **workload,
    }
    tracking = {"tracking_uri": "sqlite:///mlflow.db", "experiment": folder.name}
    folder.mkdir()
    for name, rows in (("seeds", seeds), ("talks", talks)):
        (folder / f"{name}.jsonl").write_text("\n".join(map(json.dumps, rows)) + "\n")
    (folder / "careful.md").write_text(f"Rewrite the instruction into a harder one. {SAFEGUARD}\n")
    (folder / "test.yaml").write_text(json.dumps(config))
    (folder / "mlflow.yaml").write_text(json.dumps({**tracking, "trace_sampling": 0.0}))
    if store:
        shutil.copy(store, folder / "mlflow.db")
    return Place(folder, server)


def spans_of(place: Place) -> list[Span]:
    """Run to the end without a kill, and return the spans of every phase."""
    begun: list[tuple[str, int, float]] = []
    replies, changed = 0, time.monotonic()
    with place.started() as process:
        while process.poll() is None:
            counted, now = place.count("replies"), time.monotonic()
            if counted != replies or not place.run.exists():
                replies, changed = counted, now
            begun += [(name, replies, now - changed) for name in place.phases()[len(begun) :]]
            time.sleep(POLL_S)
    if process.returncode != 0:
        raise RuntimeError((place.folder / "err").read_text())
    return _spans([*begun, ("", replies, time.monotonic() - changed)])


def _spans(begun: list[tuple[str, int, float]]) -> list[Span]:
    spans = [Span("start", 1, 3, 0.0, "files"), Span("start", 1, 1, begun[0][2], "files")]
    for (phase, first, _), (following, end, idle) in pairwise(begun):
        if end > first:
            spans.append(Span(phase, first + 1, end, LATENCY_S))
        if phase in AFTER and following != phase:
            spans.append(Span(AFTER[phase], end, end, idle, "replies"))
    return spans


def moment(spans: list[Span], phase: str, seed: int) -> Span:
    """Draw one count and one delay within a phase."""
    rng = random.Random(f"{phase} {seed}")
    fitting = [span for span in spans if span.phase == phase]
    span = rng.choices(fitting, [span.last - span.first + 1 for span in fitting])[0]
    first, seconds = rng.randint(span.first, span.last), rng.uniform(0, span.seconds)
    return replace(span, first=first, seconds=seconds)


def wait_for(place: Place, process: subprocess.Popen[bytes], when: Span) -> None:
    """Return at the moment, or when the process has ended before."""
    while process.poll() is None and place.count(when.counted) < when.first:
        time.sleep(0.0 if when.counted == "files" else POLL_S)
    time.sleep(when.seconds)


@dataclass(frozen=True)
class Tried:
    """A run that was stopped and started again.

    Attributes:
        stopped: The first process's exit code.
        is_hit: Whether it was killed at the drawn count.
        in_flight: Calls that it requested and did not store.
        code: The second process's exit code.
        stats: The server's, of both.
    """

    place: Place
    stopped: int
    is_hit: bool
    in_flight: int
    code: int
    stats: dict[str, Any]


def killed_run(folder: Path, store: Path, when: Span, workload: Workload = SEARCH) -> Tried:
    """Start a run on a server of its own, kill it at the moment, and start it again."""
    with serving(latency=LATENCY_S) as server:
        place = lay_out(folder, server, store, workload)
        with place.started() as process:
            wait_for(place, process, when)
        lost, requests, code = place.calls_lost(), place.count("requests"), process.returncode
        is_hit = code < 0 and requests == {"files": 0, "replies": when.first}.get(
            when.counted, requests
        )
        return Tried(place, code, is_hit, lost, place.finish(), server.stats())
