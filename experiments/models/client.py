"""The client of one role: sends its calls, with retries and hedging.

The retry rules are in `retries`; this module carries them out.
"""

import contextlib
from collections.abc import Awaitable, Callable

from dspy.utils.exceptions import LMError, LMInvalidRequestError, LMServerError

from autoevol.experiments.models.batches.queue import BatchQueue, SingleCallError
from autoevol.experiments.models.budget import UsageForecast
from autoevol.experiments.models.limits.hedging import HedgedAttempt, Hedger
from autoevol.experiments.models.limits.pool import Endpoint, EndpointPool, Ticket
from autoevol.experiments.models.limits.reply_cap import ReplyCap
from autoevol.experiments.models.limits.stop import StopSignal
from autoevol.experiments.models.refusal_counter import RefusalCounter
from autoevol.experiments.models.retries import RetryPolicy, failure_kind, reseeded
from autoevol.experiments.models.settings import ModelSettings
from autoevol.experiments.models.transports.errors import SettingError
from autoevol.experiments.models.transports.protocol import Request, Response
from autoevol.program.errors import AccessError
from autoevol.program.lm_errors import TRANSPORT_ERRORS

HEDGED = "hedged"
"""The kind of a request that was sent twice; the slower reply is paid and not used."""

Keep = Callable[[Response], Awaitable[None]]
"""Stores a reply that will be used."""

OnFailedAttempt = Callable[[str, "RoleClient", Request, Response | None], None]
"""Takes an attempt without a usable reply: its kind, and the reply where one was paid."""


class RoleClient:
    """Sends a role's calls to its model.

    Args:
        settings: Of the role.
        pool: Where requests go.
        stop_signal: Ends every wait.
        fallbacks: Clients that answer, in this order, when this one has spent its attempts.
        is_served: The endpoint has answered the role in an earlier try of the run.
        batches: Where calls of the bulk phases go; None: they are made one by one.

    Attributes:
        batches: See above.
    """

    def __init__(
        self,
        settings: ModelSettings,
        pool: EndpointPool,
        stop_signal: StopSignal,
        *,
        fallbacks: "tuple[RoleClient, ...]" = (),
        is_served: bool = False,
        batches: BatchQueue | None = None,
    ) -> None:
        self.settings = settings
        self.identity = pool.identity
        self.fallbacks = fallbacks
        self.forecast = UsageForecast(settings.price)
        self.batches = batches
        self._pool = pool
        self._stop_signal = stop_signal
        self._policy = RetryPolicy(settings, has_fallback=bool(fallbacks))
        # A local model runs on this machine: a hedge would only slow its request down.
        self._hedger = Hedger(0.0 if settings.kind == "local" else settings.hedge_after)
        self._refusals = RefusalCounter(settings, is_served=is_served)
        self._cap = ReplyCap()

    def check_served(self) -> None:
        """Return, or raise where the run ends without a reply of this client.

        Raises:
            AccessError: All its requests were refused for one and the same setting.
        """
        if error := self._refusals.final():
            raise error

    async def ask(self, request: Request, keep: Keep, on_failure: OnFailedAttempt) -> Response:
        """Return the reply, after as many attempts as the settings allow.

        Args:
            request: As the model takes it.
            keep: Awaited with the reply that is returned.
            on_failure: See `OnFailedAttempt`.

        Raises:
            AccessError: A setting is refused, or every request so far for the same reason.
            StoppedError: The run is to stop.
            LMError: Of the last attempt.
        """
        policy, attempts, unusable = self._policy, 0, 0
        avoided: set[Endpoint] = set()

        async def settle(reply: Response) -> None:
            if policy.retry_reason(reply, request, attempts, cap) is None:
                await keep(reply)

        while True:
            # Read once an attempt: what was stored is what is returned.
            cap = self._cap.tokens
            attempt = reseeded(request, unusable)
            try:
                reply = await self._attempt(
                    attempt, settle, on_failure, avoided, is_retry=attempts > 0
                )
            except TRANSPORT_ERRORS as error:
                on_failure(failure_kind(error), self, request, None)
                attempts += policy.counts(error, is_rate_limited=self._pool.is_rate_limited)
                has_other = self._pool.has_other(avoided)
                gives_way = policy.falls_back(
                    error, is_blocked=self._pool.is_blocked, has_other=has_other
                )
                if policy.is_spent(attempts) or gives_way:
                    raise
                pause_s = policy.back_off_s(attempts, error.retry_after, has_other=has_other)
            else:
                reason = policy.retry_reason(reply, request, attempts, cap)
                if reason is None:
                    return reply
                attempts, unusable = attempts + 1, unusable + 1
                on_failure(reason, self, request, reply)
                _check_spent(policy, attempts, reason)
                pause_s = policy.back_off_s(unusable, None)
            await self._stop_signal.sleep(pause_s)

    async def _attempt(
        self,
        request: Request,
        settle: Keep,
        on_failure: OnFailedAttempt,
        avoided: set[Endpoint],
        *,
        is_retry: bool,
    ) -> Response:
        """Send a request once it is admitted, and a hedge if it is late.

        Args:
            request: To be sent.
            settle: Awaited with a reply.
            on_failure: See `OnFailedAttempt`.
            avoided: Endpoints that have failed the call; grows by those that fail now.
            is_retry: The call had an attempt before.
        """
        if self.batches is not None and self.batches.is_open:
            with contextlib.suppress(SingleCallError):
                return await self._batched(self.batches, request, settle)
        tokens, pool = sum(self.forecast.tokens(request)), self._pool
        # A retry goes before new calls, so that a row that is under way ends first. With a fallback
        # there is no reason to wait for an endpoint that is down.
        ticket = await pool.admit(
            tokens, is_urgent=is_retry, is_patient=not self.fallbacks, avoided=avoided
        )

        async def send(admitted: Ticket) -> Response:
            try:
                return await self._send(request, admitted, settle)
            except TRANSPORT_ERRORS:
                avoided.add(admitted.endpoint)
                raise

        steps = HedgedAttempt(
            admit=lambda: pool.admit(tokens, is_urgent=True, avoided={*avoided, ticket.endpoint}),
            send=send,
            release=pool.release,
        )

        def on_loser(reply: Response | None) -> None:
            on_failure(HEDGED, self, request, reply or self._estimated(request))

        return await self._hedger.run(ticket, steps, on_loser)

    async def _batched(self, batches: BatchQueue, request: Request, settle: Keep) -> Response:
        """Return the reply to a request that goes with others as a batch."""
        try:
            reply = await batches.ask(request, settle)
        except LMInvalidRequestError as error:
            judged = self._refusals.judged(error)
            if isinstance(judged, AccessError):
                self._stop_signal.set(judged)
            raise judged from error
        self._refusals.record_success()
        self.forecast.learn(request, reply)
        self._cap.record(reply)
        return reply

    async def _send(self, request: Request, ticket: Ticket, settle: Keep) -> Response:
        """Send an admitted request, and release its slot when its reply is settled."""
        # The slot is held until the reply is stored. So a kill at any moment costs no more paid
        # replies than there are slots.
        try:
            reply = await self._exchange(request, ticket)
            await settle(reply)
        finally:
            self._pool.release(ticket)
        return reply

    async def _exchange(self, request: Request, ticket: Ticket) -> Response:
        """Send a request, and record what the result says about the endpoint."""
        try:
            reply = await ticket.endpoint.transport.send(request)
        except TRANSPORT_ERRORS as error:
            ticket.endpoint.record_failure(ticket.start, id(request), error)
            raise
        except LMInvalidRequestError as error:
            raise self._refused(ticket, id(request), error) from error
        self._refusals.record_success()
        ticket.endpoint.record_success(ticket.start, reply.tokens_in + reply.tokens_out)
        self._hedger.record_latency(reply.seconds)
        self.forecast.learn(request, reply)
        self._cap.record(reply)
        return reply

    def _refused(
        self, ticket: Ticket, call: int, error: LMInvalidRequestError
    ) -> LMError | AccessError:
        """Return the error of a refused request; one of a setting stops the run."""
        judged = self._judged(ticket, error)
        if isinstance(judged, LMServerError):
            ticket.endpoint.record_failure(ticket.start, call, judged)
            return judged
        ticket.endpoint.record_rejection()
        if isinstance(judged, AccessError):
            self._stop_signal.set(judged)
        return judged

    def _judged(self, ticket: Ticket, error: LMInvalidRequestError) -> LMError | AccessError:
        # What other endpoints take is this one's fault: a key, a model's name, an address.
        if isinstance(error, SettingError) and self._pool.is_served_by_others(ticket.endpoint):
            return LMServerError(str(error))
        return self._refusals.judged(error)

    def _estimated(self, request: Request) -> Response:
        """Return what a cancelled request has probably used: its provider bills it unseen."""
        tokens_in, tokens_out = self.forecast.tokens(request)
        return Response("", tokens_in=tokens_in, tokens_out=tokens_out, is_estimated=True)


def _check_spent(policy: RetryPolicy, attempts: int, reason: str) -> None:
    if policy.is_spent(attempts):
        model = policy.settings.model
        raise LMServerError(f"{model}: {attempts} replies were no good ({reason})")
