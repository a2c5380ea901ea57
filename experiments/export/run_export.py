"""`autoevol export`: checks a request, and exports the rows of an existing run."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from autoevol.experiments.artifacts.resume import CONFIG, stored_config
from autoevol.experiments.artifacts.row_files import EVOLVED, check_rows
from autoevol.experiments.artifacts.summary import SUMMARY
from autoevol.experiments.config.experiment import (
    ExperimentConfig,
    ExportName,
    ExportRounds,
)
from autoevol.experiments.data.convert import Say
from autoevol.experiments.data.lineage import changed_seed
from autoevol.experiments.data.seeds import load_seeds
from autoevol.experiments.export.hub import Upload, check_upload, upload
from autoevol.experiments.export.joonavel_files import FILES
from autoevol.experiments.export.writers import ExportSelection, export
from autoevol.experiments.files.reading import read_object, read_rows
from autoevol.program.errors import ConfigError
from autoevol.program.records import Row


@dataclass(frozen=True, slots=True)
class ExportRequest:
    """The user's request.

    Attributes:
        folder: The run's.
        formats: Empty: those of the run's config.
        rounds: `all`, `last`, or numbers with commas; None: as in the run's config.
        with_seeds: Whether to export the seeds; None: as in the run's config.
        out: None: `exports` in the run's folder.
        with_bad: Whether to export rows that somebody has marked bad.
        overwrite: Replace existing files.
        upload: Target on the hub; None: no upload.
    """

    folder: Path
    formats: Sequence[str] = ()
    rounds: str | None = None
    with_seeds: bool | None = None
    with_bad: bool = False
    out: Path | None = None
    overwrite: bool = False
    upload: Upload | None = None


def export_run(request: ExportRequest, say: Say) -> None:
    """Write a run's rows in the requested formats, and upload them if requested.

    Raises:
        ConfigError: The folder is not a run's, has lost rows, or no row can be exported, a file
            exists, or the hub refuses.
    """
    if not (request.folder / EVOLVED).is_file():
        raise ConfigError(str(request.folder), f"is not a run's folder: it has no {EVOLVED}")
    config = stored_config(request.folder)
    formats = _formats(request, config)
    selection = _selection(request, config)
    if selection.summary is not None:
        check_rows(request.folder, selection.summary)
    if request.upload:
        check_upload(request.upload)
    # A run without kept rows writes empty files at its end; asked for by hand, they are a mistake.
    if next(selection.rows(Counter()), None) is None:
        raise ConfigError(str(request.folder), "has no row with a response to export")
    if selection.summary is None:
        say(f"{request.folder}: the run is not finished; its rows so far are exported")
    out = request.out or request.folder / "exports"
    export(selection, formats, out, overwrite=request.overwrite, say=say)
    if request.upload:
        say(upload(request.upload, out / "hf", overwrite=request.overwrite))


def run_selection(folder: Path) -> ExportSelection:
    """Return the rows that a run's own config exports.

    Raises:
        ConfigError: The folder is no run's, or its seeds cannot be read again.
    """
    return _selection(ExportRequest(folder, ("messages",)), stored_config(folder))


def _formats(request: ExportRequest, config: ExperimentConfig) -> list[ExportName]:
    names = get_args(ExportName)
    unknown = [name for name in request.formats if name not in names]
    if unknown:
        raise ConfigError(f"--format {unknown[0]}", f"must be one of {', '.join(names)}")
    chosen = [*(name for name in names if name in request.formats)] or [
        *(config.output.formats or ())
    ]
    # The hub gets the folder that `hf` writes.
    if request.upload and "hf" not in chosen:
        chosen.append("hf")
    if not chosen:
        raise ConfigError("--format", f"name one or more of {', '.join(names)}")
    return chosen


def _selection(request: ExportRequest, config: ExperimentConfig) -> ExportSelection:
    rounds = config.output.rounds if request.rounds is None else _rounds(request.rounds)
    with_seeds = request.with_seeds
    if with_seeds is None:
        with_seeds = config.output.with_seeds
    needs_seeds = with_seeds or bool({*FILES} & {*_formats(request, config)})
    seeds = _seeds(config, request.folder) if needs_seeds else ()
    selection = ExportSelection(
        config,
        request.folder,
        _summary(request.folder),
        rounds,
        seeds,
        with_seeds,
        request.with_bad,
    )
    last = max(config.last_round, selection.last_round)
    if not isinstance(rounds, str) and max(rounds) > last:
        raise ConfigError(f"--rounds {request.rounds}", f"the run's last round is {last}")
    return selection


def _seeds(config: ExperimentConfig, folder: Path) -> Sequence[Row]:
    """Return the run's seeds.

    Raises:
        ConfigError: They are gone, or others lie in their place.
    """
    where = str(folder / CONFIG)
    seeds = load_seeds(config, where)
    rows = read_rows(folder / EVOLVED)
    changed = changed_seed(seeds, ((row["seed_id"], row.get("origin") or "") for row in rows))
    if changed is not None:
        raise ConfigError(
            f"{where}: data.path",
            f"{config.data.path} is not what the run read: seed {changed!r} has another text; "
            "export from the folder where the run was made",
        )
    return seeds


def _rounds(option: str) -> ExportRounds:
    if option == "all":
        return "all"
    if option == "last":
        return "last"
    numbers = option.split(",")
    # Round 0 is refused: seeds are chosen by their own option.
    if not all(number.strip().isdecimal() and int(number) for number in numbers):
        raise ConfigError(f"--rounds {option}", "must be all, last, or numbers such as 1,2,3")
    return tuple(map(int, numbers))


def _summary(folder: Path) -> dict[str, Any] | None:
    # As far as it goes: a summary of an older version is still one.
    return read_object(folder / SUMMARY) if (folder / SUMMARY).is_file() else None
