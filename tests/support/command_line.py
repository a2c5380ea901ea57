"""Run the command line inside the test's process."""

import contextlib
import io
import sys
from dataclasses import dataclass

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
