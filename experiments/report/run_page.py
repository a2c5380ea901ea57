"""`report.html`: one self-contained page about a run, made from the files in its folder."""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autoevol.experiments.artifacts.admissions import admissions
from autoevol.experiments.artifacts.funnel import Stopped, counts_by_stage, funnel
from autoevol.experiments.artifacts.identity import read_identity
from autoevol.experiments.artifacts.row_files import EVOLVED, FAILURES
from autoevol.experiments.artifacts.search_record import (
    STEPS,
    SearchRecord,
    best_alone,
    read_record,
)
from autoevol.experiments.artifacts.summary import SUMMARY
from autoevol.experiments.artifacts.suspects import suspects_in
from autoevol.experiments.config.loading import read_yaml
from autoevol.experiments.files.atomic import write_whole
from autoevol.experiments.files.paths import command_line
from autoevol.experiments.files.reading import read_rows
from autoevol.experiments.report.examples import Example, examples_in, lost_in
from autoevol.experiments.report.html import embedded_files, page
from autoevol.experiments.report.lineages import Evolved, lineages, read_evolved
from autoevol.experiments.report.next_steps import next_steps
from autoevol.experiments.report.plots import write_pictures
from autoevol.experiments.report.remedies import losses
from autoevol.experiments.report.run_figures import draw_added_words, draw_funnel, draw_search
from autoevol.experiments.report.score_figures import score_figures
from autoevol.experiments.report.score_tables import judges, rows_by_round, score_sections
from autoevol.experiments.report.word_diff import Piece, changed_lines, mark_new_words
from autoevol.experiments.report.words import FILES, TERMS
from autoevol.experiments.scores.stored import StoredScores, read_stored
from autoevol.program.errors import ConfigError
from autoevol.signatures import Method

REPORT = "report.html"
_OLDER = f"This folder has no {STEPS}: an earlier version made the run, so its search is not shown."
_STALE = "The rows have changed since they were scored; `autoevol score` computes the scores again."


@dataclass(frozen=True, slots=True)
class MethodChange:
    """A method and its parent.

    Attributes:
        title: For example "step 3".
        before: The parent.
        after: The method.
        lines: A diff of the instructions; empty: only demonstrations or the thinking mode differ.
    """

    title: str
    before: Method
    after: Method
    lines: list[str]


def write_report(folder: Path, summary: Mapping[str, Any]) -> list[Path]:
    """Write the report of a run and its pictures; return their paths.

    Args:
        folder: The run's, with all its files; `summary.json` may be missing.
        summary: The contents of `summary.json`. A run writes that file last, after the report,
            because it marks the run as finished.

    Raises:
        ConfigError: A file is not what a run writes there.
    """
    stored_record = read_record(folder)
    record, scores = stored_record or best_alone(folder), read_stored(folder)
    # As plain YAML: a later version may refuse a config whose run can still be shown.
    plain, config = _config(folder / "config.yaml")
    started = read_identity(folder).started
    # Seeded by the run's seed: a report that is made again shows the same rows.
    evolved = read_evolved(folder / EVOLVED, random.Random(plain.get("seed", 0)))
    stopped = _stopped(folder / FAILURES)
    # Of the rows that are there, for the page links to them; an old summary has no such key.
    counted = {**summary, "failures_by_rule": counts_by_stage(stopped)}
    figures = {
        "failure_rate": draw_search(record.steps),
        "funnel": draw_funnel(stopped),
        "words_added": draw_added_words(evolved.added),
        **score_figures(scores),
    }
    files = write_pictures(figures, folder)
    text = page(
        "report.html.j2",
        name=plain["name"],
        started=f"{started:%Y-%m-%d %H:%M} UTC",
        summary=summary,
        record=record,
        search_note="" if stored_record else _OLDER,
        changes=_changes(record),
        overall=_overall(record),
        pictures=embedded_files(files),
        **_overview(folder, counted, plain),
        rows=lineages(folder / EVOLVED, evolved),
        stopped=stopped,
        suspected=suspects_in(folder, summary),
        admissions=admissions(summary.get("judge_fitness") or {}),
        score_sections=score_sections(scores),
        score_note=_score_note(scores, evolved),
        judges=judges(scores),
        config=config,
        again=_again(folder, summary, plain),
    )
    return [write_whole(folder / REPORT, text), *files.values()]


def _again(folder: Path, summary: Mapping[str, Any], config: Mapping[str, Any]) -> str:
    """Return the command that makes the same run: of a search alone, or of the whole."""
    searches = (config.get("optimizer") or {}).get("name", "none") != "none"
    command = "optimize" if searches and not summary.get("rounds") else "run"
    return command_line(command, folder / "config.yaml", "--out", "NEW_FOLDER")


def _overview(
    folder: Path, summary: Mapping[str, Any], config: Mapping[str, Any]
) -> dict[str, Any]:
    """Return what a reader needs first: some rows, what was lost, what to do, where it is."""
    lost_by = losses(summary, config)
    return {
        "folder": str(folder),
        "made_by": _made_by(summary, config),
        "pairs": _pairs(folder),
        "lost": lost_in(folder, first=[loss.rule for loss in lost_by]),
        "losses": lost_by,
        "next_steps": next_steps(summary, folder, config),
        "files": [(name, FILES[name]) for name in FILES if _is_there(folder / name)],
        "terms": TERMS,
    }


def _made_by(summary: Mapping[str, Any], config: Mapping[str, Any]) -> str:
    """Return the model and the methods that made the rows, in words."""
    evolver = (config.get("models") or {}).get("evolver") or {}
    model = evolver.get("model", "") if isinstance(evolver, dict) else str(evolver)
    methods = ", ".join(summary.get("attempts_by_method") or ())
    return " · ".join(filter(None, (str(model), f"by {methods}" if methods else "")))


def _is_there(file: Path) -> bool:
    # The summary is written last, when this page is finished.
    return file.exists() or file.name == SUMMARY


def _pairs(folder: Path) -> list[tuple[Example, list[Piece]]]:
    """Return some rows, with the words marked that their seeds lack."""
    return [
        (
            example,
            mark_new_words(example.before, example.after)
            if example.before
            else [Piece(example.after)],
        )
        for example in examples_in(folder)
    ]


def _config(file: Path) -> tuple[dict[str, Any], str]:
    """Return a run's config as a tree and as text."""
    plain = read_yaml(file)
    if "name" not in plain:
        raise ConfigError(f"{file}: name", "is required")
    return plain, file.read_text("utf-8")


def _stopped(file: Path) -> list[Stopped]:
    try:
        return funnel(read_rows(file))
    except (KeyError, TypeError) as error:
        raise ConfigError(str(file), f"holds a row that no run writes there: {error!r}") from error


def _score_note(scores: StoredScores, evolved: Evolved) -> str:
    """Return a warning if the scores are of other rows than `evolved.jsonl` has."""
    # Round 0 is the seeds, which are not in that file.
    scored = {number: rows for number, rows in rows_by_round(scores).items() if number}
    current = {number: rows for number, rows in evolved.rows.items() if number}
    return _STALE if scores.figures and scored != current else ""


def _changes(record: SearchRecord) -> list[MethodChange]:
    """Return each accepted method with its parent."""
    accepted = [(n, step.accepted) for n, step in enumerate(record.steps, start=1)]
    methods = record.methods
    return [
        _change(f"step {n}", methods[proposal.parent], methods[proposal.measured.method])
        for n, proposal in accepted
        if proposal and proposal.measured
    ]


def _overall(record: SearchRecord) -> MethodChange | None:
    """Return the best method with the initial one; None: there was no search, or no change."""
    if record.start in (None, *record.applied[:1]):
        return None
    return _change("start to end", record.methods[record.start or ""], record.best[0])


def _change(title: str, before: Method, after: Method) -> MethodChange:
    return MethodChange(
        title, before, after, changed_lines(before.instructions, after.instructions)
    )
