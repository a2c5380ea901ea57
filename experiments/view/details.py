"""What the page shows of rows, as plain data: it makes text of it, never markup."""

from collections.abc import Mapping
from typing import Any

from autoevol.experiments.artifacts.funnel import meaning_of
from autoevol.experiments.artifacts.labels.file import Mark
from autoevol.experiments.artifacts.labels.keys import response_of, text_of
from autoevol.experiments.report.lineages import RowHistory, history_of
from autoevol.experiments.report.word_diff import mark_new_words
from autoevol.experiments.view.rows import Entry, Row, RowIndex, reasons_of

_SNIPPET = 140


def line_in_list(entry: Entry, row: Row | None, mark: Mark | None) -> dict[str, Any]:
    """Return what the list shows of a row; None: its file has just been made anew."""
    text = (text_of(row) or _text(row, "raw")) if row else ""
    return {
        **_head(entry),
        "text": " ".join(text[: 4 * _SNIPPET].split())[:_SNIPPET],
        **said_of(mark),
    }


def details_of(index: RowIndex, entry: Entry, mark: Mark | None) -> dict[str, Any]:
    """Return all that is shown of a row.

    Raises:
        RowGoneError: The row, or one of its ancestors, is no longer in the files.
    """
    row = index.read(entry)
    history = history_of([*index.ancestors(row), row])
    return {
        **_head(entry),
        **said_of(mark),
        "reasons": [_reason(reason) for reason in reasons_of(row)],
        "failed_at": row.get("failed_at"),
        "stages": _stages(history, index.parent_text(row)),
        "note": history.note,
        "remarks": _remarks(row),
        "response": response_of(row),
        "model": _text(row, "model_evolve"),
        "responder": _text(row, "model_respond"),
        **{key: _text(row, key) for key in ("input", "system", "raw")},
    }


def said_of(mark: Mark | None) -> dict[str, Any]:
    """Return a row's mark as the page takes it."""
    if mark is None or mark.label is None:
        return {"label": None, "kinds": [], "response_kinds": []}
    return {"label": mark.label, **mark.kinds}


def _head(entry: Entry) -> dict[str, Any]:
    return {
        "key": entry.key,
        "id": entry.id,
        "status": entry.status,
        "suspected": entry.is_suspected,
        "rules": list(entry.rules),
        "round": entry.round,
        "method": entry.method,
    }


def _reason(reason: Mapping[str, str]) -> dict[str, str]:
    rule, evidence = reason["rule"], reason["evidence"]
    return {"rule": rule, "evidence": evidence, "meaning": meaning_of(rule)}


def _stages(history: RowHistory, parent: str) -> list[dict[str, Any]]:
    """Return the row's texts from the seed on, the words marked that each stage added."""
    stages = [
        {
            "round": stage.round,
            "method": stage.method or "",
            "pieces": [[piece.text, piece.is_new] for piece in stage.pieces],
        }
        for stage in history.stages
    ]
    # A row that begins a lineage of its own is shown under the text that inspired it.
    if len(stages) == 1 and parent:
        text = "".join(piece.text for piece in history.stages[0].pieces)
        pieces = [[piece.text, piece.is_new] for piece in mark_new_words(parent, text)]
        stages = [
            {"round": 0, "method": "", "pieces": [[parent, False]]},
            {**stages[0], "pieces": pieces},
        ]
    return stages


def _text(row: Row, key: str) -> str:
    return str(row.get(key) or "")


def _remarks(row: Row) -> list[str]:
    """Return what else the run says of the row, a sentence each."""
    remarks = []
    if row.get("filtered_by"):
        remarks.append(f"removed from exports by the filter {row['filtered_by']}")
    if row.get("unknown"):
        remarks.append(f"nobody could tell whether it teaches: {row['unknown']}")
    return remarks
