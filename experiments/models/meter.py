"""What a run has used, and whether its budget allows another call."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from program.calls import CallRecord
from program.errors import BudgetExhaustedError


@dataclass(frozen=True, slots=True)
class Budget:
    """Caps of a run; None: no cap. Calls of earlier tries of the same run count."""

    calls: int | None = None
    tokens: int | None = None
    usd: float | None = None


@dataclass
class Totals:
    """What a run has used, each finished call counted once, replayed ones included.

    Attributes:
        method_tokens: Of the evolver's prompts: what stands before the row.
        method_tokens_cached: Those of them that came from a prefix cache.
        unpriced: Calls of models without a known price.
    """

    calls: Counter[str] = field(default_factory=Counter)
    tokens_in: int = 0
    tokens_out: int = 0
    tokens_cached: int = 0
    method_tokens: int = 0
    method_tokens_cached: int = 0
    cost_usd: float = 0.0
    unpriced: int = 0
    replayed: int = 0

    def add(self, record: CallRecord) -> None:
        """Count one call."""
        self.calls[record.role] += 1
        self.tokens_in += record.tokens_in
        self.tokens_out += record.tokens_out
        self.tokens_cached += record.tokens_cached
        if record.role == "evolver":
            self.method_tokens += record.shared_tokens
            self.method_tokens_cached += min(record.tokens_cached, record.shared_tokens)
        self.cost_usd += record.cost_usd or 0.0
        self.unpriced += record.cost_usd is None
        self.replayed += record.is_replayed


class Meter:
    """Counts calls against a budget. Used from the engine's thread alone."""

    def __init__(self, budget: Budget) -> None:
        self.totals = Totals()
        self._budget = budget
        self._counted: set[str] = set()
        self._in_flight = 0

    @contextmanager
    def admitted(self) -> Iterator[None]:
        """Hold a place for one call that is about to be made.

        Raises:
            BudgetExhaustedError: Finished calls and those in flight use the budget up.
        """
        self._check()
        self._in_flight += 1
        try:
            yield
        finally:
            self._in_flight -= 1

    def count(self, key: str, record: CallRecord) -> None:
        """Count a finished call, once for each ledger key."""
        if key not in self._counted:
            self._counted.add(key)
            self.totals.add(record)

    def _check(self) -> None:
        used, cap = self.totals, self._budget
        for name, spent, limit in (
            ("calls", used.calls.total() + self._in_flight, cap.calls),
            ("tokens", used.tokens_in + used.tokens_out, cap.tokens),
            ("usd", used.cost_usd, cap.usd),
        ):
            if limit is not None and spent >= limit:
                raise BudgetExhaustedError(f"budget.{name}: {spent:g} of {limit:g} are used")
