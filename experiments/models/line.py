"""One role's line to its model: paced, retried, and watched for settings that never work."""

import asyncio

from dspy.utils.exceptions import ContextWindowExceededError, LMInvalidRequestError
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_attempt
from tenacity.wait import wait_random_exponential

from experiments.models.endpoints import ModelSettings
from experiments.models.wire import Reply, Transport, WireCall
from program.errors import AccessError
from program.pipeline import TRANSPORT_ERRORS

REFUSALS = 5
"""After so many refused requests and none served, settings are wrong rather than rows."""


class Line:
    """Carries a role's calls to its model.

    Args:
        settings: Of the role.
        identity: What the ledger knows the endpoint by.
        transport: Sends one call.
        gate: Bounds the calls in flight; roles of one server share it.
        pace: Seconds between the starts of two calls; 0: none.
    """

    def __init__(
        self,
        settings: ModelSettings,
        identity: str,
        transport: Transport,
        gate: asyncio.Semaphore,
        pace: float = 0.0,
    ) -> None:
        self.settings = settings
        self.identity = identity
        self.gate = gate
        self._transport = transport
        self._pace = pace
        self._next_start = 0.0
        self._refused = 0
        self._is_served = False

    async def ask(self, call: WireCall) -> Reply:
        """Return the reply, after as many tries as the settings allow.

        Raises:
            AccessError: The key or the model is refused, or every request so far.
            LMError: Of the last try.
        """
        retrying = AsyncRetrying(
            retry=retry_if_exception_type(TRANSPORT_ERRORS),
            stop=stop_after_attempt(self.settings.attempts),
            wait=wait_random_exponential(multiplier=0.5, max=60),
            reraise=True,
        )
        return await retrying(self._sent, call)

    async def _sent(self, call: WireCall) -> Reply:
        await self._paced()
        try:
            reply = await self._transport.send(call)
        except ContextWindowExceededError:
            raise
        except LMInvalidRequestError as error:
            self._refused += 1
            if self._refused >= REFUSALS and not self._is_served:
                problem = f"refused its first {REFUSALS} requests: {error}"
                raise AccessError(self.settings.model, problem) from error
            raise
        self._is_served = True
        return reply

    async def _paced(self) -> None:
        now = asyncio.get_running_loop().time()
        start = max(now, self._next_start)
        self._next_start = start + self._pace
        if start > now:
            await asyncio.sleep(start - now)
