"""Rows that people labelled, read and checked."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, get_args

from autoevol.metrics import Case, MethodKind
from autoevol.program.errors import ConfigError
from autoevol.signatures import Method, shipped_methods


@dataclass(frozen=True, slots=True)
class LabelledRow:
    """A case and its reader's labels.

    Attributes:
        case: With its response, where it has one.
        failed: The evolved text or the response failed.
        kinds: Failure kinds of both.
        is_sure: The reader's confidence was not low.
    """

    id: str
    case: Case
    failed: bool
    kinds: tuple[str, ...]
    lang: str
    domain: str
    is_sure: bool

    @property
    def rewrite(self) -> Case:
        """The case as the evolve stage sees it."""
        return replace(self.case, response=None)


def read_labelled(file: Path) -> list[LabelledRow]:
    """Return the rows of a JSONL file.

    Their keys are `id, seed, evolved, response, failed, kinds, response_failed, response_kinds,
    lang`, and optionally `raw, domain, confidence, method` (a shipped one) and `method_kind`.

    Raises:
        ConfigError: Names the file and the line.
    """
    try:
        # Not splitlines(): it would also split at U+2028, which a JSON string may hold.
        lines = file.read_text("utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(str(file), f"cannot be read: {error}") from error
    # The method library is parsed once a file: parsing it for each row took most of the time.
    library = shipped_methods()
    rows = [_row(f"{file}:{n}", line, library) for n, line in enumerate(lines, 1) if line.strip()]
    if not rows:
        raise ConfigError(str(file), "holds no rows")
    return rows


def _row(where: str, line: str, library: Mapping[str, Method]) -> LabelledRow:
    try:
        row = json.loads(line)
        case = _case(row, library)
        failed = bool(row["failed"] or row.get("response_failed"))
    except (json.JSONDecodeError, KeyError, TypeError) as error:
        raise ConfigError(where, f"is no labelled row: {error!r}") from error
    kinds = (*(row.get("kinds") or ()), *(row.get("response_kinds") or ()))
    return LabelledRow(
        id=str(row.get("id", where)),
        case=case,
        failed=failed,
        kinds=kinds,
        lang=str(row.get("lang") or "unknown"),
        domain=str(row.get("domain") or "unknown"),
        is_sure=row.get("confidence") != "low",
    )


def _case(row: dict[str, Any], library: Mapping[str, Method]) -> Case:
    texts = {name: row.get(name) for name in ("evolved", "response")}
    for name, text in (("seed", row["seed"]), *texts.items()):
        if not isinstance(text, str) and (name == "seed" or text is not None):
            raise TypeError(f"{name} must be a text, is {text!r}")
    kind: Any = row.get("method_kind") or "depth"
    if kind not in get_args(MethodKind):
        raise TypeError(f"method_kind must be one of {get_args(MethodKind)}, is {kind!r}")
    method = library.get(row.get("method") or "")
    return Case(
        source=row["seed"],
        evolved=texts["evolved"],
        response=texts["response"],
        raw=str(row.get("raw") or ""),
        method=method.instructions if method else "",
        demonstrations=method.demonstrated if method else "",
        method_kind=kind,
    )
