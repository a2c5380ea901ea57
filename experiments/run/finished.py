"""Whether a run is finished and its folder whole; what is damaged is made again from the ledger."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from autoevol.experiments.artifacts.bandit import BANDIT, BanditFile
from autoevol.experiments.artifacts.format import rules_of
from autoevol.experiments.artifacts.resume import (
    CONFIG,
    LEDGER,
    format_of,
    is_readable,
    known_run,
    stored_config,
)
from autoevol.experiments.artifacts.row_files import COUNTED, EVOLVED, check_rows
from autoevol.experiments.artifacts.search_record import STEPS, SearchRecord, read_record
from autoevol.experiments.artifacts.summary import SUMMARY, read_summary
from autoevol.experiments.config.experiment import ExperimentConfig
from autoevol.experiments.files.paths import read_text
from autoevol.experiments.files.reading import read_file, read_object
from autoevol.experiments.models.ledger import read_bill
from autoevol.experiments.run.chunks import chunk_bills
from autoevol.experiments.run.planning.plan import Plan
from autoevol.experiments.scores.filtering import FILTERED
from autoevol.experiments.scores.stored import read_stored, stored_rows
from autoevol.program.errors import ConfigError
from autoevol.signatures import Method, from_markdown, to_markdown

Say = Callable[[str], None]
_PICTURE_ENDS = (b"\x89PNG", b"IEND\xaeB`\x82")
_SQLITE, _SQLITE_START = "sqlite:///", b"SQLite format 3\0"


def find_summary(plan: Plan, say: Say) -> dict[str, Any] | None:
    """Return the summary of this very run if nothing is left to do; read only.

    Unscored rows are left to do: the same command tries their calls again. So is a search that was
    skipped and is asked for now, and so are other scores or filters. Of a damaged folder everything
    is: a run makes all of its files again, and finds its calls in the ledger.

    Args:
        plan: Of the run.
        say: Takes a line about what is damaged.

    Raises:
        ConfigError: The ledger that would restore a damaged folder is gone.
    """
    config, folder = plan.config, plan.config.folder
    if known_run(config, plan.content) is None or not (folder / SUMMARY).is_file():
        return None
    try:
        summary = _summary_if_done(config)
    except ConfigError as error:
        _check_ledger(folder, error)
        say(f"{error}: the folder is made again from its ledger")
        return None
    return summary


def _summary_if_done(config: ExperimentConfig) -> dict[str, Any] | None:
    """Return the summary; None: something is left to do.

    Raises:
        ConfigError: A file of the finished run is missing or damaged.
    """
    folder = config.folder
    summary = read_summary(folder)
    if not is_readable(folder / CONFIG):
        raise ConfigError(str(folder / CONFIG), "is missing or no YAML")
    stored = stored_config(folder)
    is_search_due = summary.get("search_skipped") and not config.optimizer.headroom
    is_more_due = (stored.scores, stored.filters) != (config.scores, config.filters)
    targets = [(c.evolve.target, c.evolve.max_candidates) for c in (stored, config)]
    is_more_due = is_more_due or targets[0] != targets[1]
    if summary["rows_unscored"] or is_search_due or is_more_due:
        return None
    _check_files(config, summary)
    return summary


def _check_ledger(folder: Path, error: ConfigError) -> None:
    """Refuse to make a damaged folder again where its calls would have to be paid again."""
    try:
        calls = int(read_summary(folder)["calls"])
    except ConfigError:
        calls = 1  # of a damaged summary one can only tell that there were some
    bills = [read_bill(folder / LEDGER), *chunk_bills(folder)]
    if sum(sums.calls for bill in bills for sums in bill.finished) < calls:
        raise ConfigError(
            error.where,
            f"{error.problem}, and cannot be restored: {LEDGER} is missing or has lost calls; "
            "put the files back, or start anew (--fresh)",
        ) from error


def _check_files(config: ExperimentConfig, summary: Mapping[str, Any]) -> None:
    folder = config.folder
    # Summaries of older versions do not list the files.
    for name in summary.get("files", ()):
        if not (folder / name).is_file():
            raise ConfigError(str(folder / name), "is missing")
    for name in COUNTED:
        check_rows(folder, summary, name)
        for record in read_file(folder / name):
            record.text("id")
    _check_methods(folder, summary)
    if config.evolve.choice == "bandit":
        BanditFile(folder / BANDIT).read()
    if config.filters:
        _check_count(folder / FILTERED, sum(summary["rows_filtered"].values()))
    if config.scores.names:
        _check_scores(folder, config.scores.names)
    _check_pages(folder)
    _check_storage(config.optimizer.storage if summary["steps"] else None)


def _check_methods(folder: Path, summary: Mapping[str, Any]) -> None:
    record = read_record(folder)
    program = read_object(folder / "program.json")
    if not {"signature", "demos"} <= program.keys():
        raise ConfigError(str(folder / "program.json"), "is no saved predictor")
    if record is None:  # an older version made the folder
        _method_in(folder / "methods/best.md")
        return
    if len(record.steps) != summary["steps"]:
        raise ConfigError(str(folder / STEPS), f"does not hold the {summary['steps']} steps")
    for file, method in _recorded(folder, record):
        if _method_in(file).id != _as_written(method).id:
            raise ConfigError(str(file), "is not the method that the run wrote there")


def _recorded(folder: Path, record: SearchRecord) -> Iterator[tuple[Path, Method]]:
    yield folder / "methods/best.md", record.best[0]
    for number, step in enumerate(record.steps, rules_of(format_of(folder)).first_number):
        yield folder / f"methods/step-{number:02d}.md", record.methods[step.best.method]


def _as_written(method: Method) -> Method:
    """Return a method as it comes back from a file, which loses white space at its ends."""
    return from_markdown(to_markdown(method), name=method.name)


def _method_in(file: Path) -> Method:
    try:
        return from_markdown(read_text(file, str(file), newline=""), name=file.stem)
    except ValueError as error:
        raise ConfigError(str(file), f"is no method: {error}") from error


def _check_count(file: Path, least: int) -> None:
    lines = sum(1 for _ in read_file(file))
    if lines < least:
        raise ConfigError(str(file), f"holds {lines} lines, the run wrote {least}")


def _check_scores(folder: Path, names: list[Any]) -> None:
    stored, scored = read_stored(folder), stored_rows(folder)
    missing = next((name for name in names if name not in stored.settings), None)
    if missing:
        raise ConfigError(str(folder / "scores.json"), f"has no score {missing}")
    for record in read_file(folder / EVOLVED):
        if record.value["id"] not in scored:
            raise ConfigError(str(folder / "scores.jsonl"), f"has no row {record.value['id']}")


def _check_pages(folder: Path) -> None:
    """Check the ends of the report and of its pictures, which is where a crash leaves its mark."""
    report = folder / "report.html"
    if report.is_file() and not report.read_bytes().rstrip().endswith(b"</html>"):
        raise ConfigError(str(report), "is cut off")
    for picture in folder.glob("*.png"):
        content = picture.read_bytes()
        if not (content.startswith(_PICTURE_ENDS[0]) and content.endswith(_PICTURE_ENDS[1])):
            raise ConfigError(str(picture), "is no picture")


def _check_storage(url: str | None) -> None:
    """Check that the file of an Optuna storage is there; other storages are left alone."""
    file = Path(url.removeprefix(_SQLITE)) if url and url.startswith(_SQLITE) else None
    if file is None:
        return
    try:
        with file.open("rb") as start:
            is_database = start.read(len(_SQLITE_START)) == _SQLITE_START
    except OSError:
        is_database = False
    if not is_database:
        raise ConfigError(f"optimizer.storage: {file}", "is missing or no database")
