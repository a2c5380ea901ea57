"""Memory of many rows through several rounds: `python -m benchmarks.rounds`.

The bulk phase as a run wires it (DSPy predictor, scripted engine, ledger, rules, writer), without
MLflow. It prints its figures as one JSON line; failed rows go back, so every round has all rows.
"""

import argparse
import tempfile
from collections import Counter
from pathlib import Path

from autoevol.experiments.models.settings import ModelSettings
from autoevol.program.evolution.generator import GenerationSettings
from benchmarks.generation import open_generator, seeds
from benchmarks.stopwatch import Stopwatch


def main() -> None:
    """Evolve rows and print seconds, peak memory and where the rewrites went."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    model = ModelSettings("scripted/world", role="evolver", concurrency=32)
    settings = GenerationSettings(rounds=given.rounds, on_failure="requeue")
    tally = Counter[str]()
    with tempfile.TemporaryDirectory() as folder:
        with open_generator(model, Path(folder), tally, settings) as (engine, generator):
            watch = Stopwatch()
            engine.run(generator.generate(seeds(given.rows)))
        watch.stop()
    watch.report(rewrites=tally.total(), **tally)


if __name__ == "__main__":
    main()
