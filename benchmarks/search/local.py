"""Searches on the local 1.5B model at equal calls: `python -m benchmarks.search.local`.

Each search is a run of its own (`autoevol optimize`) with the same splits, start and budget; the
same command resumes an interrupted run. Rewrites are judged but not answered, to save half of the
calls.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml
from rich.console import Console
from rich.table import Table

from autoevol.experiments.cli.app import app

SEARCHES = ("auto_evol", "paper", "gepa")
_SEEDS = Path(__file__).resolve().parents[2] / "data" / "seeds_en_ko.jsonl"


def main() -> None:
    """Run every search from every start, then print their held-out failure rates."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--starts", nargs="*", default=["weak", "e0-shown"])
    parser.add_argument("--searches", nargs="*", default=list(SEARCHES))
    parser.add_argument("--calls", type=int, default=180, help="of the search, all models")
    parser.add_argument("--folder", type=Path, default=Path("runs/search"))
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    results = []
    for start in options.starts:
        for search in options.searches:
            config = _config(search, start, options.calls, options.folder)
            app(["optimize", str(config), "--yes", "--force"], standalone_mode=False)
            results.append(_result(search, start, options.folder / f"{start}-{search}"))
    _print(results)


def _config(search: str, start: str, calls: int, folder: Path) -> Path:
    tree = {
        "name": f"{start}-{search}",
        "seed": 3,
        "models": {
            "evolver": {
                "model": "local/qwen2.5-coder-1.5b-instruct",
                "temperature": 0.4,
                "top_p": 0.95,
                "max_tokens": 120,
            },
            "optimizer": {"temperature": 0.7, "max_tokens": 384},
        },
        "data": {
            "path": str(_SEEDS),
            "train_size": 24,
            "dev_size": 16,
            "fresh_size": 16,
            "heldout_size": 32,
        },
        "failure": {"rules": ["strict"]},
        "optimizer": {
            "name": search,
            "initial_method": start,
            "candidates": 4,
            "batch_size": 6,
            "max_calls": calls,
            "max_method_words": 250,
            "boldness": ["sentence"],
        },
        "evolve": {"respond": False},
        "output": {"dir": str(folder / f"{start}-{search}")},
    }
    file = folder / f"{start}-{search}.yaml"
    file.write_text(yaml.safe_dump(tree, sort_keys=False), encoding="utf-8")
    return file


def _result(search: str, start: str, folder: Path) -> dict[str, Any]:
    summary = json.loads((folder / "search.json").read_text(encoding="utf-8"))
    return {"search": search, "start": start, **summary}


def _print(results: Sequence[dict[str, Any]]) -> None:
    names = ("start", "search", "dev, initial → best", "held-out, initial → best", "steps", "calls")
    table = Table(*names)
    for result in results:
        table.add_row(
            result["start"],
            result["search"],
            f"{_rate(result['failure_rate_initial'])} → {_rate(result['failure_rate_best'])}",
            f"{_rate(result['failure_rate_heldout_initial'])} → "
            f"{_rate(result['failure_rate_heldout_best'])}",
            f"{result['steps']} ({result['accepted_steps']})",
            str(result["calls"]),
        )
    Console(width=150).print(table)


def _rate(rate: dict[str, Any]) -> str:
    return f"{rate['rate']:.0%} ({rate['low']:.0%}–{rate['high']:.0%})"


if __name__ == "__main__":
    main()
