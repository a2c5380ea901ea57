"""Names that MLflow takes: one function for metrics, params, tags and prompts."""

import hashlib
import re
from collections.abc import Mapping
from typing import TypeVar

Value = TypeVar("Value")

_LONGEST = 250  # characters of a key; MLflow refuses a longer one
# MLflow allows `/` and `:` in keys, too. But it reads a key as a path, of which it refuses many
# forms, and a colon is refused on Windows. So only `safe_metrics` lets a `/` through.
_REFUSED = re.compile(r"[^\w.\- ]+")
_REFUSED_IN_PROMPTS = re.compile(r"[^A-Za-z0-9._-]+")


def safe_name(name: str, *, is_prompt: bool = False) -> str:
    """Return a name that MLflow takes: what it refuses becomes a dash.

    Args:
        name: Of a metric, param or tag, or of a prompt.
        is_prompt: Prompts take fewer characters: letters, digits and `._-`.
    """
    text = (_REFUSED_IN_PROMPTS if is_prompt else _REFUSED).sub("-", name)
    if text.startswith("..") or not any(map(str.isalnum, text)):
        return f"name-{_digest(name)}"
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 9]}-{_digest(name)}"


def safe_names(values: Mapping[str, Value]) -> dict[str, Value]:
    """Return the values under names that MLflow takes; names that would coincide stay apart."""
    safe: dict[str, Value] = {}
    for name, value in values.items():
        key = safe_name(name)
        safe[f"{key[: _LONGEST - 9]}-{_digest(name)}" if key in safe else key] = value
    return safe


def safe_metrics(values: Mapping[str, Value]) -> dict[str, Value]:
    """Return the values under names of metrics that MLflow takes: the first `/` ends a section."""
    safe: dict[str, Value] = {}
    for name, value in values.items():
        section, slash, rest = name.partition("/")
        key = f"{safe_name(section)}/{safe_name(rest)}" if slash else safe_name(name)
        is_taken = key in safe or len(key) > _LONGEST
        safe[f"{key[: _LONGEST - 9]}-{_digest(name)}" if is_taken else key] = value
    return safe


def prompt_name(run_name: str) -> str:
    """Return the name under which the Prompt Registry keeps a run's best method."""
    slug = safe_name(run_name, is_prompt=True)
    return f"autoevol-{slug}"[:_LONGEST]


def _digest(name: str) -> str:
    return hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:8]
