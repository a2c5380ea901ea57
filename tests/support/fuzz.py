"""The fuzz: a drawn run, disturbed by faults and kill -9, must end as if it had not been.

What goes wrong is the server's and the kills' part. What may not: the files of both runs are equal
to the byte, accounts hold, ids are unique, parents exist, and the ledger holds each sound reply of
the server once.
"""

import json
import shutil
import sqlite3
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks.server_process import ServerProcess
from tests.support import warm
from tests.support.fuzz_cases import CAREFUL, FAULTS, Case
from tests.support.warm import Started

QUIET: Mapping[str, Any] = {
    **dict.fromkeys(FAULTS, 0.0),
    "hangs": [],
    "latency": 0.002,
    "jitter": 0.01,
}
"""The server without faults; replies overtake each other."""

OWN = frozenset(
    "wall_s mlflow_run_id resumed calls_replayed method_tokens_cached calls_discarded faults "
    "tokens_in tokens_out tokens_cached calls_unpriced calls_estimated cost_usd_known".split()
)
"""Figures of a summary that belong to a try or to the faults (the bill), not to the run."""

DIFFERENT = (
    *("config.yaml", "run.json", "summary.json", "report.html", "run.lock"),
    "tracking.jsonl",  # it holds times
)
"""Files that name a concurrency or a time."""

TRIES, POLL_S, LONGEST_S = 12, 0.002, 90.0
ENDED = (0, 3)
"""Exit codes of a run that is finished, or that may be resumed."""


@dataclass(frozen=True)
class Finding:
    """What came of a case.

    Attributes:
        kills: Starts that were killed.
        requests: Of the disturbed run, with those that failed.
        calls: Finished calls in its ledger.
        problems: What differs from the undisturbed run, or does not hold; empty: nothing.
    """

    number: int
    is_search: bool
    kills: int = 0
    requests: int = 0
    faults: int = 0
    calls: int = 0
    problems: tuple[str, ...] = ()


def fuzz(case: Case, folder: Path, server: ServerProcess) -> Finding:
    """Run a case without and with its disturbances; the folder stays only where there are problems.

    Args:
        case: Of `draw_case`.
        folder: A new one.
        server: Serves this case alone.
    """
    folder.mkdir(parents=True)
    sound, disturbed = (_laid_out(folder / name, case, server) for name in ("sound", "disturbed"))
    finding = Finding(case.number, case.config["optimizer"]["name"] != "none")
    server.change(**QUIET, same_seed=case.same_seed)
    server.reset()
    problems = [*_finish(sound, case.concurrency[0]), *_account(sound, case, server)]
    if problems:
        return replace(finding, problems=tuple(f"undisturbed: {problem}" for problem in problems))
    requests = server.stats()["requests"]
    server.change(**case.faults)
    server.reset()
    kills, problems = _disturb(disturbed, case, requests, server)
    stats = server.stats()
    problems += _account(disturbed, case, server) or _differences(sound, disturbed)
    if not problems:
        shutil.rmtree(folder)
    return replace(
        finding,
        kills=kills,
        requests=stats["requests"],
        faults=stats["requests"] - stats["good"],
        calls=stats["good"] - stats["repeated_good"],
        problems=tuple(problems),
    )


def _laid_out(folder: Path, case: Case, server: ServerProcess) -> Path:
    """Write the files of a case; return its folder."""
    model = {
        "model": "hosted_vllm/world",
        "api_base": server.url,
        "temperature": 0.7,
        # Far above any reply, so that one that is cut off is asked for again.
        "max_tokens": 1024,
        "attempts": 8,
        "backoff": 0.01,
        "backoff_max": 0.05,
        "timeout": 2,
    }
    # Each role has a temperature, so that each draw is another request.
    models = dict.fromkeys(("evolver", "responder", "optimizer", "judge"), model)
    folder.mkdir()
    lines = [json.dumps(seed, ensure_ascii=False) + "\n" for seed in case.seeds]
    (folder / "seeds.jsonl").write_text("".join(lines), encoding="utf-8")
    (folder / "careful.md").write_text(CAREFUL)
    fields = {"input": "input", "id": "id", **({"turns": "turns"} if _is_talk(case) else {})}
    data = {**case.config["data"], "fields": fields}
    (folder / "fuzz.json").write_text(json.dumps({**case.config, "models": models, "data": data}))
    return folder


def _is_talk(case: Case) -> bool:
    return "turns" in case.seeds[0]


def _command(concurrency: int) -> tuple[str, ...]:
    setting = f"models.evolver.concurrency={concurrency}"
    return ("run", "fuzz.json", "--out", "run", "--yes", "--set", setting)


def _finish(folder: Path, concurrency: int) -> list[str]:
    process = warm.start(folder, *_command(concurrency))
    if process.wait(LONGEST_S) == 0:
        return []
    process.kill()
    return [_exit_of(process, folder)]


def _exit_of(process: Started, folder: Path) -> str:
    file = folder / "err"
    return f"exit code {process.exit_code}: {file.read_text()[-600:] if file.exists() else ''}"


def _disturb(
    folder: Path, case: Case, requests: int, server: ServerProcess
) -> tuple[int, list[str]]:
    """Start a run and kill it at the case's moments, then start it until nothing is left to do.

    Returns:
        How many starts were killed, and what was wrong.
    """
    problems: list[str] = []
    rows: set[str] = set()
    kills = 0
    for number in range(TRIES):
        concurrency = case.concurrency[min(number + 1, len(case.concurrency) - 1)]
        if number > len(case.kills):
            # Rows may be left without a verdict while the server fails; in the end it is sound.
            server.change(**QUIET)
        process = warm.start(folder, *_command(concurrency))
        if number < len(case.kills):
            share, delay = case.kills[number]
            _wait(process, server, int(share * requests) + 1, delay)
            process.kill()
        code = process.wait(LONGEST_S)
        process.kill()
        kills += code == -9
        later = set(_ids_so_far(folder / "run/evolved.jsonl"))
        if not rows <= later:
            problems.append(f"rows vanished at start {number + 1}: {sorted(rows - later)[:5]}")
        rows = later
        if code not in (*ENDED, -9):
            return kills, [*problems, _exit_of(process, folder)]
        if code == 0 and number >= len(case.kills) and not _unscored(folder):
            return kills, problems
    return kills, [*problems, f"not finished after {TRIES} starts"]


def _wait(process: Started, server: ServerProcess, requests: int, delay: float) -> None:
    until = time.monotonic() + LONGEST_S
    while process.exit_code is None and server.stats()["requests"] < requests:
        time.sleep(POLL_S)
        if time.monotonic() > until:
            return
    time.sleep(delay)


def _unscored(folder: Path) -> int:
    summary = json.loads((folder / "run/summary.json").read_text())
    return int(summary["rows_unscored"])


def _ids_so_far(file: Path) -> Iterator[str]:
    lines = file.read_bytes().split(b"\n")[:-1] if file.exists() else []
    return (json.loads(line)["id"] for line in lines)


def _account(folder: Path, case: Case, server: ServerProcess) -> list[str]:
    """Return what does not hold of a finished run by itself."""
    run = folder / "run"
    if not (run / "summary.json").is_file():
        return ["no summary"]
    summary = json.loads((run / "summary.json").read_text())
    rows = {name: _rows(run / f"{name}.jsonl") for name in ("evolved", "failures")}
    return [
        *_accounts(summary, rows),
        *_lineages(case, rows),
        *_calls(run, summary, server, is_reseeded=case.same_seed is not None),
        *([] if _stays_finished(folder, server) else ["a finished run made calls, or changed"]),
    ]


def _accounts(summary: Mapping[str, Any], rows: Mapping[str, Sequence[Any]]) -> Iterator[str]:
    for count in summary["rounds"]:
        if count["entered"] != count["kept"] + count["failed"] + count["unscored"]:
            yield f"round {count['round']} does not add up: {count}"
        for name, key in (("evolved", "kept"), ("failures", "failed")):
            number = sum(row["round"] == count["round"] for row in rows[name])
            if number != count[key]:
                yield f"round {count['round']}: {count[key]} {key}, {number} in {name}.jsonl"
    if (summary["rows_out"], summary["rows_failed"]) != (
        len(rows["evolved"]),
        len(rows["failures"]),
    ):
        yield "the summary counts other rows than the files hold"


def _lineages(case: Case, rows: Mapping[str, Sequence[Any]]) -> Iterator[str]:
    seeds = {seed["id"] for seed in case.seeds}
    evolved = [row for members in rows.values() for row in members if row["round"]]
    ids = Counter(row["id"] for row in evolved)
    ids.update(seeds)
    shared = [name for name, count in ids.items() if count > 1]
    if shared:
        yield f"ids of several rows: {shared[:5]}"
    parents = seeds | {row["id"] for row in rows["evolved"]}
    orphans = [row["id"] for row in evolved if row["parent_id"] not in parents]
    if orphans:
        yield f"rows without a parent: {orphans[:5]}"


def _calls(
    run: Path, summary: Mapping[str, Any], server: ServerProcess, *, is_reseeded: bool
) -> Iterator[str]:
    stats = server.stats()
    with closing(sqlite3.connect(f"file:{run}/ledger.sqlite?mode=ro", uri=True)) as db:
        stored = int(db.execute("SELECT count(*) FROM calls").fetchone()[0])
    served = stats["good"] - stats["repeated_good"]
    if stored != summary["calls"]:
        yield f"{stored} calls in the ledger, {summary['calls']} in the summary"
    # A call that was sent again with another seed, killed and made again was served twice.
    if stored > served or (stored < served and not is_reseeded):
        yield f"{stored} calls in the ledger, {served} sound replies served"


def _stays_finished(folder: Path, server: ServerProcess) -> bool:
    """Start a finished run again: it makes no call and changes no file."""
    before, requests = _contents(folder / "run"), server.stats()["requests"]
    is_done = not _finish(folder, 4)
    return (
        is_done and _contents(folder / "run") == before and server.stats()["requests"] == requests
    )


def _differences(sound: Path, disturbed: Path) -> list[str]:
    ours, theirs = _contents(sound / "run"), _contents(disturbed / "run")
    names = sorted(ours.keys() | theirs.keys())
    unequal = [name for name in names if ours.get(name) != theirs.get(name)]
    summaries = [
        json.loads((place / "run/summary.json").read_text()) for place in (sound, disturbed)
    ]
    figures = [
        f"{key}: {summaries[0].get(key)} and {summaries[1].get(key)}"
        for key in summaries[0]
        if key not in OWN and summaries[0].get(key) != summaries[1].get(key)
    ]
    return [*(f"{name} differs" for name in unequal), *figures]


def _contents(run: Path) -> dict[str, bytes]:
    return {
        str(file.relative_to(run)): file.read_bytes()
        for file in run.rglob("*")
        if file.is_file() and file.name not in DIFFERENT and not file.name.startswith("ledger")
    }


def _rows(file: Path) -> list[dict[str, Any]]:
    with file.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]
