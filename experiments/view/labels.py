"""The lines of `labels.jsonl`: each is a labelled row, as `autoevol metric-check` reads them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from autoevol.experiments.artifacts.labels.file import KINDS, UNSEEN_BY_F, Label
from autoevol.experiments.artifacts.labels.keys import response_of, text_of
from autoevol.experiments.artifacts.search_record import best_alone, read_record
from autoevol.experiments.report.lineages import is_new
from autoevol.experiments.view.rows import Entry, Row
from autoevol.metrics.text.scripts import dominant_script, latin_language
from autoevol.program.errors import ConfigError
from autoevol.signatures import Method, shipped_methods

_OF_SCRIPT = {"hangul": "ko", "kana": "ja", "han": "zh"}


class MarkError(Exception):
    """What was sent is no mark."""


@dataclass(frozen=True, slots=True)
class MarkRequest:
    """What somebody says of a row.

    Attributes:
        key: Of the row.
        label: None takes the mark back.
        kinds: Kinds of failure of a bad row, by the keys of `KINDS`; each may be empty.
    """

    key: str
    label: Label | None
    kinds: Mapping[str, list[str]]


def request_of(tree: Any) -> MarkRequest:
    """Return the mark that the page has sent.

    Raises:
        MarkError: It is none.
    """
    if not isinstance(tree, dict) or not isinstance(tree.get("key"), str):
        raise MarkError("a mark must be an object with the key of a row")
    label = tree.get("label", "")
    if label not in ("good", "bad", None):
        raise MarkError("label must be good, bad or null")
    kinds = {name: _kinds_of(tree, name) for name in KINDS}
    if label != "bad" and any(kinds.values()):
        raise MarkError("only a bad row has kinds of failure")
    return MarkRequest(tree["key"], label, kinds)


def line_of(
    request: MarkRequest, entry: Entry, row: Row, parent: str, folder: Path
) -> Mapping[str, Any]:
    """Return the line for a mark.

    Args:
        request: What is said of the row.
        entry: Of the row.
        row: As the run's file has it: nothing that the page has sent gets into the line but the
            mark itself.
        parent: The text that the row was evolved from; "": it is not in the folder.
        folder: The run's, which holds its methods.
    """
    moment = datetime.now(UTC).isoformat(timespec="milliseconds")
    line = {"key": entry.key, "id": entry.id, "label": request.label, "time": moment}
    if request.label is None:
        return line
    kinds, of_response = request.kinds["kinds"], request.kinds["response_kinds"]
    response_failed = not UNSEEN_BY_F.issuperset(of_response)
    # A bad row without kinds: the rewrite failed, as far as one can tell.
    failed = request.label == "bad" and bool(kinds or not of_response)
    return {
        **line,
        "failed": failed,
        "kinds": kinds,
        "response_failed": response_failed,
        "response_kinds": of_response,
        "status": entry.status,
        "suspected": entry.is_suspected,
        "rules": list(entry.rules),
        "failed_at": row.get("failed_at"),
        "round": entry.round,
        **_texts(row, parent),
        **_method(row, folder),
        "lang": _language(row, parent),
        "source": str(row.get("model_evolve") or "unknown"),
    }


def _kinds_of(tree: Mapping[str, Any], name: str) -> list[str]:
    kinds = tree.get(name) or []
    if not isinstance(kinds, list) or not all(kind in KINDS[name] for kind in kinds):
        raise MarkError(f"{name} must be a list of: {', '.join(KINDS[name])}")
    return list(dict.fromkeys(kinds))


def _texts(row: Row, parent: str) -> dict[str, Any]:
    """Return the texts that F judges; null where a reply could not be parsed or there is none."""
    return {
        "seed": parent,
        "evolved": text_of(row) or None,
        "response": response_of(row) or None,
        "input": str(row.get("input") or ""),
        "raw": str(row.get("raw") or ""),
    }


def _method(row: Row, folder: Path) -> dict[str, Any]:
    """Return the method: its name where it is a shipped one, else its text, which F looks for."""
    name = row["method"] or ""
    shipped, recorded = shipped_methods().get(name), _recorded(folder, name)
    applied = shipped or recorded
    # A row of round 0 is its seed itself, which begins a lineage, too.
    is_breadth = row["round"] > 0 and is_new(row)
    kind = "breadth" if is_breadth else applied.kind if applied else "depth"
    method: dict[str, Any] = {"method_name": name, "method_kind": kind}
    if recorded is None or (shipped and recorded.id == shipped.id):
        return {**method, "method": name if shipped else ""}
    shown = [evolved for _, evolved in recorded.demonstrations]
    return {**method, "method": recorded.instructions, "demonstrations": shown}


def _recorded(folder: Path, name: str) -> Method | None:
    """Return the method of a name that the run's search has recorded; None: there is none."""
    try:
        record = read_record(folder) or best_alone(folder)
    except ConfigError:
        return None
    return next((method for method in record.methods.values() if method.name == name), None)


def _language(row: Row, parent: str) -> str:
    """Return the ISO 639-1 code that the row came with, or that of its texts, or "unknown"."""
    meta = row.get("meta")
    named = meta.get("lang") or meta.get("language") if isinstance(meta, dict) else None
    if isinstance(named, str):
        return named
    text = "\n".join((parent or row["origin"], text_of(row)))
    script = dominant_script(text)
    language = latin_language(text) if script == "latin" else _OF_SCRIPT.get(script or "")
    return language or "unknown"
