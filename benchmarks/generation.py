"""The bulk phase as a run wires it, on the benchmark's endpoint.

`python -m benchmarks.generation URL ROWS CONCURRENCY` prints its figures as one JSON line.
"""

import os
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path

os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")

import dspy

from autoevol.experiments.artifacts.folder import RunFolder
from autoevol.experiments.artifacts.row_files import row_files
from autoevol.experiments.models.budget import Budget
from autoevol.experiments.models.engine import Engine
from autoevol.experiments.models.ledger import LedgerSettings
from autoevol.experiments.models.runtime import open_models
from autoevol.experiments.models.settings import ModelSettings
from autoevol.program.evolution.evolver import Evolver
from autoevol.program.evolution.failure import failure_metric
from autoevol.program.evolution.generator import GenerationSettings, Generator
from autoevol.program.evolution.pipeline import Pipeline
from autoevol.program.listeners import Listeners
from autoevol.program.records import Outcome, Row
from autoevol.program.roles import Role, Roles
from autoevol.signatures import shipped_methods
from benchmarks.plain_script import MAX_TOKENS, METHOD, seed_text
from benchmarks.stopwatch import Stopwatch

MODEL = "hosted_vllm/world"
RULES = ["strict"]
SPOILED = {"unparsed", "empty", "truncated", "refused_request"}
"""Rules that only a spoiled reply breaks: the scripted world's own texts never do."""


@contextmanager
def open_generator(
    model: ModelSettings,
    folder: Path,
    tally: Counter[str],
    generation: GenerationSettings | None = None,
) -> Iterator[tuple[Engine, Generator]]:
    """Open an engine and a generator as `experiments.run.runner` wires them, and close them again.

    Args:
        model: Of every role, with the calls in flight.
        folder: Takes the ledger and the row files.
        tally: Counts the rows by what became of them.
        generation: None: one round.
    """
    place = RunFolder(folder, "benchmark", False, datetime.now(UTC))
    method = shipped_methods()[METHOD]
    with ExitStack() as stack:
        fleet = stack.enter_context(
            open_models(
                {"evolver": model},
                ledger=LedgerSettings(place.ledger),
                budget=Budget(),
                on_part=lambda done, total: None,
                say=_say,
            )
        )
        write = stack.enter_context(row_files(place.path))
        stack.enter_context(dspy.context(disable_history=True, max_trace_size=0))

        def on_row(outcome: Outcome) -> None:
            write(outcome)
            tally[fate(outcome)] += 1

        pipeline = _pipeline(Role(fleet.lms["evolver"], model.model), model.in_flight)
        settings, listeners = generation or GenerationSettings(), Listeners(on_row=on_row)
        yield (
            fleet.engine,
            Generator(Evolver(method), [[method]], pipeline, settings, listeners),
        )


def fate(outcome: Outcome) -> str:
    """Return "kept", "failed" by its text, or "lost": the endpoint never gave a sound reply."""
    is_spoiled = any(reason.rule in SPOILED for reason in outcome.reasons)
    return "lost" if outcome.status == "unscored" or is_spoiled else outcome.status


def seeds(count: int) -> list[Row]:
    """Return seeds as a data file would give them."""
    return [
        Row(id=f"seed-{i}", seed_id=f"seed-{i}", instruction=text, origin=text)
        for i, text in ((i, seed_text(i)) for i in range(1, count + 1))
    ]


def main() -> None:
    """Run with the arguments of the command line; times end when everything is closed."""
    url, count, concurrency = sys.argv[1:]
    rows, tally = seeds(int(count)), Counter[str]()
    model = ModelSettings(
        MODEL, role="evolver", api_base=url, max_tokens=MAX_TOKENS, concurrency=int(concurrency)
    )
    with tempfile.TemporaryDirectory() as folder:
        with open_generator(model, Path(folder), tally) as (engine, generator):
            watch = Stopwatch()
            engine.run(generator.generate(rows))
        watch.stop()
    watch.report(kept=tally["kept"], failed=tally["failed"], lost=tally["lost"])


def _pipeline(role: Role, concurrency: int) -> Pipeline:
    return Pipeline(
        roles=Roles(evolver=role, responder=role, optimizer=role, judge=role),
        failure=failure_metric(RULES, RULES),
        responds=False,
        block_rows=1,
        blocks_in_flight=2 * concurrency,
    )


def _say(line: str) -> None:
    sys.stderr.write(line + "\n")


if __name__ == "__main__":
    main()
