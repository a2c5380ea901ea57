"""How fast checks run: `python -m benchmarks.sandbox`.

10,000 calls of a verifier in Monty, and as many checks of shipped kinds with all loose forms.
"""

import argparse
import asyncio
import time

from rich.console import Console

from autoevol.experiments.sandbox import SandboxName, open_sandbox
from autoevol.program.checks.check import Check
from autoevol.program.checks.checking import findings
from autoevol.program.sandbox import Call, Limits, Sandbox

_CONSOLE = Console(width=100)
CODE = """
import re
import string

def evaluate(response):
    words = re.findall(r"\\w+", response.lower())
    return len(words) >= 5 and not any(c in string.digits for c in response)
"""
TEXT = "The river is long.\nIt begins in the mountains, and ends in the sea."


def main() -> None:
    """Print seconds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=10_000)
    parser.add_argument("--sandbox", default="monty", choices=["monty", "bwrap"])
    options = parser.parse_args()
    asyncio.run(_measure(options.sandbox, options.calls))


async def _measure(name: SandboxName, calls: int) -> None:
    async with open_sandbox(name) as sandbox:
        _CONSOLE.print(
            f"{name}: {calls:,} calls of one verifier: {await _verifier(sandbox, calls):.2f} s"
        )
        _CONSOLE.print(f"{name}: {calls:,} checks of a kind: {await _kind(sandbox, calls):.2f} s")


async def _verifier(sandbox: Sandbox, calls: int) -> float:
    started = time.perf_counter()
    results = await sandbox.run(CODE, [Call("evaluate", [TEXT])] * calls, Limits(seconds=60.0))
    assert all(result.value is True for result in results)
    return time.perf_counter() - started


async def _kind(sandbox: Sandbox, calls: int) -> float:
    check = Check("sentences_exactly", {"count": 2})
    started = time.perf_counter()
    results = await findings(sandbox, [(check, f"{TEXT} {n}.") for n in range(calls)])
    assert all(result.problem == "" for result in results)
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
