"""Writes a run's rows in the formats that trainers read: which rows, and one writer a format."""

import csv
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autoevol.experiments.artifacts.labels.keys import (
    key_of,
    response_of,
    rows_marked_bad,
    text_of,
)
from autoevol.experiments.artifacts.resume import CONFIG, stored_config
from autoevol.experiments.artifacts.row_files import EVOLVED, FAILURES
from autoevol.experiments.config.experiment import ExperimentConfig, ExportName, ExportRounds
from autoevol.experiments.data.convert import Say
from autoevol.experiments.data.formats.catalogue import FORMATS
from autoevol.experiments.data.formats.conversation import is_answered
from autoevol.experiments.data.formats.parquet import as_wide_table
from autoevol.experiments.data.formats.rows import RowDict, read_row
from autoevol.experiments.data.formats.target import write_rows
from autoevol.experiments.data.seeds import load_seeds
from autoevol.experiments.export.card import dataset_card
from autoevol.experiments.export.joonavel_files import FILES, check_traces, write_joonavel
from autoevol.experiments.export.llama_factory import add_entry, check_entry
from autoevol.experiments.files.atomic import refuse_existing, whole_file, whole_folder
from autoevol.experiments.files.reading import read_file
from autoevol.program.errors import ConfigError
from autoevol.program.records import Row

UNANSWERED = "without response"
MARKED_BAD = "marked bad in `autoevol view`"
_OVERWRITE = "--overwrite replaces it"


@dataclass(frozen=True, slots=True)
class ExportSelection:
    """Which rows of a run are exported.

    Attributes:
        config: The run's.
        folder: The run's.
        summary: The run's figures; None if it is not finished.
        rounds: "all", "last" (the last round that has rows), or numbers of rounds.
        seeds: Of the run.
        with_seeds: Export the seeds, before the evolved rows.
        with_bad: Export rows, too, that somebody has marked bad.
    """

    config: ExperimentConfig
    folder: Path
    summary: Mapping[str, Any] | None = None
    rounds: ExportRounds = "all"
    seeds: Sequence[Row] = ()
    with_seeds: bool = False
    with_bad: bool = False

    def rows(self, left_out: Counter[str], *, unanswered: bool = False) -> Iterator[RowDict]:
        """Yield the selected rows that have a response, and count the others by reason.

        The file is read anew each time, so that a large run is not held in memory.

        Args:
            left_out: Counts by reason.
            unanswered: Yield rows without a response, too.
        """
        rounds = self._chosen()
        bad = frozenset[str]() if self.with_bad else rows_marked_bad(self.folder)
        for row, key in self._all():
            reason = MARKED_BAD if key in bad else _reason(row, rounds)
            if reason and not (unanswered and reason == UNANSWERED):
                left_out[reason] += 1
            else:
                yield row

    @property
    def ancestors(self) -> list[RowDict]:
        """All rows that another may come from, those of runs that this one continues included."""
        seeds = [seed.as_dict() for seed in self.seeds]
        return [*earlier_rows(self.config), *seeds, *self._in(EVOLVED)]

    def failures(self) -> Iterator[RowDict]:
        """Yield the rows that failed."""
        return self._in(FAILURES)

    def _chosen(self) -> frozenset[int] | None:
        """Return the rounds to export; None: all."""
        if self.rounds == "all":
            return None
        chosen = [self.last_round] if self.rounds == "last" else self.rounds
        return frozenset(chosen)

    @property
    def last_round(self) -> int:
        """The highest round that has rows; 0 if no round has any."""
        return max((row["round"] for row in self._in(EVOLVED)), default=0)

    def _all(self) -> Iterator[tuple[RowDict, str]]:
        """Yield the rows with their keys in `labels.jsonl`; a seed has none."""
        if self.with_seeds:
            yield from ((seed.as_dict(), "") for seed in self.seeds)
        notes: Counter[str] = Counter()
        for record in read_file(self.folder / EVOLVED):
            yield read_row(record, notes), key_of(record.value)

    def _in(self, name: str) -> Iterator[RowDict]:
        notes: Counter[str] = Counter()
        for record in read_file(self.folder / name):
            yield read_row(record, notes)


def earlier_rows(config: ExperimentConfig) -> list[RowDict]:
    """Return seeds and kept rows of the run whose rows a run continues, and of those before it."""
    folder = Path(config.data.path).parent
    if Path(config.data.path).name != EVOLVED or not (folder / CONFIG).is_file():
        return []
    before = stored_config(folder)
    seeds = load_seeds(before, str(folder / CONFIG))
    notes: Counter[str] = Counter()
    rows = [read_row(record, notes) for record in read_file(folder / EVOLVED)]
    return [*earlier_rows(before), *(seed.as_dict() for seed in seeds), *rows]


def _reason(row: RowDict, rounds: frozenset[int] | None) -> str | None:
    """Return why a row is left out; None if it is exported. Seeds (round 0) are in every choice."""
    if rounds and row["round"] not in {0, *rounds}:
        return "of other rounds"
    if row["filtered_by"]:
        return "filtered"
    return None if is_answered(row) else UNANSWERED


def export_finished(
    config: ExperimentConfig, seeds: Sequence[Row], summary: Mapping[str, Any], say: Say
) -> None:
    """Write the exports of a run's config; earlier exports of the run are replaced."""
    output = config.output
    formats = formats_of(config)
    if formats:
        selection = ExportSelection(
            config, config.folder, summary, output.rounds, seeds, output.with_seeds
        )
        out = config.folder / "exports"
        export(selection, formats, out, overwrite=True, say=say)


def formats_of(config: ExperimentConfig) -> Sequence[ExportName]:
    """Return the formats that a run writes at its end."""
    if config.output.formats is not None:
        return config.output.formats
    return ("messages",) if config.evolve.respond else ()


def export(
    selection: ExportSelection,
    formats: Sequence[ExportName],
    out: Path,
    *,
    overwrite: bool,
    say: Say,
) -> None:
    """Write rows in each of the formats.

    Args:
        selection: The rows.
        formats: Names of formats; each writes a JSONL file, `rows.parquet` or the folder `hf`.
        out: The folder to write to.
        overwrite: Whether existing files may be replaced.
        say: Called with a line about what was written and what was left out.

    Raises:
        ConfigError: A file exists, or `dataset_info.json` is damaged.
    """
    # All checks come before the first file, so that a refused export leaves none behind.
    names = list(dict.fromkeys(formats))
    if not overwrite:
        refuse_existing(*(_target(out, name) for name in names), hint=_OVERWRITE)
    entry = (out / "dataset_info.json", selection.config.name, "llama_factory.jsonl")
    if "llama_factory" in names:
        check_entry(*entry, overwrite=overwrite)
    if any(name.startswith("koevol") for name in names):
        check_traces(selection.ancestors, selection.failures())
    left_out: Counter[str] = Counter()
    for name in names:
        # Every format leaves out the same rows, so they are reported once.
        left_out.clear()
        count = _WRITERS.get(name, _write_file)(selection, name, out, left_out)
        say(f"export {_target(out, name)}: {count} rows{_not_written(name, count)}")
    if "llama_factory" in names:
        add_entry(*entry)
    if left_out:
        reasons = ", ".join(f"{count} {reason}" for reason, count in left_out.items())
        say(f"rows left out of the exports: {reasons}")


def _target(out: Path, name: str) -> Path:
    names = {
        "parquet": "rows.parquet",
        "csv": "rows.csv",
        "hf": "hf",
        **{name: f"{name}.json" for name in FILES},
    }
    return out / names.get(name, f"{name}.jsonl")


def _not_written(name: str, count: int) -> str:
    """Return a note if `hf` was not written: the library cannot load a data set without rows."""
    return ", not written" if name == "hf" and not count else ""


Writer = Callable[[ExportSelection, str, Path, Counter[str]], int]


def _write_file(selection: ExportSelection, name: str, out: Path, left_out: Counter[str]) -> int:
    data_format, rows = FORMATS["rows" if name == "parquet" else name], selection.rows(left_out)
    if name != "parquet" and not selection.config.output.with_ids:
        rows = ({**row, "id": ""} for row in rows)
    return write_rows(_target(out, name), rows, data_format)


def _write_csv(selection: ExportSelection, name: str, out: Path, left_out: Counter[str]) -> int:
    """Write a file for spreadsheets: what each row was, what it became, its answer."""
    count = 0
    with whole_file(_target(out, name)) as file:
        # By the mark at the beginning spreadsheets know that the text is UTF-8.
        file.write("\ufeff")
        table = csv.writer(file)
        table.writerow(("before", "after", "input", "response", "round", "method", "id"))
        for row in selection.rows(left_out):
            texts = (row["origin"] or "", text_of(row), row["input"] or "", response_of(row))
            names = (row["method"] or "", row["id"] if selection.config.output.with_ids else "")
            table.writerow((*map(_cell, texts), row["round"], *map(_cell, names)))
            count += 1
    return count


def _cell(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def _write_hf(selection: ExportSelection, name: str, out: Path, left_out: Counter[str]) -> int:
    """Save a `DatasetDict` with its card; the rows are held in memory."""
    import datasets
    from datasets.table import InMemoryTable

    target = _target(out, name)
    # `whole_folder` deletes what it replaces, so even --overwrite needs an earlier export here.
    if target.exists() and not (target / "dataset_dict.json").is_file():
        raise ConfigError(str(target), "holds files of something else; choose another --out")
    rows = list(selection.rows(left_out))
    if not rows:
        return 0
    datasets.disable_progress_bars()
    # Our own keys keep their types: `from_list` would infer them from the rows.
    train = datasets.Dataset(InMemoryTable(as_wide_table(rows)))
    with whole_folder(target) as partial:
        datasets.DatasetDict({"train": train}).save_to_disk(partial)
        card = dataset_card(selection.config, selection.summary, rows, left_out)
        (partial / "README.md").write_text(card, encoding="utf-8")
    return len(rows)


def _write_joonavel(
    selection: ExportSelection, name: str, out: Path, left_out: Counter[str]
) -> int:
    rows = selection.rows(left_out, unanswered=True)
    return write_joonavel(name, _target(out, name), rows, selection.failures(), selection.ancestors)


_WRITERS: dict[str, Writer] = {
    "csv": _write_csv,
    "hf": _write_hf,
    **dict.fromkeys(FILES, _write_joonavel),
}
