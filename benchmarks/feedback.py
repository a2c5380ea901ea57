"""Attempts that learn against blind ones, on a local model: `python -m benchmarks.feedback`.

The same seeds are evolved twice with several attempts each: a further attempt is told why the last
one failed, or it is not. Both arms share every first attempt, so the comparison is paired row by
row. The same command resumes; finished arms are only read.
"""

import argparse
import json
import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from rich.console import Console
from rich.table import Table

from autoevol.experiments.cli.app import app

_LABELLED = Path(__file__).resolve().parents[1] / "data" / "labelled"
_FILES = ("tune.jsonl", "languages.jsonl", "free_wording.jsonl")
RESAMPLES, SEED = 10_000, 20
ARMS = ("feedback-false", "feedback-true")

Row = tuple[bool, int]
"""Whether a seed's rewrite was kept, and the calls of all of its attempts."""


def main() -> None:
    """Evolve the seeds in both arms, then print what they kept for their calls."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=240)
    parser.add_argument("--attempts", type=int, default=3)
    parser.add_argument("--method", default="e0-shown")
    parser.add_argument("--languages", nargs="*", default=["en", "ko"])
    parser.add_argument("--model", default="local/qwen2.5-coder-1.5b-instruct")
    parser.add_argument("--folder", type=Path, default=Path("runs/feedback"))
    options = parser.parse_args()
    folder = options.folder / options.method
    folder.mkdir(parents=True, exist_ok=True)
    config = _config(options, folder)
    app(["run", str(config), "--yes"], standalone_mode=False)
    arms = {arm: _rows(folder / "runs" / arm) for arm in ARMS}
    Console(width=120).print(_table(arms))


def _config(options: argparse.Namespace, folder: Path) -> Path:
    tree = {
        "name": f"feedback-{options.method}",
        "seed": SEED,
        "models": {
            "evolver": {
                "model": options.model,
                "temperature": 0.4,
                "top_p": 0.95,
                "max_tokens": 160,
            }
        },
        "data": {"path": str(_seeds(options, folder))},
        "failure": {"rules": ["strict"]},
        "optimizer": {"name": "none"},
        "evolve": {
            "methods": [options.method],
            "attempts": options.attempts,
            "respond": False,
        },
        "output": {"dir": str(folder / "runs")},
        "matrix": {"evolve.feedback": [False, True]},
    }
    file = folder / "config.yaml"
    file.write_text(yaml.safe_dump(tree, sort_keys=False), encoding="utf-8")
    return file


def _seeds(options: argparse.Namespace, folder: Path) -> Path:
    """Write a sample of the labelled sets' seeds, each once."""
    texts: dict[str, None] = {}
    for name in _FILES:
        for line in (_LABELLED / name).read_text("utf-8").splitlines():
            row = json.loads(line)
            if row["lang"] in options.languages:
                texts.setdefault(row["seed"])
    sample = random.Random(SEED).sample(sorted(texts), min(options.rows, len(texts)))
    file = folder / "seeds.jsonl"
    lines = (json.dumps({"instruction": text}, ensure_ascii=False) for text in sample)
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file


def _rows(folder: Path) -> dict[str, Row]:
    """Return an arm's rows by seed."""
    rows: dict[str, Row] = {}
    for name, is_kept in (("evolved.jsonl", True), ("failures.jsonl", False)):
        for line in (folder / name).read_text("utf-8").splitlines():
            row: Mapping[str, Any] = json.loads(line)
            rows[row["parent_id"]] = (is_kept, int(row["usage"]["calls"]))
    return rows


def _table(arms: Mapping[str, Mapping[str, Row]]) -> Table:
    table = Table("arm", "rows", "kept", "calls", "kept per 100 calls", "kept of those retried")
    for arm, rows in arms.items():
        pairs = list(rows.values())
        retried = [pair for pair in pairs if pair[1] > 1]
        table.add_row(
            arm,
            str(len(pairs)),
            str(sum(kept for kept, _ in pairs)),
            str(sum(calls for _, calls in pairs)),
            f"{_yield(pairs):.1f}",
            f"{sum(kept for kept, _ in retried)} of {len(retried)}",
        )
    ratio, low, high = _ratio(*(arms[arm] for arm in ARMS))
    table.caption = f"told / blind: {ratio:.3f} ({low:.3f} to {high:.3f}, bootstrap over rows)"
    return table


def _yield(rows: Sequence[Row]) -> float:
    """Return the kept rows for 100 calls."""
    return 100 * sum(kept for kept, _ in rows) / max(1, sum(calls for _, calls in rows))


def _ratio(blind: Mapping[str, Row], learning: Mapping[str, Row]) -> tuple[float, float, float]:
    """Return the ratio of the yields with its 95 % interval; rows are drawn in pairs."""
    shared = sorted(blind.keys() & learning.keys())
    pairs = [(blind[row], learning[row]) for row in shared]
    rng = random.Random(SEED)
    ratios = sorted(_ratio_of(rng.choices(pairs, k=len(pairs))) for _ in range(RESAMPLES))
    bounds = ratios[RESAMPLES // 40], ratios[-RESAMPLES // 40]
    return _ratio_of(pairs), *bounds


def _ratio_of(pairs: Sequence[tuple[Row, Row]]) -> float:
    blind = _yield([blind for blind, _ in pairs])
    return _yield([learning for _, learning in pairs]) / blind if blind else float("nan")


if __name__ == "__main__":
    main()
