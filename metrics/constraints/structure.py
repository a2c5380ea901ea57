"""Constraints on JSON and CSV. A sandbox runs this file's source."""

import json
import re
from typing import Any


def _json(text: str) -> Any:
    """Return the JSON value that the text is, alone or in a block of code; None: it is none."""
    block = re.fullmatch(r"(?s)```(?:json|JSON)?\s*\n(.*?)\n?```", text.strip())
    try:
        return json.loads(block.group(1) if block else text)
    except ValueError:
        return None


def json_keys(response: str, keys: list[str]) -> bool:
    """Return whether the response is one JSON object with these keys and no others."""
    value = _json(response)
    return isinstance(value, dict) and sorted(value) == sorted(keys)


def json_texts(response: str, keys: list[str]) -> bool:
    """Return whether the response is one JSON object with a text for each key, none empty."""
    value = _json(response)
    if not isinstance(value, dict):
        return False
    return all(isinstance(value.get(key), str) and value[key].strip() for key in keys)


def json_items(response: str, count: int) -> bool:
    """Return whether the response is one JSON array with so many items."""
    value = _json(response)
    return isinstance(value, list) and len(value) == count


def csv_columns(response: str, columns: list[str]) -> bool:
    """Return whether the response is CSV without quotes: these columns, then rows as wide."""
    block = re.fullmatch(r"(?s)```(?:csv)?\s*\n(.*?)\n?```", response.strip())
    text = block.group(1) if block else response
    rows = [line.split(",") for line in text.strip().splitlines() if line.strip()]
    if len(rows) < 2 or '"' in text:
        return False
    head = [name.strip() for name in rows[0]]
    return head == columns and all(len(row) == len(columns) for row in rows)
