"""The files of a data set: a file, a folder or a pattern of files, or a data set of the hub."""

import glob
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from autoevol.experiments.files.json_records import numbered_items
from autoevol.experiments.files.paths import local_path, regular_file
from autoevol.experiments.files.reading import SPREADSHEETS, SUFFIXES, DataFile, open_file, strict
from autoevol.experiments.files.records import Item, Record
from autoevol.program.errors import ConfigError

DATASET_INFO = "dataset_info.json"
"""LLaMA-Factory's list of data sets, no data itself; also a name of files of `datasets`."""

_OF_A_RUN = ("evolved.jsonl", "run.json")
"""Files by which a folder is a run's; the first one has its rows."""

_LEVELS = 3
"""Folders above a run's in which it may have been started."""

_SAVED = ("dataset_dict.json", "state.json")
"""What `datasets` writes into a folder that it saves."""


@dataclass(frozen=True, slots=True)
class Location:
    """A data set, as a command or a config names it.

    Attributes:
        path: A file, a folder or a pattern of files, or the name of a data set of the hub.
        where: The option, or the config's file and key, for messages.
        beside: Folder that a relative path may start from, after the working folder.
        split: Of a data set of the hub, or of one that `datasets` saved.
        subset: Configuration of a data set of the hub.
    """

    path: str
    where: str
    beside: Path = Path()
    split: str = "train"
    subset: str | None = None


def open_files(location: Location) -> list[DataFile]:
    """Open the files of a data set, in the order of their names; each is read when it is its turn.

    Raises:
        ConfigError: Names the key, or the file.
    """
    files = _matching(location)
    if not files:
        local = existing_path(location.path, location.where, beside=location.beside)
        if local is None:
            return [DataFile(Path(location.path), ("from the hub",), _from_hub(location))]
        if any((local / name).is_file() for name in _SAVED):
            return [DataFile(local, (), _saved(local, location))]
        files = _files_in(local, location.where) if local.is_dir() else [local]
    if not files or any(file.suffix.lower() not in SUFFIXES for file in files):
        if any(file.suffix.lower() in SPREADSHEETS for file in files):
            open_file(files[0])  # its message says what to do
        kinds = ", ".join(SUFFIXES)
        raise ConfigError(location.where, f"{location.path} is no file or folder of {kinds}")
    for file in files:
        regular_file(file, str(file))
    opened = [open_file(file) for file in files]
    left_out = _left_out(Path(location.path), files)
    if left_out:
        opened[0] = replace(opened[0], traits=(*opened[0].traits, left_out))
    return opened


def _left_out(folder: Path, files: Sequence[Path]) -> str:
    """Return a note on what else a folder holds; "": nothing, or it is a file."""
    if not folder.is_dir() or rows_file(folder) != folder:
        return ""
    names = {path.name for path in folder.iterdir() if not path.name.startswith(".")}
    others = sorted(names - {file.name for file in files} - {DATASET_INFO})
    more = f" and {len(others) - 3} more" if len(others) > 3 else ""
    return f"not read: {', '.join(others[:3])}{more}" if others else ""


def read_records(location: Location) -> Iterator[Record]:
    """Return the records of a data set.

    Raises:
        ConfigError: Names the file, and the row where there is one.
    """
    # This function is no generator: a wrong path is an error now, not when the first row is read.
    files = open_files(location)
    return (record for file in files for record in strict(file.items))


def existing_path(name: str, where: str, *, beside: Path = Path()) -> Path | None:
    """Return the local path; None if the name can only be a data set's.

    Raises:
        ConfigError: There is no such file, and no data set can have that name.
    """
    path = local_path(name, where)
    for candidate in (path, local_path(beside / path, where)):
        if candidate.exists():
            return candidate
    # On the hub a name is OWNER/NAME; anything else is a mistyped path, and no download is tried.
    if path.suffix or path.is_absolute() or name.count("/") != 1 or name.startswith("."):
        raise ConfigError(where, f"no such file or folder: {name[:200]}")
    return None


def found_path(name: str, beside: Path) -> str:
    """Return a data set's path from the working folder, where it lies beside something else.

    A run's config names its data from where the run was started, a folder or two above the run's.
    """
    if Path(name).is_absolute() or _exists(Path(name)):
        return name
    is_run = (beside / _OF_A_RUN[1]).is_file()
    above = beside.absolute().parents[:_LEVELS] if is_run else ()
    places = (folder / name for folder in (beside, *above))
    return next((str(place) for place in places if _exists(place)), name)


def _exists(path: Path) -> bool:
    try:
        return path.exists() or (glob.has_magic(str(path)) and bool(_glob(Path(), path)))
    except (OSError, ValueError):
        return False  # the reader says what is wrong with it


def _matching(location: Location) -> list[Path]:
    """Return the files that a pattern stands for; none where the path is no pattern."""
    if not glob.has_magic(location.path):
        return []
    path = local_path(location.path, location.where)
    if path.exists():  # a name may hold a bracket
        return []
    files = _glob(Path(), path) or _glob(location.beside, path)
    if not files:
        raise ConfigError(location.where, f"no file matches {location.path[:200]}")
    return sorted(file for file in files if file.name != DATASET_INFO)


def _glob(base: Path, pattern: Path) -> list[Path]:
    if pattern.is_absolute():
        base, pattern = Path(pattern.anchor), pattern.relative_to(pattern.anchor)
    return list(base.glob(str(pattern)))


def rows_file(path: Path) -> Path:
    """Return the file of kept rows in a run's folder; any other path is returned as it is."""
    is_run = all((path / name).is_file() for name in _OF_A_RUN)
    return path / _OF_A_RUN[0] if is_run else path


def _files_in(folder: Path, where: str) -> list[Path]:
    if rows_file(folder) != folder:
        return [rows_file(folder)]
    try:
        files = [*folder.iterdir()]
    except OSError as error:
        raise ConfigError(where, f"{folder} cannot be read: {error.strerror}") from error
    # Sorted, since rows without an id are numbered in this order; iterdir promises none.
    return sorted(f for f in files if f.suffix.lower() in SUFFIXES and f.name != DATASET_INFO)


def _saved(folder: Path, location: Location) -> Iterator[Item]:
    """Yield the records of a data set that `datasets` saved, such as our export `hf`."""
    import datasets

    saved = datasets.load_from_disk(str(folder))
    if isinstance(saved, datasets.DatasetDict):
        if location.split not in saved:
            names = ", ".join(map(str, saved))
            raise ConfigError(
                location.where, f"{folder} has no split {location.split!r}; it has {names}"
            )
        saved = saved[location.split]
    return numbered_items(folder, saved)


def _from_hub(location: Location) -> Iterator[Item]:
    return numbered_items(location.path, _download(location))


def _download(location: Location) -> Any:
    import datasets

    name, where = location.path, location.where
    try:
        return datasets.load_dataset(name, location.subset, split=location.split)
    except datasets.exceptions.DatasetGenerationError as error:
        # Its own text is general; the cause says what is wrong.
        cause = " ".join(str(error.__cause__ or error).split())[:200]
        raise ConfigError(where, f"{name} on the hub cannot be read as a table: {cause}") from error
    except (OSError, ValueError, datasets.exceptions.DatasetsError) as error:
        reason = " ".join(str(error).split())[:200]
        raise ConfigError(
            where, f"no file {name}, and no data set of that name on the hub: {reason}"
        ) from error
