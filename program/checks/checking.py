"""Checks run over responses in a sandbox: what each response keeps, strictly and loosely."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from autoevol.metrics.verification.loose import loose_forms
from autoevol.program.blocks import together
from autoevol.program.checks.check import CODE, FUNCTION, Check
from autoevol.program.sandbox import DEFAULT_LIMITS, Call, CallResult, Limits, Sandbox

_TOGETHER = 100  # calls of one program in one run of the sandbox
_ENDED = frozenset({"timeout", "memory", "output", "crash"})
"""After such an end a run makes no further call."""

_MOST_USED_UP = 2
"""Calls in which a program may use up a limit before it is given up."""

_SHARED = _ENDED | {"unsupported"}
"""Ends that may be another row's doing, where rows share a run."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check says of a response.

    Attributes:
        check: The check.
        strict: Whether the response keeps the constraint; None: the check gave no bool.
        loose: Whether one of its forms keeps it; None as for `strict`. See `loose_forms`.
        problem: Why there is no bool; "" where there is one.
    """

    check: Check
    strict: bool | None
    loose: bool | None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class _Job:
    """The calls of one check on one response: the response first, then its other forms."""

    check: Check
    calls: Sequence[Call]


@dataclass(frozen=True, slots=True)
class Checker:
    """Runs checks in a sandbox.

    Attributes:
        sandbox: Open as long as the checker is used.
    """

    sandbox: Sandbox

    async def findings(self, checks: Sequence[Check], response: str) -> list[Finding]:
        """Return what the checks say of one response."""
        return await findings(self.sandbox, [(check, response) for check in checks])


async def findings(
    sandbox: Sandbox,
    pairs: Sequence[tuple[Check, str]],
    limits: Limits = DEFAULT_LIMITS,
) -> list[Finding]:
    """Return what checks say of responses.

    Calls of shipped kinds share runs of the sandbox; a call that uses up a limit is made again on
    its own, so that none suffers from another.

    Args:
        sandbox: Runs the checks.
        pairs: A check and a response each.
        limits: Of a run.
    """
    jobs = [_Job(check, [check.call(form) for form in loose_forms(text)]) for check, text in pairs]
    parts = await together([_run(sandbox, jobs, batch, limits) for batch in _batches(jobs)])
    results = {number: own for part in parts for number, own in part.items()}
    return [_finding(job.check, results[number]) for number, job in enumerate(jobs)]


def _batches(jobs: Sequence[_Job]) -> list[list[int]]:
    """Return numbers of jobs that share a program; code of models shares nothing."""
    by_source: dict[str, list[list[int]]] = defaultdict(list)
    for number, job in enumerate(jobs):
        batches = by_source[job.check.source]
        size = sum(len(jobs[n].calls) for n in batches[-1]) if batches else 0
        is_full = size + len(job.calls) > _TOGETHER
        if not batches or is_full or job.check.kind == CODE:
            batches.append([])
        batches[-1].append(number)
    return [batch for batches in by_source.values() for batch in batches]


async def verdicts(
    sandbox: Sandbox, code: str, texts: Sequence[str], limits: Limits = DEFAULT_LIMITS
) -> list[CallResult]:
    """Return what `evaluate(response)` of a program says of texts; see `results_of`."""
    return await results_of(sandbox, code, [Call(FUNCTION, [text]) for text in texts], limits)


async def results_of(
    sandbox: Sandbox, code: str, calls: Sequence[Call], limits: Limits = DEFAULT_LIMITS
) -> list[CallResult]:
    """Return the results of calls of one program.

    A call that uses up a limit takes no other with it: each is then made on its own, until a second
    one does. A program that does so again and again says nothing of the others.
    """
    results = await sandbox.run(code, calls, limits)
    if len(calls) < 2 or not any(result.ending in _ENDED for result in results):
        return results
    alone: list[CallResult] = []
    for call in calls:
        used_up = [result for result in alone if result.ending in _ENDED]
        if len(used_up) < _MOST_USED_UP:
            alone += await sandbox.run(code, [call], limits)
        else:
            alone.append(used_up[-1])
    return alone


async def _run(
    sandbox: Sandbox, jobs: Sequence[_Job], batch: Sequence[int], limits: Limits
) -> dict[int, list[CallResult]]:
    calls = [call for number in batch for call in jobs[number].calls]
    results = await sandbox.run(jobs[batch[0]].check.source, calls, limits)
    if len(batch) > 1 and any(result.ending in _SHARED for result in results):
        alone = [await _run(sandbox, jobs, [number], limits) for number in batch]
        return {number: part[number] for part in alone for number in part}
    parts: dict[int, list[CallResult]] = {}
    for number in batch:
        count = len(jobs[number].calls)
        parts[number], results = results[:count], results[count:]
    return parts


def _finding(check: Check, results: Sequence[CallResult]) -> Finding:
    first, *others = results
    problem = _problem(first)
    if problem:
        return Finding(check, None, None, problem)
    strict = bool(first.value)
    return Finding(check, strict, strict or any(result.value is True for result in others))


def _problem(result: CallResult) -> str:
    if result.ending != "value":
        return f"{result.ending}: {result.message}"
    if not isinstance(result.value, bool):
        return f"no bool: {result.value!r:.60}"
    return ""
