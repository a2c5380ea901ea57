"""What the checks of a file's rows say of their responses."""

import asyncio
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autoevol.experiments.data.formats.rows import row_from
from autoevol.experiments.data.formats.source import open_source
from autoevol.experiments.sandbox import SandboxName, open_sandbox
from autoevol.program.checks.check import Check, CheckError, checks_of
from autoevol.program.checks.checking import Finding, findings
from autoevol.program.errors import ConfigError
from autoevol.program.records import Row

_BLOCK = 200  # rows whose checks are in memory at once


@dataclass(frozen=True, slots=True)
class CheckedRow:
    """A row with what its checks say of its response.

    Attributes:
        id: Of the row.
        findings: One for each check; empty where the row has none.
        problem: Why its checks could not be read; "": they could.
    """

    id: str
    findings: tuple[Finding, ...] = ()
    problem: str = ""

    @property
    def strict(self) -> bool | None:
        """Whether all checks are kept; None: a check gave no result, or there is none."""
        return _all([finding.strict for finding in self.findings])

    @property
    def loose(self) -> bool | None:
        """The same of the loose results."""
        return _all([finding.loose for finding in self.findings])

    def as_json(self) -> dict[str, Any]:
        """Return the row as a line of `checks.jsonl`."""
        results = [
            {
                **finding.check.as_json(),
                "strict": finding.strict,
                "loose": finding.loose,
                "problem": finding.problem,
            }
            for finding in self.findings
        ]
        values = {"id": self.id, "strict": self.strict, "loose": self.loose, "checks": results}
        return values | ({"problem": self.problem} if self.problem else {})


def _all(results: Sequence[bool | None]) -> bool | None:
    if not results or any(result is None for result in results):
        return None
    return all(results)


def check_file(file: Path, sandbox: SandboxName, *, say: Callable[[str], None]) -> list[CheckedRow]:
    """Run the checks of a file's rows over their responses.

    Args:
        file: Rows in any format, with a column `checks`: a list of objects, or the same as text.
        sandbox: Never "none": the code is that of the file's author.
        say: Gets a line where a sandbox is left out.

    Raises:
        ConfigError: The file cannot be read, or no row of it has checks.
        SandboxError: There is no sandbox.
    """
    rows = [row_from(row) for row in open_source(file, None).rows]
    if not any(row.meta.get("checks") for row in rows):
        raise ConfigError(str(file), "has no row with checks (a column `checks`)")
    return asyncio.run(_checked(rows, sandbox, say))


async def _checked(
    rows: Sequence[Row], sandbox: SandboxName, say: Callable[[str], None]
) -> list[CheckedRow]:
    checked: list[CheckedRow] = []
    async with open_sandbox(sandbox, say=say) as opened:
        for start in range(0, len(rows), _BLOCK):
            block = [_read(row) for row in rows[start : start + _BLOCK]]
            pairs = [(check, row.response) for row in block for check in row.checks]
            results = await findings(opened, pairs)
            for row in block:
                own, results = results[: len(row.checks)], results[len(row.checks) :]
                checked.append(CheckedRow(row.id, tuple(own), row.problem))
    return checked


@dataclass(frozen=True, slots=True)
class _ReadRow:
    id: str
    response: str
    checks: Sequence[Check] = ()
    problem: str = ""


def _read(row: Row) -> _ReadRow:
    # Of a conversation the checks are about its last answer.
    response = row.answers[-1] if row.answers else row.response
    try:
        return _ReadRow(row.id, response, checks_of(row.meta.get("checks")))
    except CheckError as error:
        return _ReadRow(row.id, response, problem=str(error))


def write_checks(folder: Path, rows: Sequence[CheckedRow], figures: dict[str, Any]) -> None:
    """Write `checks.jsonl`, a line a row, and `checks.json`, the figures."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "checks.jsonl").open("w", encoding="utf-8", errors="backslashreplace") as lines:
        for row in rows:
            lines.write(json.dumps(row.as_json(), ensure_ascii=False) + "\n")
    text = json.dumps(figures, ensure_ascii=False, indent=2) + "\n"
    (folder / "checks.json").write_text(text, encoding="utf-8")
