"""The endpoints that serve one model, and which of them takes the next request.

One endpoint admits by itself. Several share a queue: its head goes to the one with the least to do
of those that may start a request now, so a slow endpoint gets fewer, and one that is down gets none
but a probe now and then.
"""

import asyncio
import contextlib
from collections.abc import Callable, Collection, Hashable, Iterator, Sequence
from dataclasses import dataclass

from dspy.utils.exceptions import LMError, LMTransportError

from autoevol.experiments.models.limits.admission import AdmissionController, PrioritySemaphore
from autoevol.experiments.models.limits.rate_limiter import Start
from autoevol.experiments.models.limits.stop import StopSignal
from autoevol.experiments.models.transports.protocol import Transport
from autoevol.program.errors import AccessError, StoppedError

RECHECK_S = 0.25
"""Longest sleep of the head of the queue: a stop may be signalled."""


@dataclass(eq=False, slots=True)
class Endpoint:
    """One address of a model.

    Attributes:
        transport: Sends one request.
        admission: Admits requests; roles of one server share it.
        weight: Its part of the requests against the others'.
        note: Takes a line for people when it goes or comes back.
        has_replied: It has given a reply.
    """

    transport: Transport
    admission: AdmissionController
    weight: float = 1.0
    note: Callable[[str], None] = lambda _: None
    has_replied: bool = False

    @property
    def is_down(self) -> bool:
        """Whether it does not answer at present."""
        return self.admission.gate.circuit_breaker.is_open

    def record_success(self, start: Start, tokens: int) -> None:
        """Note a reply; tokens are those it used, 0 where the endpoint does not count them."""
        self.has_replied = True
        with self._noted(""):
            self.admission.gate.record_success(start, tokens)

    def record_rejection(self) -> None:
        """Note a request that it rejects for its content: the endpoint is up."""
        with self._noted(""):
            self.admission.gate.record_rejection()

    def record_failure(self, start: Start, call: Hashable, error: LMError) -> None:
        """Note what a failed request says about it."""
        with self._noted(str(error)):
            self.admission.gate.record_failure(start, call, error)

    @contextlib.contextmanager
    def _noted(self, problem: str) -> Iterator[None]:
        """Tell people where the block finds that it has gone or come back."""
        was_down = self.is_down
        yield
        if self.is_down != was_down:
            name = self.admission.gate.name
            gone = f"{name} is left out, the others get its requests: {problem}"
            self.note(f"{name} answers again" if was_down else gone)


@dataclass(frozen=True, slots=True)
class Ticket:
    """A request that may be sent.

    Attributes:
        endpoint: Where to.
        start: As its gate noted it.
    """

    endpoint: Endpoint
    start: Start


class EndpointPool:
    """Admits the requests of one role to the endpoints of its model.

    Args:
        identity: Of the model, as ledger keys hold it: the same at every endpoint.
        endpoints: One or more.
        stop_signal: Ends every wait.

    Attributes:
        identity: See above.
    """

    def __init__(
        self, identity: str, endpoints: Sequence[Endpoint], stop_signal: StopSignal
    ) -> None:
        self.identity = identity
        self._endpoints = tuple(endpoints)
        self._slots = PrioritySemaphore(sum(one.admission.gate.size for one in endpoints))
        self._head_of_queue = asyncio.Lock()
        self._freed = asyncio.Event()
        self._stop_signal = stop_signal
        if len(endpoints) > 1:
            for endpoint in endpoints:
                endpoint.admission.watch(self._freed.set)

    @property
    def is_rate_limited(self) -> bool:
        """Tell whether 429s of an endpoint hold requests back at present."""
        return any(endpoint.admission.gate.is_rate_limited for endpoint in self._endpoints)

    @property
    def is_blocked(self) -> bool:
        """Tell whether every endpoint is down, or its 429s hold requests back, at present."""
        return not self.has_other(())

    def has_other(self, endpoints: Collection[Endpoint]) -> bool:
        """Tell whether an endpoint beside these is up and takes requests."""
        return any(
            endpoint not in endpoints and not endpoint.admission.gate.is_blocked
            for endpoint in self._endpoints
        )

    def is_served_by_others(self, endpoint: Endpoint) -> bool:
        """Tell whether another endpoint than this one has given a reply."""
        return any(one.has_replied for one in self._endpoints if one is not endpoint)

    async def admit(
        self,
        tokens: float,
        *,
        is_urgent: bool = False,
        is_patient: bool = True,
        avoided: Collection[Endpoint] = (),
    ) -> Ticket:
        """Wait until a request may be sent; `release` gives its slot back.

        Args:
            tokens: What the request will probably use.
            is_urgent: The call has waited once already; it goes before others.
            is_patient: The call waits while no endpoint is up; it has no fallback.
            avoided: Endpoints that failed this call; they get it if no other can take it now.

        Raises:
            StoppedError: The run is to stop, or no endpoint has answered for too long.
            AccessError: No endpoint has ever answered.
            LMTransportError: No endpoint is up and the call is not patient.
        """
        if len(self._endpoints) == 1:
            (only,) = self._endpoints
            admitted = only.admission.admit(tokens, is_urgent=is_urgent, is_patient=is_patient)
            return Ticket(only, await admitted)
        await self._slots.acquire(is_urgent=is_urgent)
        try:
            async with self._head_of_queue:
                while True:
                    self._stop_signal.raise_if_set()
                    self._freed.clear()
                    if ticket := self._ticket(tokens, avoided, is_urgent=is_urgent):
                        return ticket
                    await self._wait(is_patient=is_patient)
        except BaseException:  # a cancelled call gives its slot back too
            self._slots.release()
            raise

    def release(self, ticket: Ticket) -> None:
        """Give the slot of a request back."""
        ticket.endpoint.admission.release()
        if len(self._endpoints) > 1:
            self._slots.release()

    def _ticket(
        self, tokens: float, avoided: Collection[Endpoint], *, is_urgent: bool
    ) -> Ticket | None:
        """Return the ticket of the best endpoint that may start a request now."""

        def rank(endpoint: Endpoint) -> tuple[bool, int, float]:
            # An endpoint that is down is probed although others could take the request, or nobody
            # would ever learn that it is back. A call that failed once is no probe.
            probe = (1 if is_urgent else -1) if endpoint.is_down else 0
            return endpoint in avoided, probe, endpoint.admission.load / endpoint.weight

        for endpoint in sorted(self._endpoints, key=rank):
            if start := endpoint.admission.try_admit(tokens):
                return Ticket(endpoint, start)
        return None

    async def _wait(self, *, is_patient: bool) -> None:
        """Wait until an endpoint may have become ready."""
        now = asyncio.get_running_loop().time()
        if not is_patient and all(endpoint.is_down for endpoint in self._endpoints):
            raise LMTransportError("all endpoints are down")
        gates = [endpoint.admission.gate for endpoint in self._endpoints]
        if all(gate.circuit_breaker.is_patience_over(now) for gate in gates):
            raise self._end()
        # Of those that have a slot; the others wait for a reply.
        admissions = [endpoint.admission for endpoint in self._endpoints]
        waits = [one.gate.wait_s(now) for one in admissions if one.load < one.gate.size]
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._freed.wait(), min([RECHECK_S, *waits]))

    def _end(self) -> AccessError | StoppedError:
        """Return the error of a run whose endpoints have all been away for too long."""
        gates = [endpoint.admission.gate for endpoint in self._endpoints]
        names = ", ".join(gate.name for gate in gates)
        if not any(gate.circuit_breaker.has_answered for gate in gates):
            return AccessError(names, "nothing answers there; check api_base and the servers")
        problem = StoppedError(f"{names} have not answered for too long")
        self._stop_signal.set(problem)
        return problem
