"""The record of a model call: the engine reports it, the program collects it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CallRecord:
    """One finished model call.

    Attributes:
        role: evolver, responder, optimizer or judge.
        text: The reply, without thinking and template tokens.
        model: The model's name as configured.
        is_truncated: The reply hit its token limit.
        is_replayed: The reply came from the ledger and cost nothing now.
        tokens_in: Prompt tokens, cached ones included.
        tokens_cached: Prompt tokens that the provider took from its prefix cache.
        shared_tokens: Prompt tokens of everything before the last message (the method's part),
            estimated from its share of the characters.
        tokens_out: Generated tokens.
        seconds: Wall time of the call when it was first made.
        cost_usd: None when the model's price is unknown.
        confidence: Mean probability of the likeliest token at each position of the reply, in
            (0, 1]; None: the provider sent no log-probabilities.
        thinking: What the model thought before its text; "" where nothing of it came.
        problem: Why the reply has no text, and what helps; "": it has one.
        is_estimated: The token counts are estimated: the provider sent none.
        is_shared: An earlier row of the run has paid the call, and this one counts it as well.
    """

    role: str
    model: str
    text: str
    is_truncated: bool
    is_replayed: bool
    tokens_in: int
    tokens_cached: int
    shared_tokens: int
    tokens_out: int
    seconds: float
    cost_usd: float | None
    confidence: float | None = None
    thinking: str = ""
    problem: str = ""
    is_estimated: bool = False
    is_shared: bool = False


# Tasks copy the context and share the list in it, so a block also collects the calls of the tasks
# that are started inside it.
_log: ContextVar[list[CallRecord] | None] = ContextVar("autoevol_calls", default=None)


@contextmanager
def collected_calls(*, apart: bool = False) -> Iterator[list[CallRecord]]:
    """Collect the calls made inside the block, in order of completion.

    Args:
        apart: Keep the calls from the enclosing block; otherwise they join it at the end.
    """
    outer = None if apart else _log.get()
    records: list[CallRecord] = []
    token = _log.set(records)
    try:
        yield records
    finally:
        _log.reset(token)
        if outer is not None:
            outer.extend(records)


def report_call(record: CallRecord) -> None:
    """Hand a finished call to the innermost `collected_calls` block, if there is one."""
    records = _log.get()
    if records is not None:
        records.append(record)


def paid_calls(records: Sequence[CallRecord]) -> int:
    """Return the number of calls, those that rows share counted once."""
    return sum(not record.is_shared for record in records)


@dataclass(frozen=True, slots=True)
class PaidCalls:
    """A growing list of calls whose length is the number of those that were paid."""

    records: Sequence[CallRecord]

    def __len__(self) -> int:
        return paid_calls(self.records)


def usage_of(records: Sequence[CallRecord]) -> dict[str, int]:
    """Return the usage of a row: the number of calls and the sums of their tokens."""
    return {
        "calls": len(records),
        "tokens_in": sum(record.tokens_in for record in records),
        "tokens_out": sum(record.tokens_out for record in records),
        "tokens_cached": sum(record.tokens_cached for record in records),
    }
