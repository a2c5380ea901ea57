"""A run's entry in LLaMA-Factory's `dataset_info.json`; other entries are kept."""

import json
from pathlib import Path
from typing import Any

from autoevol.experiments.data.formats.dataset_info import COLUMNS
from autoevol.experiments.files.atomic import write_whole
from autoevol.experiments.files.reading import read_json
from autoevol.program.errors import ConfigError


def check_entry(path: Path, name: str, file: str, *, overwrite: bool) -> None:
    """Check that an entry can be added.

    Args:
        path: Of `dataset_info.json`.
        name: Of the run.
        file: Name of the data file in the same folder.
        overwrite: Whether a different entry of the same name may be replaced.

    Raises:
        ConfigError: The file is damaged, or has a different entry of the same name.
    """
    existing = _read(path).get(_entry_name(name))
    if existing not in (None, _entry(file)) and not overwrite:
        raise ConfigError(
            f"{path}: {_entry_name(name)}", "is a different entry; --overwrite replaces it"
        )


def add_entry(path: Path, name: str, file: str) -> None:
    """Write the file with the entry added or replaced."""
    entries = {**_read(path), _entry_name(name): _entry(file)}
    write_whole(path, json.dumps(entries, indent=2, ensure_ascii=False) + "\n")


def _entry_name(name: str) -> str:
    return f"autoevol_{name}"


def _entry(file: str) -> dict[str, Any]:
    return {"file_name": file, "formatting": "alpaca", "columns": COLUMNS}


def _read(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    tree = read_json(path)
    if not isinstance(tree, dict):
        raise ConfigError(str(path), "must be an object, LLaMA-Factory's list of data sets")
    return tree
