"""Run the command line inside the test's process, and read the files that it writes."""

import contextlib
import io
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autoevol.experiments.cli import app as cli


@dataclass(frozen=True)
class Result:
    """Exit code and what was printed."""

    code: int
    out: str
    err: str


def run_cli(*arguments: str, expected: int | None = None) -> Result:
    """Run `autoevol ARGUMENTS`; without `expected`, any exit code is returned."""
    out, err = io.StringIO(), io.StringIO()
    before, sys.argv = sys.argv, ["autoevol", *arguments]
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            cli.main()
    except SystemExit as stop:
        code = int(stop.code or 0)
    finally:
        sys.argv = before
    assert expected in (None, code), err.getvalue()
    return Result(code, out.getvalue(), err.getvalue())


def summary_of(folder: Path) -> dict[str, Any]:
    """Return the summary in a run's folder."""
    summary: dict[str, Any] = json.loads((folder / "summary.json").read_text("utf-8"))
    return summary


def rows_of(file: Path) -> list[dict[str, Any]]:
    """Return the rows of a JSONL file."""
    # Not by `splitlines`: it also splits at the line separators that a text may hold.
    with file.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]
