"""LLaMA-Factory's `dataset_info.json`: which columns and tags the files beside it have.

Source: LLaMA-Factory, `data/README.md`, whose defaults for columns and tags are repeated here.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from autoevol.experiments.data.formats.catalogue import FORMATS, Format
from autoevol.experiments.data.formats.columns import renamed
from autoevol.experiments.files.data_sets import DATASET_INFO
from autoevol.experiments.files.reading import read_json
from autoevol.experiments.files.records import Record
from autoevol.program.errors import ConfigError

COLUMNS = {
    "prompt": "instruction",
    "query": "input",
    "response": "output",
    "system": "system",
    "history": "history",
}
"""Their names of an Alpaca record's keys."""

_ROLES = {
    "user_tag": "human",
    "assistant_tag": "gpt",
    "observation_tag": "observation",
    "function_tag": "function_call",
    "system_tag": "system",
}
"""Their names of roles, and what a role is called where no tag is set."""

Spell = Callable[[Record], Record]


def described_in(file: Path) -> tuple[Format, Spell] | None:
    """Return the format of a file by the list beside it, and what gives records its keys.

    None: there is no list, or it does not name the file.

    Raises:
        ConfigError: The list is damaged.
    """
    info = file.parent / DATASET_INFO
    if not info.is_file():
        return None
    entries = read_json(info)
    entry = _entry_of(entries, file.name) if isinstance(entries, dict) else None
    if entry is None:
        return None
    columns, tags = (_texts(entry, key, f"{info}") for key in ("columns", "tags"))
    if entry.get("formatting") == "sharegpt":
        return FORMATS["sharegpt"], lambda record: _talk(record, columns, tags)
    names = {columns[theirs]: ours for theirs, ours in COLUMNS.items() if theirs in columns}
    return FORMATS["llama_factory"], lambda record: replace(
        record, value={"output": None, **renamed(record.value, names)}
    )


def _entry_of(entries: Mapping[str, Any], name: str) -> dict[str, Any] | None:
    named = (entry for entry in entries.values() if isinstance(entry, dict))
    return next((entry for entry in named if entry.get("file_name") == name), None)


def _texts(entry: Mapping[str, Any], key: str, info: str) -> dict[str, str]:
    values = entry.get(key) or {}
    if not isinstance(values, dict) or not all(isinstance(v, str) for v in values.values()):
        raise ConfigError(f"{info}: {entry['file_name']}.{key}", "must be names by their use")
    return values


def _talk(record: Record, columns: Mapping[str, str], tags: Mapping[str, str]) -> Record:
    """Return a record with the keys and roles of ShareGPT."""
    names = {
        columns.get("messages", "conversations"): "conversations",
        columns.get("system", "system"): "system",
    }
    keys = {tags.get("role_tag", "from"): "from", tags.get("content_tag", "value"): "value"}
    roles = {tags.get(tag, role): role for tag, role in _ROLES.items()}
    value = renamed(record.value, names)
    messages = value.get("conversations")
    if isinstance(messages, list):
        value["conversations"] = [_message(message, keys, roles) for message in messages]
    return replace(record, value=value)


def _message(message: Any, keys: Mapping[str, str], roles: Mapping[str, str]) -> Any:
    if not isinstance(message, dict):
        return message
    spelt = renamed(message, keys)
    role = spelt.get("from")
    return {**spelt, "from": roles.get(role, role)} if isinstance(role, str) else spelt
