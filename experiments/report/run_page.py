"""`report.html`: one self-contained page about a run, made of what its folder holds."""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autoevol.experiments.artifacts.funnel import Stopped, funnel
from autoevol.experiments.artifacts.identity import read_identity
from autoevol.experiments.artifacts.search_record import (
    STEPS,
    SearchRecord,
    best_alone,
    read_record,
)
from autoevol.experiments.config.loading import read_yaml
from autoevol.experiments.files.atomic import write_whole
from autoevol.experiments.files.records import read_rows
from autoevol.experiments.report.html import embedded_files, page
from autoevol.experiments.report.lineages import Evolved, lineages, read_evolved
from autoevol.experiments.report.plots import write_pictures
from autoevol.experiments.report.run_figures import draw_added_words, draw_funnel, draw_search
from autoevol.experiments.report.score_figures import score_figures
from autoevol.experiments.report.score_tables import judges, rows_by_round, score_sections
from autoevol.experiments.report.word_diff import changed_lines
from autoevol.experiments.scores.files import EVOLVED
from autoevol.experiments.scores.stored import StoredScores, read_stored
from autoevol.program.errors import ConfigError
from autoevol.signatures import Method

REPORT = "report.html"
_OLDER = (
    f"This folder has no {STEPS}: the run is of an earlier version, and its search is not shown."
)
_STALE = "The rows have changed since these scores were made; `autoevol score` makes them anew."


@dataclass(frozen=True, slots=True)
class MethodChange:
    """How a method differs from the one that it was made from.

    Attributes:
        lines: A diff of the instructions; empty: only demonstrations or the thinking mode differ.
    """

    title: str
    before: Method
    after: Method
    lines: list[str]


def write_report(folder: Path, summary: Mapping[str, Any]) -> list[Path]:
    """Write the report of a run and its pictures; return their paths.

    Args:
        folder: The run's, with everything in it but the summary.
        summary: As `summary.json` holds it. At a run's end it is not there yet: it is written last,
            since it says that the run is finished.

    Raises:
        ConfigError: A file is not what a run writes there.
    """
    found = read_record(folder)
    record, sheet = found or best_alone(folder), read_stored(folder)
    plain, config = _config(folder / "config.yaml")
    started = read_identity(folder).started
    evolved = read_evolved(folder / EVOLVED, random.Random(plain.get("seed", 0)))
    stopped = _stopped(folder / "failures.jsonl")
    figures = {
        "failure_rate": draw_search(record.steps),
        "funnel": draw_funnel(stopped),
        "words_added": draw_added_words(evolved.added),
        **score_figures(sheet),
    }
    files = write_pictures(figures, folder)
    text = page(
        "report.html.j2",
        name=plain["name"],
        started=f"{started:%Y-%m-%d %H:%M} UTC",
        summary=summary,
        record=record,
        search_note="" if found else _OLDER,
        changes=_changes(record),
        overall=_overall(record),
        pictures=embedded_files(files),
        rows=lineages(folder / EVOLVED, evolved),
        stopped=stopped,
        score_sections=score_sections(sheet),
        score_note=_score_note(sheet, evolved),
        judges=judges(sheet),
        config=config,
    )
    return [write_whole(folder / REPORT, text), *files.values()]


def _config(file: Path) -> tuple[dict[str, Any], str]:
    """Return a run's config, and its text."""
    plain = read_yaml(file)
    if "name" not in plain:
        raise ConfigError(f"{file}: name", "is required")
    return plain, file.read_text("utf-8")


def _stopped(file: Path) -> list[Stopped]:
    try:
        return funnel(read_rows(file))
    except (KeyError, TypeError) as error:
        raise ConfigError(str(file), f"holds a row that no run writes there: {error!r}") from error


def _score_note(sheet: StoredScores, evolved: Evolved) -> str:
    """Say so if the scores are not of the rows that are there."""
    scored = {number: rows for number, rows in rows_by_round(sheet).items() if number}
    there = {number: rows for number, rows in evolved.rows.items() if number}
    return _STALE if sheet.figures and scored != there else ""


def _changes(record: SearchRecord) -> list[MethodChange]:
    """Return each accepted method against the one that it was made from."""
    accepted = [(n, step.accepted) for n, step in enumerate(record.steps, start=1)]
    return [
        _change(f"step {number}", record.methods[each.parent], record.methods[each.measured.method])
        for number, each in accepted
        if each and each.measured
    ]


def _overall(record: SearchRecord) -> MethodChange | None:
    """Return the best method against the initial one; None: there was no search, or it stays."""
    if record.start in (None, *record.applied[:1]):
        return None
    return _change("start to end", record.methods[record.start or ""], record.best[0])


def _change(title: str, before: Method, after: Method) -> MethodChange:
    return MethodChange(
        title, before, after, changed_lines(before.instructions, after.instructions)
    )
