"""Drawn runs that are disturbed by faults and kill -9, against the same runs undisturbed.

`python -m benchmarks.fuzz --runs 150` prints a table. It exits with 1 if a disturbed run ends with
other files than the undisturbed one, if an account does not hold, if two rows share an id, or if
the ledger holds other calls than the server served. `--first 17 --runs 1 --keep FOLDER` makes run
17 again and leaves its folders if they differ.
"""

import argparse
import shutil
import sys
import tempfile
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from queue import SimpleQueue

from rich.console import Console
from rich.table import Table

from benchmarks.server_process import ServerProcess, serving
from tests.support.fuzz import Finding, fuzz
from tests.support.fuzz_cases import draw_case


def findings(folder: Path, numbers: Iterable[int], workers: int) -> Iterable[Finding]:
    """Run the cases side by side, each worker on a server of its own."""

    def run(number: int) -> Finding:
        server = servers.get()
        try:
            return fuzz(draw_case(number), folder / f"case-{number}", server)
        finally:
            servers.put(server)

    servers: SimpleQueue[ServerProcess] = SimpleQueue()
    with ExitStack() as stack:
        for _ in range(workers):
            servers.put(stack.enter_context(serving()))
        yield from stack.enter_context(ThreadPoolExecutor(workers)).map(run, numbers)


def table(results: list[Finding]) -> Table:
    """Return the totals: runs, kills, faults, calls, violations."""
    drawn = Table("runs", "searches", "kills", "requests", "faults", "calls", "violations")
    drawn.add_row(
        str(len(results)),
        str(sum(finding.is_search for finding in results)),
        str(sum(finding.kills for finding in results)),
        str(sum(finding.requests for finding in results)),
        str(sum(finding.faults for finding in results)),
        str(sum(finding.calls for finding in results)),
        str(sum(bool(finding.problems) for finding in results)),
    )
    return drawn


def main() -> None:
    """Run the cases, name every violation, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=150, help="runs that are disturbed")
    parser.add_argument("--first", type=int, default=0, help="number of the first run")
    parser.add_argument("--workers", type=int, default=2, help="runs side by side")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="takes the runs that differ")
    options = parser.parse_args()
    results = []
    folder = options.keep or Path(tempfile.mkdtemp(prefix="fuzz-"))
    try:
        numbers = range(options.first, options.first + options.runs)
        for finding in findings(folder, numbers, options.workers):
            results.append(finding)
            for problem in finding.problems:
                sys.stderr.write(f"run {finding.number}: {problem}\n")
    finally:
        if options.keep is None:
            shutil.rmtree(folder, ignore_errors=True)
    Console().print(table(results))
    raise SystemExit(any(finding.problems for finding in results))


if __name__ == "__main__":
    main()
