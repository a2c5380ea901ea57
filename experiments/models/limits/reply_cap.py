"""A provider's own cap on the tokens of a reply, below the limit that was asked for."""

from autoevol.experiments.models.transports.protocol import Response

LEAST_CUTS = 16
"""Replies that must be cut off at the same length, with none longer, before it counts as a cap.

A server that cuts off three replies of ten at random does so to five in a row once in 400 starts of
a run, to sixteen once in 200 million.
"""


class ReplyCap:
    """Learns the cap of one client from its replies.

    A server that fails cuts replies off anywhere; a cap cuts all of them at one length, which no
    reply reaches by itself or exceeds. To ask again would buy the same words.
    """

    def __init__(self) -> None:
        self._longest = 0
        self._cuts = 0

    @property
    def tokens(self) -> int | None:
        """Tokens after which the provider ends a reply; None: no cap is known."""
        return self._longest if self._cuts >= LEAST_CUTS else None

    def record(self, reply: Response) -> None:
        """Learn from a reply; estimated tokens say nothing."""
        if reply.is_estimated or reply.tokens_out < self._longest:
            return
        is_cut = reply.finish_reason == "length"
        # One that ends by itself at this length was not capped, and one token more shows it, too.
        if reply.tokens_out > self._longest or not is_cut:
            self._longest, self._cuts = reply.tokens_out, 0
        self._cuts += is_cut
