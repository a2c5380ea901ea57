"""Time and memory of the scores that ask no model: `python -m benchmarks.scores [--rows 10000]`.

Rows of 20 to 80 drawn words, one in twenty a near copy of another, are scored as `autoevol score`
does it, beside a benchmark of 2,000 texts of which some rows hold a passage. One JSON line.
"""

import argparse
import asyncio
import random
import tempfile
from collections.abc import Sequence
from pathlib import Path

from autoevol.experiments.config.scoring.scores import FREE, ScoresConfig
from autoevol.experiments.scores.scoring import open_resources, score_set
from autoevol.program.listeners import Listeners
from autoevol.program.records import Row
from benchmarks.answers import WORDS
from benchmarks.stopwatch import Stopwatch

TEXTS, LEAKS, COPIES = 2_000, 200, 20
"""Texts of the benchmark; one row in so many holds a passage of one, or nearly repeats a row."""


def main() -> None:
    """Score rows and print seconds, peak memory and what was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000)
    given = parser.parse_args()
    rng = random.Random(1)
    texts = [_text(rng, 40) for _ in range(TEXTS)]
    rows = _rows(rng, given.rows, texts)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "exam.jsonl"
        file.write_text("".join(f'{{"question": "{text}"}}\n' for text in texts), "utf-8")
        config = ScoresConfig(names=list(FREE), benchmarks=[str(file)])
        watch = Stopwatch()
        book = asyncio.run(
            score_set({1: rows}, config, open_resources(config, "scores"), Listeners())
        )
        watch.stop()
    watch.report(**book.figures[1])


def _rows(rng: random.Random, count: int, texts: Sequence[str]) -> list[Row]:
    found: list[str] = []
    for number in range(count):
        text = _text(rng, rng.randint(20, 80))
        if number % LEAKS == 0:
            text = f"{text} {rng.choice(texts)}"
        if number % COPIES == COPIES - 1:
            text = f"{rng.choice(found)} please"
        found.append(text)
    return [Row(f"r{n}", f"r{n}", text, round=1) for n, text in enumerate(found)]


def _text(rng: random.Random, count: int) -> str:
    return " ".join(rng.choices(WORDS, k=count))


if __name__ == "__main__":
    main()
