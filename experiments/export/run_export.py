"""`autoevol export`: the rows of a run that is there, written once more."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from autoevol.experiments.artifacts.resume import stored_config
from autoevol.experiments.config.experiment import (
    ExperimentConfig,
    ExportName,
    ExportRounds,
)
from autoevol.experiments.data.convert import Say
from autoevol.experiments.data.seeds import load_seeds
from autoevol.experiments.export.hub import Upload, check_upload, upload
from autoevol.experiments.export.writers import ExportSelection, export
from autoevol.experiments.files.records import parsed
from autoevol.program.errors import ConfigError


@dataclass(frozen=True, slots=True)
class ExportRequest:
    """What a user asked for.

    Attributes:
        formats: Empty: those of the run's config.
        rounds: `all`, `last`, or numbers with commas; None: as the run's config says.
        with_seeds: Also if the run's config does not say so.
        out: None: `exports` in the run's folder.
        upload: To the hub; None: to nowhere.
    """

    folder: Path
    formats: Sequence[str] = ()
    rounds: str | None = None
    with_seeds: bool = False
    out: Path | None = None
    overwrite: bool = False
    upload: Upload | None = None


def export_run(request: ExportRequest, say: Say) -> None:
    """Write a run's rows in the formats that were asked for, and upload them if that was, too.

    Raises:
        ConfigError: The folder is no run's, nothing is left to export, a file is there already, or
            the hub refuses.
    """
    if not (request.folder / "evolved.jsonl").is_file():
        raise ConfigError(str(request.folder), "is no finished run's folder: no evolved.jsonl")
    config = stored_config(request.folder)
    formats = _formats(request, config)
    selection = _selection(request, config)
    if request.upload:
        check_upload(request.upload)
    if next(selection.rows(Counter()), None) is None:
        raise ConfigError(str(request.folder), "has no row with a response to export")
    if selection.summary is None:
        say(f"{request.folder}: the run is not finished; what is there is exported")
    out = request.out or request.folder / "exports"
    export(selection, formats, out, overwrite=request.overwrite, say=say)
    if request.upload:
        say(upload(request.upload, out / "hf", overwrite=request.overwrite))


def _formats(request: ExportRequest, config: ExperimentConfig) -> list[ExportName]:
    known = get_args(ExportName)
    unknown = [name for name in request.formats if name not in known]
    if unknown:
        raise ConfigError(f"--format {unknown[0]}", f"there are {', '.join(known)}")
    chosen = [*(name for name in known if name in request.formats)] or [*config.output.formats]
    if request.upload and "hf" not in chosen:
        chosen.append("hf")
    if not chosen:
        raise ConfigError("--format", f"name one or more of {', '.join(known)}")
    return chosen


def _selection(request: ExportRequest, config: ExperimentConfig) -> ExportSelection:
    rounds = config.output.rounds if request.rounds is None else _rounds(request.rounds)
    has_seeds = request.with_seeds or config.output.with_seeds
    seeds = load_seeds(config, str(request.folder / "config.yaml")) if has_seeds else ()
    selection = ExportSelection(config, request.folder, _summary(request.folder), rounds, seeds)
    last = max(config.evolve.rounds, selection.last_round)
    if not isinstance(rounds, str) and max(rounds) > last:
        raise ConfigError(f"--rounds {request.rounds}", f"the run's last round is {last}")
    return selection


def _rounds(given: str) -> ExportRounds:
    if given == "all":
        return "all"
    if given == "last":
        return "last"
    numbers = given.split(",")
    if not all(number.strip().isdecimal() and int(number) for number in numbers):
        raise ConfigError(f"--rounds {given}", "must be all, last, or numbers such as 1,2,3")
    return tuple(map(int, numbers))


def _summary(folder: Path) -> dict[str, Any] | None:
    file = folder / "summary.json"
    found: dict[str, Any] | None = (
        parsed(file.read_text("utf-8"), str(file)) if file.is_file() else None
    )
    return found
