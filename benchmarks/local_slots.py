"""A method that all slots of a local model need: read once and copied, or read by each of them.

`python -m benchmarks.local_slots` lets the quickstart's model rewrite eight rows with each of three
methods of 300 tokens, as a search does, with copies and without, in turn.
"""

import asyncio
import tempfile
import time
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from autoevol.experiments.models.budget import Budget
from autoevol.experiments.models.ledger import LedgerSettings
from autoevol.experiments.models.lm import RoleLM
from autoevol.experiments.models.runtime import open_models
from autoevol.experiments.models.settings import ModelSettings
from autoevol.experiments.models.transports import llama_slots

METHODS, ROWS, MAX_TOKENS = 3, 8, 60
METHOD = (
    "Rewrite the instruction into a harder one of the same task and in the same language. Keep "
    "every number and every name, add one condition, and never answer the instruction. "
) * 9
NEVER = 10**9
"""Characters that no prefix has."""


def main(
    model: Annotated[str, typer.Option()] = "local/qwen2.5-coder-1.5b-instruct",
    repeats: Annotated[int, typer.Option(help="Turns.")] = 2,
) -> None:
    """Measure both ways in turn and print a table."""
    usual = llama_slots.LEAST_CHARACTERS
    table = Table("turn", "copied", "tokens out", "seconds", "ratio")
    for turn in range(repeats):
        llama_slots.LEAST_CHARACTERS = NEVER
        without = _seconds(model)
        llama_slots.LEAST_CHARACTERS = usual
        with_copies = _seconds(model)
        for name, (seconds, tokens) in (("no", without), ("yes", with_copies)):
            ratio = f"{seconds / without[0]:.2f}"
            table.add_row(str(turn + 1), name, str(tokens), f"{seconds:.1f}", ratio)
    Console().print(table)


def _seconds(model: str) -> tuple[float, int]:
    """Return the time of all methods, and the tokens that were generated."""
    settings = ModelSettings(model, role="evolver", max_tokens=MAX_TOKENS, temperature=0.4)
    with (
        tempfile.TemporaryDirectory() as folder,
        open_models(
            {"evolver": settings},
            ledger=LedgerSettings(Path(folder) / "ledger.sqlite"),
            budget=Budget(),
            on_part=lambda *_: None,
            say=lambda _: None,
        ) as models,
    ):
        started = time.monotonic()
        models.engine.run(_all_methods(models.lms["evolver"]))
        return time.monotonic() - started, models.engine.totals.tokens_out


async def _all_methods(lm: RoleLM) -> None:
    for method in range(METHODS):
        system = {"role": "system", "content": f"Method {method + 1}. {METHOD}"}
        turns = (
            {"role": "user", "content": f"Instruction:\nName {row + 3} rivers of Asia."}
            for row in range(ROWS)
        )
        calls = (lm.acall(messages=[system, turn], rollout_id=n) for n, turn in enumerate(turns))
        await asyncio.gather(*calls)


if __name__ == "__main__":
    typer.run(main)
