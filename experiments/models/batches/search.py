"""The search for batches at a provider: after a kill, or when an answer was lost on its way."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from autoevol.experiments.models.batches.provider import Intent, UndecidedError
from autoevol.experiments.models.batches.tools import BatchTools
from autoevol.program.errors import StoppedError
from autoevol.program.lm_errors import TRANSPORT_ERRORS

Answer = TypeVar("Answer")

ATTEMPTS = 10
_LONGEST_PAUSE_S = 60.0


def pause_s(attempt: int) -> float:
    """Return the seconds before the next attempt, from 0."""
    return min(2.0**attempt, _LONGEST_PAUSE_S)


class BatchSearch:
    """Looks for batches of this run at their provider.

    Args:
        tools: What sends and remembers them.
        poll_s: Seconds between two looks.
    """

    def __init__(self, tools: BatchTools, poll_s: float) -> None:
        self._tools, self._poll_s = tools, poll_s

    async def patiently(self, ask: Callable[[str], Awaitable[Answer]], token: str) -> Answer:
        """Return the provider's answer, after as many tries as it takes.

        Raises:
            StoppedError: The provider does not say, or the run is to stop.
        """
        problem = ""
        for attempt in range(ATTEMPTS):
            try:
                return await ask(token)
            except TRANSPORT_ERRORS as error:
                problem = str(error)
                await self._tools.stop_signal.sleep(pause_s(attempt))
        name = self._tools.provider.name
        raise StoppedError(f"{name} says nothing of the batches before: {problem}")

    async def found(self, token: str) -> str | None:
        """Return the id that a batch of ours has at the provider; None: it is not there.

        Where the provider cannot tell before the end of a batch, that is waited for.
        """
        tools, batches = self._tools, self._tools.record.batches()
        batch = next(batch for batch in batches if batch.token == token)
        others = frozenset(one.batch_id for one in batches if one.batch_id)
        intent = Intent(token, batch.at, batch.requests, batch.file_id, others)
        candidates: set[str] = set()
        while True:
            try:
                return await tools.provider.find(intent)
            except UndecidedError as undecided:
                self._tell(undecided.batch_id, candidates)
                await tools.stop_signal.sleep(self._poll_s)

    def _tell(self, candidate: str, candidates: set[str]) -> None:
        if candidate in candidates:
            return
        candidates.add(candidate)
        self._tools.say(
            f"{self._tools.provider.name} may have a batch of this run already, {candidate}; that "
            "is known when it ends, and waited for (`autoevol batches FOLDER --resend` has its "
            "calls sent again, which pays twice if it is ours)"
        )
