"""The budget: what a run has used, and whether another call may start."""

import asyncio
import itertools
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from autoevol.experiments.models.ledger import Bill, DiscardedReply, Sums
from autoevol.experiments.models.prices import Price
from autoevol.experiments.models.transports.protocol import Request, Response
from autoevol.program.bounds import Count, Positive
from autoevol.program.calls import CallRecord
from autoevol.program.errors import BudgetExhaustedError


@dataclass(frozen=True)  # no slots: pydantic reads defaults off the class, where slots hide them
class Budget:
    """Caps of a run; None: no cap. Calls of earlier tries of the same run count.

    Attributes:
        calls: Most calls, all models.
        tokens: Most tokens, in and out.
        usd: Most US dollars; needs the price of every model.
    """

    calls: Count | None = None
    tokens: Count | None = None
    usd: Positive | None = None


@dataclass(frozen=True, slots=True)
class Spend:
    """What a call is expected to use."""

    tokens: float = 0.0
    usd: float = 0.0


@dataclass
class Totals:
    """What a run has used, each paid call counted once, those of earlier tries included.

    Attributes:
        calls: Finished calls by role.
        discarded: Replies that were paid and not used, by role.
        method_tokens: Prompt tokens of the evolver that come before the row.
        method_tokens_cached: Those of them that the provider took from its prefix cache.
        unpriced: Calls of models without a known price.
        estimated: Calls whose tokens are estimated, for the provider sent no count.
        replayed: Finished calls of earlier tries.
        borrowed: Finished calls that other runs have paid; no part of the other figures.
        faults: Attempts without a usable reply, in this try of the run, by kind.
    """

    calls: Counter[str] = field(default_factory=Counter)
    discarded: Counter[str] = field(default_factory=Counter)
    tokens_in: int = 0
    tokens_out: int = 0
    tokens_cached: int = 0
    method_tokens: int = 0
    method_tokens_cached: int = 0
    cost_usd: float = 0.0
    unpriced: int = 0
    estimated: int = 0
    replayed: int = 0
    borrowed: int = 0
    faults: Counter[str] = field(default_factory=Counter)

    def add(self, record: CallRecord) -> None:
        """Count one finished call."""
        self.calls[record.role] += 1
        self._pay(record.tokens_in, record.tokens_out, record.tokens_cached, record.cost_usd)
        self.estimated += record.is_estimated
        if record.role == "evolver":
            self.method_tokens += record.shared_tokens
            self.method_tokens_cached += min(record.tokens_cached, record.shared_tokens)

    def add_discarded(self, reply: DiscardedReply) -> None:
        """Count one reply that was paid and not used."""
        self.discarded[reply.role] += 1
        self._pay(reply.tokens_in, reply.tokens_out, reply.tokens_cached, reply.cost_usd)
        self.estimated += reply.is_estimated

    def _pay(self, tokens_in: int, tokens_out: int, cached: int, cost_usd: float | None) -> None:
        self.tokens_in += tokens_in
        self.tokens_out += tokens_out
        self.tokens_cached += cached
        self.cost_usd += cost_usd or 0.0
        self.unpriced += cost_usd is None


def earlier_totals(bill: Bill) -> Totals:
    """Return the totals that a run starts with: what its ledger holds."""
    totals = Totals()
    for sums in bill.finished:
        totals.calls[sums.role] += sums.calls
        totals.replayed += sums.calls
        _add(totals, sums)
    for sums in bill.discarded:
        totals.discarded[sums.role] += sums.calls
        _add(totals, sums)
    return totals


def _add(totals: Totals, sums: Sums) -> None:
    totals.tokens_in += sums.tokens_in
    totals.tokens_out += sums.tokens_out
    totals.tokens_cached += sums.tokens_cached
    totals.cost_usd += sums.cost_usd
    totals.unpriced += sums.unpriced
    totals.estimated += sums.estimated


class BudgetGuard:
    """Compares what is used and what is under way with a budget. Used from one thread alone.

    Args:
        budget: Caps of the run.
        totals: What earlier tries of the run have used; counted on from there.
    """

    def __init__(self, budget: Budget, totals: Totals | None = None) -> None:
        self.totals = totals or Totals()
        self._budget = budget
        self._under_way: dict[int, Spend] = {}
        self._numbers = itertools.count()
        self._next_finish: asyncio.Future[None] | None = None

    @asynccontextmanager
    async def admitted(self, expected: Spend) -> AsyncIterator[None]:
        """Count one call as under way while the block runs.

        While finished calls leave room, but those under way will probably use it up, the call waits
        until one of them is finished.

        Raises:
            BudgetExhaustedError: Finished calls have used the budget up.
        """
        self.check()
        # Estimates may be far too high, so they delay a call and never reject it. Without them, all
        # calls in flight would start just below the cap and overrun it together.
        while self._under_way and self._is_tight():
            self._next_finish = self._next_finish or asyncio.get_running_loop().create_future()
            await asyncio.shield(self._next_finish)
            self.check()
        number = next(self._numbers)
        self._under_way[number] = expected
        try:
            yield
        finally:
            del self._under_way[number]
            if self._next_finish is not None:
                self._next_finish.set_result(None)
                self._next_finish = None

    def check(self) -> None:
        """Return, or raise.

        Raises:
            BudgetExhaustedError: Finished calls have used the budget up.
        """
        for name, used, _, cap in self._usage():
            if used >= cap:
                raise BudgetExhaustedError(f"budget.{name}: {used:g} of {cap:g} are used")

    def _is_tight(self) -> bool:
        return any(used + under_way >= cap for _, used, under_way, cap in self._usage())

    def _usage(self) -> Iterator[tuple[str, float, float, float]]:
        """Return for each cap its name, what is used, what is under way, and the cap."""
        totals, caps, under_way = self.totals, self._budget, self._under_way.values()
        if caps.calls is not None:
            calls = totals.calls.total() + totals.discarded.total()
            yield "calls", calls, len(under_way), caps.calls
        if caps.tokens is not None:
            tokens = totals.tokens_in + totals.tokens_out
            yield "tokens", tokens, sum(spend.tokens for spend in under_way), caps.tokens
        if caps.usd is not None:
            yield "usd", totals.cost_usd, sum(spend.usd for spend in under_way), caps.usd


CHARACTERS_PER_TOKEN = 4.0
"""Of a prompt, before any reply has come."""

TOKENS_OUT = 256
"""Of a reply, before any has come."""

MEMORY = 64
"""Calls over which the two figures are averaged."""


class UsageForecast:
    """Expects tokens in by the prompt's length, and tokens out by the replies so far.

    Args:
        price: None: unknown; then no cost is expected.
    """

    def __init__(self, price: Price | None) -> None:
        self._price = price
        self._characters_per_token = CHARACTERS_PER_TOKEN
        self._tokens_out: float | None = None

    def tokens(self, request: Request) -> tuple[int, int]:
        """Return the tokens in and out that a request will probably use."""
        # Not `max_tokens` alone: most replies end far before it, and the rate limiter and the
        # budget would hold calls back without need.
        expected = TOKENS_OUT if self._tokens_out is None else self._tokens_out
        limit = request.max_tokens if request.max_tokens is not None else expected
        return round(request.characters / self._characters_per_token), round(min(expected, limit))

    def spend(self, request: Request) -> Spend:
        """Return what a request will probably cost."""
        tokens_in, tokens_out = self.tokens(request)
        usd = self._price.cost(tokens_in, tokens_out, 0) if self._price else 0.0
        return Spend(tokens_in + tokens_out, usd)

    def learn(self, request: Request, reply: Response) -> None:
        """Update the averages; estimated counts change nothing."""
        if reply.is_estimated:
            return
        if reply.tokens_in:
            ratio = request.characters / reply.tokens_in
            self._characters_per_token += (ratio - self._characters_per_token) / MEMORY
        if reply.tokens_out:
            before = reply.tokens_out if self._tokens_out is None else self._tokens_out
            self._tokens_out = before + (reply.tokens_out - before) / MEMORY
