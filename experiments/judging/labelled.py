"""Rows that people labelled, read and checked."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, get_args

from autoevol.experiments.files.reading import line_items, strict
from autoevol.experiments.files.records import Item, Record
from autoevol.metrics import Case, MethodKind
from autoevol.program.errors import ConfigError
from autoevol.signatures import Method, shipped_methods

LABELS = ("good", "bad", None)
"""What a mark in a run's `labels.jsonl` says of its row; None: it was taken back."""


@dataclass(frozen=True, slots=True)
class LabelledRow:
    """A case and its reader's labels.

    Attributes:
        case: With its response, where it has one.
        failed: The evolved text or the response failed.
        kinds: Failure kinds of both.
        is_sure: The reader's confidence was not low.
        source: Who or what made the rewrite, as the file names it.
    """

    id: str
    case: Case
    failed: bool
    kinds: tuple[str, ...]
    lang: str
    domain: str
    is_sure: bool
    source: str = "unknown"

    @property
    def rewrite(self) -> Case:
        """The case as the evolve stage sees it."""
        return replace(self.case, response=None)


def read_labelled(file: Path) -> list[LabelledRow]:
    """Return the rows of a JSONL file: of labelled rows, or the `labels.jsonl` of a run.

    Their keys are `id, seed, evolved, response, failed, kinds, response_failed, response_kinds,
    lang`, and optionally `input, raw, domain, confidence, source, kind` (of the method: depth,
    breadth, down; also as `method_kind`), `method` (a shipped one's name, or its text) and
    `demonstrations` (a text, or a list of evolved texts). Of a run's marks the last one of each row
    counts; rows whose mark was taken back are left out.

    Raises:
        ConfigError: Names the file and the line.
    """
    # The method library is parsed once a file: parsing it for each row took most of the time.
    library = shipped_methods()
    rows = [_row(record, library) for record in _records(file)]
    if not rows:
        raise ConfigError(str(file), "holds no rows")
    return rows


def _records(file: Path) -> Iterable[Record]:
    """Return the records of a file; of the marks of a run, those that count."""
    items = list(line_items(file))
    if not any(map(_is_mark, items)):
        return strict(iter(items))
    # A line that makes no record was torn by a crash: it says nothing.
    records = [item for item in items if isinstance(item, Record)]
    latest = {str(mark.value["key"]): mark for mark in filter(_is_mark, records)}
    others = [record for record in records if not _is_mark(record)]
    return [*others, *(mark for mark in latest.values() if mark.value["label"])]


def _is_mark(item: Item) -> bool:
    value = item.value
    is_of_row = isinstance(value, dict) and isinstance(value.get("key"), str)
    return is_of_row and value.get("label", "") in LABELS


def _row(record: Record, library: Mapping[str, Method]) -> LabelledRow:
    row = record.value
    if "failed" not in row:
        keys = ", ".join(row) or "none"
        raise ConfigError(record.place, f"has no key 'failed', the label; its keys are {keys}")
    return LabelledRow(
        id=record.name("id") or record.place,
        case=_case(record, library),
        failed=bool(row["failed"] or row.get("response_failed")),
        kinds=(*record.texts("kinds"), *record.texts("response_kinds")),
        lang=record.optional_text("lang") or "unknown",
        domain=record.optional_text("domain") or "unknown",
        is_sure=row.get("confidence") != "low",
        source=record.optional_text("source") or "unknown",
    )


def _case(record: Record, library: Mapping[str, Method]) -> Case:
    key = "method_kind" if record.value.get("method_kind") else "kind"
    kind: Any = record.optional_text(key) or "depth"
    if kind not in get_args(MethodKind):
        raise record.error(key, f"must be one of {get_args(MethodKind)}, is {kind!r}")
    text = record.optional_text("method")
    method = library.get(text)
    return Case(
        # The text that a run's row was evolved from may lie in the folder of an earlier run.
        source=record.optional_text("seed") if _is_mark(record) else record.text("seed"),
        evolved=_text_or_none(record, "evolved"),
        response=_text_or_none(record, "response"),
        raw=record.optional_text("raw"),
        method=method.instructions if method else text,
        demonstrations=_demonstrations(record) or (method.demonstrated if method else ""),
        method_kind=kind,
        input=record.optional_text("input"),
    )


def _demonstrations(record: Record) -> str:
    if isinstance(record.value.get("demonstrations"), list):
        return "\n\n".join(record.texts("demonstrations"))
    return record.optional_text("demonstrations")


def _text_or_none(record: Record, key: str) -> str | None:
    # Null says that there is none; an empty text is a failure.
    return None if record.value.get(key) is None else record.optional_text(key)
