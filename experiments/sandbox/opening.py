"""A sandbox by its name in a config, checked before its first use."""

import os
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Literal

from autoevol.experiments.sandbox import bubblewrap
from autoevol.experiments.sandbox.errors import SandboxError
from autoevol.experiments.sandbox.monty import MontySandbox
from autoevol.experiments.sandbox.probe import Probed, check
from autoevol.experiments.sandbox.process import Command, ProcessSandbox, interpreter
from autoevol.program.sandbox import DEFAULT_LIMITS, Call, CallResult, Limits, Sandbox

SandboxName = Literal["auto", "monty", "bwrap", "none"]
_MONTY = "install Monty (`pip install 'autoevol[verify]'`)"
ALLOW = "--allow-unsandboxed"


class SandboxChain:
    """Runs code in the first sandbox, and in the next one what the first does not support.

    Args:
        sandboxes: At least one.
    """

    def __init__(self, sandboxes: Sequence[Sandbox]) -> None:
        self._sandboxes = sandboxes

    async def run(
        self, code: str, calls: Sequence[Call], limits: Limits = DEFAULT_LIMITS
    ) -> list[CallResult]:
        """See `Sandbox`. All calls are made in one sandbox: they may share variables."""
        results: list[CallResult] = []
        for sandbox in self._sandboxes:
            results = await sandbox.run(code, calls, limits)
            if all(result.ending != "unsupported" for result in results):
                break
        return results


@asynccontextmanager
async def open_sandbox(
    name: SandboxName,
    *,
    allow_unsandboxed: bool = False,
    processes: int | None = None,
    say: Callable[[str], None] = lambda line: None,
) -> AsyncIterator[Sandbox]:
    """Open a sandbox that has been seen to refuse what it must.

    Args:
        name: "auto" is Monty, and bubblewrap for what Monty does not support, where it is there.
        allow_unsandboxed: The user allows code to run with limits alone.
        processes: At work at the same time; None: as many as there are cores.
        say: Gets a line where "auto" leaves a sandbox out.

    Raises:
        SandboxError: It is not there or does not confine, or nobody allowed to do without.
    """
    count = processes or os.cpu_count() or 1
    sandboxes = await _checked(name, count, say) if name != "none" else []
    if name == "none":
        sandboxes = [_unsandboxed(count, allow_unsandboxed)]
    try:
        yield SandboxChain(sandboxes)
    finally:
        for sandbox in sandboxes:
            sandbox.close()


def _unsandboxed(processes: int, is_allowed: bool) -> ProcessSandbox:
    if not is_allowed:
        raise SandboxError(f"none runs code of models unconfined; allow it with {ALLOW}")
    return ProcessSandbox("none", Command((), interpreter(), False), processes)


async def _checked(name: str, processes: int, say: Callable[[str], None]) -> list[Probed]:
    sandboxes: list[Probed] = []
    reasons = []
    for part in ("monty", "bwrap") if name == "auto" else (name,):
        try:
            sandboxes.append(await _checked_one(part, processes))
        except SandboxError as error:
            reasons.append(error.problem)
    if not sandboxes:
        raise SandboxError("none is there: " + "; ".join(reasons))
    for reason in reasons:
        say(f"sandbox: one is left out: {reason}")
    return sandboxes


async def _checked_one(name: str, processes: int) -> Probed:
    sandbox = _MAKERS[name](processes)
    try:
        await check(sandbox)
    except SandboxError:
        sandbox.close()
        raise
    return sandbox


def _monty(processes: int) -> Probed:
    try:
        return MontySandbox(processes)
    except (ImportError, OSError) as error:
        raise SandboxError(f"monty is not there ({error}): {_MONTY}") from error


_MAKERS: dict[str, Callable[[int], Probed]] = {
    "monty": _monty,
    "bwrap": bubblewrap.bubblewrap_sandbox,
}
