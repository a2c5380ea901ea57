"""The key of a row in `labels.jsonl`, and the texts that it is made of."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from autoevol.experiments.artifacts.labels.file import read_marks

Row = Mapping[str, Any]


def key_of(row: Row) -> str:
    """Return the key of a row: 16 hexadecimal digits made of its id and its texts."""
    texts = [row["id"], row["parent_id"], row["origin"], text_of(row), response_of(row)]
    # A file may hold half of a surrogate pair as an escape.
    text = json.dumps(texts).encode()
    return hashlib.blake2b(text, digest_size=8).hexdigest()


def text_of(row: Mapping[str, Any]) -> str:
    """Return the user's side of a row: its turns, or else its instruction."""
    return "\n\n".join(row.get("turns") or ()) or str(row["instruction"])


def response_of(row: Mapping[str, Any]) -> str:
    """Return the answer to a row, or all answers of a conversation; "": there is none."""
    return "\n\n".join(row.get("answers") or ()) or str(row.get("response") or "")


def rows_marked_bad(folder: Path) -> frozenset[str]:
    """Return the keys of a run's rows that somebody has marked bad.

    Raises:
        ConfigError: `labels.jsonl` cannot be read.
    """
    return frozenset(key for key, mark in read_marks(folder).items() if mark.label == "bad")
