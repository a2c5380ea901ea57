"""Runs in batches that are killed with kill -9 at random moments, and started again.

`python -m benchmarks.batch_kills --kills 20` prints a line for each form of interface: OpenAI's,
Anthropic's and Gemini's, all stand-ins on loopback. It exits with 1 if a request is paid twice, or
a run ends with other rows than one of single calls.
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from rich.console import Console

from tests.support.batch_provider import BatchProviderState, batch_provider
from tests.support.own_batch_providers import own_batch_provider

MODELS = {
    "openai": "openai/m",
    "anthropic": "anthropic/claude-3-5-haiku-latest",
    "gemini": "gemini/gemini-2.5-flash",
}
_ANSWER_S = 0.2
"""Seconds of an answer of the stand-in, so that kills fall between a deed and its answer."""
_LONGEST_S = 4.0
"""Seconds after a process's first call within which it is killed."""


@dataclass(frozen=True, slots=True)
class Account:
    """What became of the killed runs of one form.

    Attributes:
        hits: Kills that came before the run's end.
        runs: Folders that they took.
        batches: At the stand-in.
        paid: Requests that were answered in batches.
        twice: Requests that were answered in two.
        unequal: Runs that ended with other rows than that of single calls.
    """

    hits: int
    runs: int
    batches: int
    paid: int
    twice: int
    unequal: int


def serving(kind: str) -> AbstractContextManager[BatchProviderState]:
    """Serve a stand-in that answers after everything is done, a little late."""
    calls = ("files", "batches", "batch", "content", "file", "cancel")
    slow = {f"{verb} {call}": _ANSWER_S for verb in ("GET", "POST", "DELETE") for call in calls}
    if kind == "openai":
        return batch_provider(delay_s=1.0, slow=slow)
    return own_batch_provider(kind, delay_s=1.0, slow=slow)


def killed_runs(kind: str, kills: int, rows: int, folder: Path) -> Account:
    """Kill runs of one form at random moments, end them, and compare."""
    draws = random.Random(kind)
    with serving(kind) as provider:
        _write(folder, kind, provider, rows, in_batches=False)
        _run(folder, "single")
        expected = _rows(folder / "single")
        _write(folder, kind, provider, rows, in_batches=True)
        hits = runs = unequal = paid = twice = 0
        while hits < kills:
            runs += 1
            provider.paid.clear()
            name = f"run-{runs}"
            # A few kills a run, so that they fall on its beginning and on its end.
            wanted = min(kills, hits + draws.randint(2, 6))
            while hits < wanted and _is_hit(folder, name, provider, draws.uniform(0, _LONGEST_S)):
                hits += 1
            _run(folder, name)
            unequal += _rows(folder / name) != expected
            paid += len(provider.paid)
            twice += sum(times > 1 for times in provider.paid.values())
        return Account(hits, runs, len(provider.batches), paid, twice, unequal)


def _write(
    folder: Path, kind: str, provider: BatchProviderState, rows: int, *, in_batches: bool
) -> None:
    seeds = [
        {"id": f"s{n}", "instruction": f"List the {n + 2} largest lakes."} for n in range(rows)
    ]
    (folder / "seeds.jsonl").write_text("".join(json.dumps(seed) + "\n" for seed in seeds))
    batch = {"max_requests": 8, "max_wait": 0.3, "min_rows": 1, "poll": 0.1}
    evolver: dict[str, Any] = {"model": MODELS[kind], "api_base": provider.url, "backoff": 0.01}
    evolver |= {"api_key_env": "BATCH_KEY"} | ({"batch": batch} if in_batches else {})
    tree = {
        "name": "kills",
        "models": {"evolver": evolver},
        "data": {"path": "seeds.jsonl"},
        "optimizer": {"name": "none"},
        "evolve": {"methods": ["weak"], "rounds": 2, "attempts": 2},
    }
    (folder / "kills.yaml").write_text(yaml.safe_dump(tree))


def _command(name: str) -> list[str]:
    return [sys.executable, "-m", "autoevol", "run", "kills.yaml", "--out", name, "--yes"]


def _run(folder: Path, name: str) -> None:
    subprocess.run(_command(name), cwd=folder, check=True, capture_output=True)


def _is_hit(folder: Path, name: str, provider: BatchProviderState, after_s: float) -> bool:
    """Kill a run some seconds after its first call; False: it was over before."""
    before = sum(provider.calls.values())
    process = subprocess.Popen(
        _command(name),
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    while sum(provider.calls.values()) == before and process.poll() is None:
        time.sleep(0.005)
    time.sleep(after_s)
    if process.poll() is not None:
        return False
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    return True


def _rows(folder: Path) -> list[str]:
    names = ("evolved.jsonl", "failures.jsonl")
    rows = [json.loads(line) for name in names for line in (folder / name).open(encoding="utf-8")]
    return sorted(json.dumps([row["id"], row["instruction"], row["response"]]) for row in rows)


def main() -> None:
    """Print a line for each form."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--rows", type=int, default=24)
    parser.add_argument("--kinds", nargs="*", default=[*MODELS])
    options = parser.parse_args()
    os.environ["BATCH_KEY"] = "sk-of-the-batches"
    is_sound, console = True, Console(soft_wrap=True)
    for kind in options.kinds:
        with tempfile.TemporaryDirectory() as folder:
            account = killed_runs(kind, options.kills, options.rows, Path(folder))
        is_sound = is_sound and not (account.twice or account.unequal)
        console.print(f"{kind}: {account}")
    sys.exit(not is_sound)


if __name__ == "__main__":
    main()
