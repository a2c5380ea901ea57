"""What a run has used, and whether its budget allows another call."""

import asyncio
import itertools
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from autoevol.experiments.models.ledger import Discarded, Sums
from autoevol.experiments.models.prices import Price
from autoevol.experiments.models.transports.protocol import Request, Response
from autoevol.program.bounds import Count, Positive
from autoevol.program.calls import CallRecord
from autoevol.program.errors import BudgetExhaustedError


@dataclass(frozen=True)  # no slots: pydantic reads defaults off the class, where slots hide them
class Budget:
    """Caps of a run; None: no cap. Calls of earlier tries of the same run count."""

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
        discarded: Paid calls whose reply was not used, by role.
        method_tokens: Of the evolver's prompts: what stands before the row.
        method_tokens_cached: Those of them that came from a prefix cache.
        unpriced: Calls of models without a known price.
        replayed: Finished calls of earlier tries.
        faults: Tries that gave no usable reply in this try of the run, by kind.
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
    replayed: int = 0
    faults: Counter[str] = field(default_factory=Counter)

    def add(self, record: CallRecord) -> None:
        """Count one finished call."""
        self.calls[record.role] += 1
        self._pay(record.tokens_in, record.tokens_out, record.tokens_cached, record.cost_usd)
        if record.role == "evolver":
            self.method_tokens += record.shared_tokens
            self.method_tokens_cached += min(record.tokens_cached, record.shared_tokens)

    def add_discarded(self, lost: Discarded) -> None:
        """Count one call whose reply is not used."""
        self.discarded[lost.role] += 1
        self._pay(lost.tokens_in, lost.tokens_out, lost.tokens_cached, lost.cost_usd)

    def _pay(self, tokens_in: int, tokens_out: int, cached: int, cost_usd: float | None) -> None:
        self.tokens_in += tokens_in
        self.tokens_out += tokens_out
        self.tokens_cached += cached
        self.cost_usd += cost_usd or 0.0
        self.unpriced += cost_usd is None


def earlier_totals(finished: Iterable[Sums], discarded: Iterable[Sums]) -> Totals:
    """Return the totals that a run starts with: what its ledger holds."""
    totals = Totals()
    for sums in finished:
        totals.calls[sums.role] += sums.calls
        totals.replayed += sums.calls
        _add(totals, sums)
    for sums in discarded:
        totals.discarded[sums.role] += sums.calls
        _add(totals, sums)
    return totals


def _add(totals: Totals, sums: Sums) -> None:
    totals.tokens_in += sums.tokens_in
    totals.tokens_out += sums.tokens_out
    totals.tokens_cached += sums.tokens_cached
    totals.cost_usd += sums.cost_usd
    totals.unpriced += sums.unpriced


class BudgetGuard:
    """Holds what is used and what is under way against a budget. Used from one thread alone.

    Args:
        totals: What earlier tries of the run have used; counted on from there.
    """

    def __init__(self, budget: Budget, totals: Totals | None = None) -> None:
        self.totals = totals or Totals()
        self._budget = budget
        self._under_way: dict[int, Spend] = {}
        self._numbers = itertools.count()
        self._settled: asyncio.Future[None] | None = None

    @asynccontextmanager
    async def admitted(self, expected: Spend) -> AsyncIterator[None]:
        """Hold a place for one call that is about to be made.

        While finished calls leave room, but those under way will probably use it up, the call waits
        until one of them is finished.

        Raises:
            BudgetExhaustedError: Finished calls have used the budget up.
        """
        self.check()
        while self._under_way and self._is_tight():
            self._settled = self._settled or asyncio.get_running_loop().create_future()
            await asyncio.shield(self._settled)
            self.check()
        number = next(self._numbers)
        self._under_way[number] = expected
        try:
            yield
        finally:
            del self._under_way[number]
            if self._settled is not None:
                self._settled.set_result(None)
                self._settled = None

    def check(self) -> None:
        """Go on, or raise.

        Raises:
            BudgetExhaustedError: Finished calls have used the budget up.
        """
        for name, spent, _, limit in self._state():
            if spent >= limit:
                raise BudgetExhaustedError(f"budget.{name}: {spent:g} of {limit:g} are used")

    def _is_tight(self) -> bool:
        return any(spent + under_way >= limit for _, spent, under_way, limit in self._state())

    def _state(self) -> Iterator[tuple[str, float, float, float]]:
        """Return for each cap its name, what is spent, what is under way, and the cap."""
        used, cap, under_way = self.totals, self._budget, self._under_way.values()
        if cap.calls is not None:
            calls = used.calls.total() + used.discarded.total()
            yield "calls", calls, len(under_way), cap.calls
        if cap.tokens is not None:
            tokens = used.tokens_in + used.tokens_out
            yield "tokens", tokens, sum(spend.tokens for spend in under_way), cap.tokens
        if cap.usd is not None:
            yield "usd", used.cost_usd, sum(spend.usd for spend in under_way), cap.usd


CHARACTERS_PER_TOKEN = 4.0


TOKENS_OUT = 256
"""Of a reply, before any has come."""


MEMORY = 64
"""Calls over which the figures are averaged."""


class UsageForecast:
    """Tokens in from the prompt's length, tokens out as they have come so far.

    Args:
        price: None: unknown; then no cost is expected.
    """

    def __init__(self, price: Price | None) -> None:
        self._price = price
        self._characters_per_token = CHARACTERS_PER_TOKEN
        self._tokens_out: float | None = None

    def tokens(self, call: Request) -> tuple[int, int]:
        """Return the tokens in and out that `call` will probably use."""
        expected = TOKENS_OUT if self._tokens_out is None else self._tokens_out
        limit = call.max_tokens if call.max_tokens is not None else expected
        return round(call.characters / self._characters_per_token), round(min(expected, limit))

    def spend(self, call: Request) -> Spend:
        """Return what `call` will probably cost."""
        tokens_in, tokens_out = self.tokens(call)
        usd = self._price.cost(tokens_in, tokens_out, 0) if self._price else 0.0
        return Spend(tokens_in + tokens_out, usd)

    def learn(self, call: Request, reply: Response) -> None:
        """Take in what a call has used; endpoints that count no tokens teach nothing."""
        if reply.tokens_in:
            seen = call.characters / reply.tokens_in
            self._characters_per_token += (seen - self._characters_per_token) / MEMORY
        if reply.tokens_out:
            before = reply.tokens_out if self._tokens_out is None else self._tokens_out
            self._tokens_out = before + (reply.tokens_out - before) / MEMORY
