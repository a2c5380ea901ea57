"""One role's line to its model: tried again, hedged, and watched for settings that never work."""

import random
from collections.abc import Awaitable, Callable
from dataclasses import replace

from dspy.utils.exceptions import (
    ContextWindowExceededError,
    LMError,
    LMInvalidRequestError,
    LMRateLimitError,
    LMServerError,
)

from autoevol.experiments.models.budget import UsageForecast
from autoevol.experiments.models.limits.admission import AdmissionController
from autoevol.experiments.models.limits.hedging import HedgedAttempt, Hedger
from autoevol.experiments.models.limits.rate_limiter import Start
from autoevol.experiments.models.limits.stop import StopSignal
from autoevol.experiments.models.settings import ModelSettings
from autoevol.experiments.models.transports.errors import UnreachableError
from autoevol.experiments.models.transports.protocol import Request, Response, Transport
from autoevol.program.errors import AccessError
from autoevol.program.lm_errors import TRANSPORT_ERRORS

REFUSALS = 5
"""After so many refused requests and none served, settings are wrong rather than rows."""

HEDGED = "hedged"
"""The kind of a call that was made twice; the slower try is paid and not used."""

NEEDS_WHOLE = ("optimizer", "judge")
"""Roles whose cut-off replies are of no use. Elsewhere a cut-off text is F's to judge."""


Keep = Callable[[Response], Awaitable[None]]
"""Puts a reply that will be used where it lasts."""

OnFault = Callable[[str, "RoleClient", Request, Response | None], None]
"""Hears of a try that gave nothing usable: why, and its reply where it was paid."""


class RoleClient:
    """Carries a role's calls to its model.

    Args:
        settings: Of the role.
        identity: What the ledger knows the endpoint by.
        transport: Sends one call.
        gate: The way to the endpoint; roles of one server share it.
        halt: The wish to stop.
        fallbacks: Lines to take, in this order, when this one has spent its attempts.

    Attributes:
        is_served: The endpoint has served the role, in this try of the run or in an earlier one.
    """

    def __init__(
        self,
        settings: ModelSettings,
        identity: str,
        transport: Transport,
        gate: AdmissionController,
        halt: StopSignal,
        *,
        fallbacks: "tuple[RoleClient, ...]" = (),
    ) -> None:
        self.settings = settings
        self.identity = identity
        self.fallbacks = fallbacks
        self.forecast = UsageForecast(settings.price)
        self._transport = transport
        self._gate = gate
        self._halt = halt
        self._stragglers = Hedger(0.0 if settings.kind == "local" else settings.hedge_after)
        self._refused = 0
        self.is_served = False

    async def ask(self, call: Request, keep: Keep, on_fault: OnFault) -> Response:
        """Return the reply, after as many tries as the settings allow.

        A reply is kept before its place on the wire goes to another call, so no more calls are open
        at any moment than there are places. A try that the endpoint refuses while it is over its
        capacity, or that finds nobody there, is not counted: how long that may last is the
        outage's business.

        Args:
            call: As the model takes it.
            keep: Awaited with the reply that is returned.
            on_fault: See `OnFault`.

        Raises:
            AccessError: The key or the model is refused, or every request so far.
            StoppedError: The run is to stop.
            LMError: Of the last try.
        """
        tries = spoiled = 0

        async def settle(reply: Response) -> None:
            is_last = tries + 1 >= self.settings.attempts and not self.fallbacks
            if is_last or not self._fault(reply, call, tries):
                await keep(reply)

        while True:
            try:
                reply = await self._try(_reseeded(call, spoiled), settle, on_fault, tries > 0)
            except TRANSPORT_ERRORS as error:
                on_fault(kind_of(error), self, call, None)
                tries += self._counts(error)
                if tries >= self.settings.attempts or self._gives_way(error):
                    raise
                await self._halt.pause(self._back_off_s(tries, error.retry_after))
                continue
            fault = self._fault(reply, call, tries)
            tries += 1
            if fault is None or (tries >= self.settings.attempts and not self.fallbacks):
                return reply
            spoiled += 1
            on_fault(fault, self, call, reply)
            if tries >= self.settings.attempts:
                raise LMServerError(
                    f"{self.settings.model}: {tries} replies were no good ({fault})"
                )
            await self._halt.pause(self._back_off_s(spoiled, None))

    def _gives_way(self, error: LMError) -> bool:
        """Tell whether a fallback is to answer although there are attempts left."""
        is_long = (error.retry_after or 0.0) > self.settings.backoff_max
        is_closed = self._gate.outage.is_down or self._gate.pace.is_held_down
        return bool(self.fallbacks) and (is_long or is_closed)

    def _counts(self, error: LMError) -> bool:
        if isinstance(error, UnreachableError):
            return False
        return not (isinstance(error, LMRateLimitError) and self._gate.pace.is_held_down)

    def _back_off_s(self, tries: int, retry_after: float | None) -> float:
        """Return full jitter under an exponential ceiling, and no less than the server asks for.

        What it asks for is followed as long as an outage is waited for, and no longer.
        """
        if tries == 0:
            return 0.0  # the gate makes it wait
        ceiling = min(self.settings.backoff_max, self.settings.backoff * 2 ** (tries - 1))
        return max(random.uniform(0, ceiling), min(retry_after or 0.0, self.settings.outage))

    def _fault(self, reply: Response, call: Request, tries: int) -> str | None:
        """Return why a reply has to be asked for again; None: it is good."""
        is_fixed = self.settings.kind == "local" and not call.temperature
        if is_fixed or reply.finish_reason == "content_filter":
            return None
        if not reply.text.strip():
            return "empty"
        if reply.finish_reason != "length":
            return None
        had_room = bool(call.max_tokens and 0 < reply.tokens_out < call.max_tokens)
        is_needed_whole = self.settings.role in NEEDS_WHOLE and call.temperature and tries == 0
        return "cut off" if had_room or is_needed_whole else None

    async def _try(
        self, call: Request, settle: Keep, on_fault: OnFault, is_again: bool
    ) -> Response:
        """Make the call, and make it a second time if it is late."""
        expected = sum(self.forecast.tokens(call))
        is_patient = not self.fallbacks
        start = await self._gate.enter(expected, is_urgent=is_again, is_patient=is_patient)
        way = HedgedAttempt(
            enter=lambda: self._gate.enter(expected, is_urgent=True),
            send=lambda entered: self._sent(call, entered, settle),
            leave=self._gate.leave,
        )

        def on_loser(reply: Response | None) -> None:
            on_fault(HEDGED, self, call, reply or self._estimated(call))

        return await self._stragglers.hedged(start, way, on_loser)

    async def _sent(self, call: Request, start: Start, settle: Keep) -> Response:
        """Make one request, entered already, and give its place back when it is settled."""
        try:
            reply = await self._exchanged(call, start)
            await settle(reply)
        finally:
            self._gate.leave()
        return reply

    async def _exchanged(self, call: Request, start: Start) -> Response:
        """Send a request; take in what becomes of it and tells about the endpoint."""
        try:
            reply = await self._transport.send(call)
        except TRANSPORT_ERRORS as error:
            self._gate.failed(start, id(call), error)
            raise
        except LMInvalidRequestError as error:
            self._gate.outage.served()
            self._refuse(error)
            raise
        except AccessError as error:
            explained = self._explained(error)
            self._halt.request(explained)
            raise explained from error
        self.is_served = True
        self._gate.answered()
        if used := reply.tokens_in + reply.tokens_out:
            self._gate.pace.settled(start, used)
        self._stragglers.heard(reply.seconds)
        self.forecast.learn(call, reply)
        return reply

    def _refuse(self, error: LMInvalidRequestError) -> None:
        """Count refused requests until one is served.

        Raises:
            AccessError: There are too many.
        """
        if self.is_served or isinstance(error, ContextWindowExceededError):
            return
        self._refused += 1
        if self._refused >= REFUSALS:
            problem = f"refused its first {REFUSALS} requests: {error}"
            raise AccessError(self.settings.model, problem) from error

    def _explained(self, error: AccessError) -> AccessError:
        """Return the refusal with the role, and the variable that holds the key."""
        settings = self.settings
        variable = settings.key_variable
        hint = f"; check {variable}" if variable else "; set api_key_env if it needs a key"
        return AccessError(f"models.{settings.role} ({settings.model})", f"{error.problem}{hint}")

    def _estimated(self, call: Request) -> Response:
        tokens_in, tokens_out = self.forecast.tokens(call)
        return Response("", "cancelled", tokens_in=tokens_in, tokens_out=tokens_out)


def _reseeded(call: Request, spoiled: int) -> Request:
    """Return the call with another seed after a reply that was no good; a lost one keeps it."""
    return replace(call, seed=call.seed + spoiled) if spoiled and call.seed is not None else call


def kind_of(error: LMError) -> str:
    """Return the name under which a lost try is counted."""
    return str(error.default_code).replace("_", " ")
