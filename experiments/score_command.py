"""`autoevol score`: what a finished set is worth, in figures by round and by row."""

import asyncio
import json
from collections.abc import Callable

from rich.table import Table

from experiments.models.fleet import open_fleet
from experiments.models.meter import Budget
from experiments.progress import ProgressBar
from experiments.run_folder import alone_in
from experiments.score_book import ScoreBook, flat
from experiments.score_files import stamp
from experiments.score_targets import Request, Target, find_target
from experiments.scoring import Means, means, score_set, with_judge
from experiments.tracking import TrackingConfig, log_scores
from program.listeners import Listeners
from program.roles import Role

HOSTED_IN_FLIGHT, LOCAL_IN_FLIGHT = 32, 4


def score(
    request: Request,
    *,
    bar: ProgressBar,
    say: Callable[[str], None],
    tracking: TrackingConfig | None,
) -> ScoreBook:
    """Score a run or a file, write what was found out, and tell MLflow of a run's.

    Raises:
        ConfigError: The target, a score or a model is wrong; nothing is written.
        StoppedError: The user wishes to stop; the same command pays no call twice.
    """
    target = find_target(request)
    given = means(target.scores, target.where)
    with alone_in(target.folder):
        book = _scored(target, given, bar, say)
        files = book.write(target.folder, target.scores.model_dump(mode="json"))
        if target.is_run:
            stamp(target.folder, book)
            if tracking:
                log_scores(tracking, _key(target), book.figures, files)
    return book


def _scored(
    target: Target, given: Means, bar: ProgressBar, say: Callable[[str], None]
) -> ScoreBook:
    listeners = Listeners(bar.on_phase, bar.on_row)
    if target.judge is None:
        return asyncio.run(score_set(target.rounds, target.scores, given, listeners))
    ledger = target.folder / "ledger.sqlite"
    with open_fleet(
        {"judge": target.judge}, ledger=ledger, budget=Budget(), on_part=bar.on_part, say=say
    ) as fleet:
        bar.totals = fleet.engine.totals
        role = Role(fleet.lms["judge"], target.judge.model, watched=0.0)
        in_flight = LOCAL_IN_FLIGHT if target.judge.kind == "local" else HOSTED_IN_FLIGHT
        asked = with_judge(given, role, in_flight=in_flight, seed=target.seed)
        return fleet.engine.run(score_set(target.rounds, target.scores, asked, listeners))


def _key(target: Target) -> str:
    return str(json.loads((target.folder / "run.json").read_text("utf-8"))["key"])


def score_table(book: ScoreBook) -> Table:
    """Return a line for each figure and a column for each round."""
    rounds = sorted(book.figures)
    table = Table("score", *(f"round {number}" if number else "seeds" for number in rounds))
    by_round = {number: flat(book.figures[number]) for number in rounds}
    names = dict.fromkeys(name for figures in by_round.values() for name in figures)
    for name in names:
        cells = (by_round[number].get(name) for number in rounds)
        table.add_row(name, *("–" if cell is None else f"{cell:.4g}" for cell in cells))
    return table
