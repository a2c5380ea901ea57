"""What a call will probably use, learned from the calls before it."""

from experiments.models.meter import Spend
from experiments.models.prices import Price
from experiments.models.wire import Reply, WireCall

CHARACTERS_PER_TOKEN = 4.0
TOKENS_OUT = 256
"""Of a reply, before any has come."""

MEMORY = 64
"""Calls over which the figures are averaged."""


class Forecast:
    """Tokens in from the prompt's length, tokens out as they have come so far.

    Args:
        price: None: unknown; then no cost is expected.
    """

    def __init__(self, price: Price | None) -> None:
        self._price = price
        self._characters_per_token = CHARACTERS_PER_TOKEN
        self._tokens_out: float | None = None

    def tokens(self, call: WireCall) -> tuple[int, int]:
        """Return the tokens in and out that `call` will probably use."""
        expected = TOKENS_OUT if self._tokens_out is None else self._tokens_out
        limit = call.max_tokens if call.max_tokens is not None else expected
        return round(call.characters / self._characters_per_token), round(min(expected, limit))

    def spend(self, call: WireCall) -> Spend:
        """Return what `call` will probably cost."""
        tokens_in, tokens_out = self.tokens(call)
        usd = self._price.cost(tokens_in, tokens_out, 0) if self._price else 0.0
        return Spend(tokens_in + tokens_out, usd)

    def learn(self, call: WireCall, reply: Reply) -> None:
        """Take in what a call has used; endpoints that count no tokens teach nothing."""
        if reply.tokens_in:
            seen = call.characters / reply.tokens_in
            self._characters_per_token += (seen - self._characters_per_token) / MEMORY
        if reply.tokens_out:
            before = reply.tokens_out if self._tokens_out is None else self._tokens_out
            self._tokens_out = before + (reply.tokens_out - before) / MEMORY
