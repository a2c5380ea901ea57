"""Batches on their way: sent once, found again after a kill, fetched when they have ended."""

import contextlib
import time
import uuid
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from dspy.utils.exceptions import LMError

from autoevol.experiments.models.batches.provider import BatchProvider
from autoevol.experiments.models.batches.record import BatchRecord
from autoevol.experiments.models.limits.stop import StopSignal
from autoevol.experiments.models.transports.dialect import Dialect
from autoevol.experiments.models.transports.protocol import Request
from autoevol.experiments.models.transports.secrets import Secret
from autoevol.program.errors import StoppedError
from autoevol.program.lm_errors import TRANSPORT_ERRORS

Answer = TypeVar("Answer")

LONGEST_PAUSE_S = 60.0
_ATTEMPTS = 10


@dataclass(frozen=True, slots=True)
class BatchPlace:
    """Whose calls go as batches.

    Attributes:
        role: Of the run.
        model: For messages.
        identity: Of the model, as ledger keys hold it.
        secret: The key, which a reply may repeat.
    """

    role: str
    model: str
    identity: str
    secret: Secret


@dataclass(frozen=True, slots=True)
class BatchTools:
    """What sends batches and remembers them.

    Attributes:
        provider: Takes the batches.
        dialect: Of the endpoint; the provider's lines are in it.
        record: Of the run's batches.
        stop_signal: Ends every wait; batches at the provider go on.
        say: Takes a line for people.
    """

    provider: BatchProvider
    dialect: Dialect
    record: BatchRecord
    stop_signal: StopSignal
    say: Callable[[str], None]


@dataclass(frozen=True, slots=True)
class BatchCall:
    """A request of a batch, with its id there."""

    custom_id: str
    request: Request


@dataclass(slots=True)
class _Open:
    token: str
    batch_id: str
    file_id: str | None
    looked: float = 0.0


class OpenBatches:
    """The batches of a role that are at its provider.

    Args:
        place: Whose calls they are.
        tools: What sends and remembers them.
        poll_s: Seconds between two looks at a batch.
        keeps_uploads: Leave files at the provider.
    """

    def __init__(
        self, place: BatchPlace, tools: BatchTools, *, poll_s: float, keeps_uploads: bool
    ) -> None:
        self._place, self._tools = place, tools
        self._poll_s, self._keeps_uploads = poll_s, keeps_uploads
        self._open: dict[str, _Open] = {}

    def __len__(self) -> int:
        return len(self._open)

    @property
    def provider(self) -> str:
        """Where they are, for people."""
        return self._tools.provider.name

    async def recover(self) -> None:
        """Look for the batches that a process before this one has sent, or begun to send.

        Raises:
            StoppedError: The provider does not say, or the run is to stop.
            LMError: It refuses the key.
        """
        record, provider = self._tools.record, self._tools.provider
        for batch in record.batches(self._place.role):
            if batch.is_ended:
                if not batch.is_cleared:
                    await self._clear(batch.token, batch.files)
                continue
            batch_id = batch.batch_id or await self._patiently(provider.find, batch.token)
            if batch_id is None:
                await self._patiently(provider.files.delete_uploads, batch.token)
                record.drop(batch.token)
                continue
            record.placed(batch.token, batch_id=batch_id)
            self._open[batch.token] = _Open(batch.token, batch_id, batch.file_id)

    async def _patiently(self, ask: Callable[[str], Awaitable[Answer]], token: str) -> Answer:
        """Return the provider's answer, after as many tries as it takes."""
        problem = ""
        for attempt in range(_ATTEMPTS):
            try:
                return await ask(token)
            except TRANSPORT_ERRORS as error:
                problem = str(error)
                await self._tools.stop_signal.sleep(min(2.0**attempt, LONGEST_PAUSE_S))
        raise StoppedError(f"{self.provider} says nothing of the batches before: {problem}")

    async def send(self, calls: Sequence[BatchCall]) -> None:
        """Send calls as a batch.

        Raises:
            StoppedError: The provider does not take it, or the run is to stop.
            LMError: It refuses the key or a setting.
        """
        tools, place = self._tools, self._place
        token = uuid.uuid4().hex
        content = b"".join(tools.provider.line(call.custom_id, call.request) for call in calls)
        # Before anything is sent: whatever happens from here on, the provider can be asked for it.
        tools.record.begin(token, place.role, place.model, [call.custom_id for call in calls])
        batch = await self._placed(token, content)
        tools.say(
            f"{place.model}: {len(calls):,} calls of the {place.role} went to "
            f"{tools.provider.name} as batch {batch.batch_id}"
        )

    async def fetch(self) -> list[str]:
        """Return the ids of the calls whose batches have ended since the last look.

        Raises:
            StoppedError: The provider refused a batch as a whole.
        """
        now = time.monotonic()
        due = [one for one in self._open.values() if now - one.looked >= self._poll_s]
        return [custom_id for batch in due for custom_id in await self._ended_calls(batch)]

    async def _placed(self, token: str, content: bytes) -> _Open:
        """Upload a batch and have it begun, in as many tries as it takes."""
        tools, file_id, problem = self._tools, None, ""
        for attempt in range(_ATTEMPTS):
            try:
                # An answer that was lost on the way says nothing: the batch may be there.
                batch_id = await tools.provider.find(token) if attempt else None
                if batch_id is None and file_id is None:
                    file_id = await tools.provider.files.upload(token, content)
                    tools.record.placed(token, file_id=file_id)
                batch_id = batch_id or await tools.provider.create(str(file_id), token)
            except TRANSPORT_ERRORS as error:
                problem = str(error)
                await tools.stop_signal.sleep(min(2.0**attempt, LONGEST_PAUSE_S))
                continue
            tools.record.placed(token, batch_id=batch_id)
            self._open[token] = _Open(token, batch_id, file_id, time.monotonic())
            return self._open[token]
        raise StoppedError(f"{self.provider} takes no batch: {problem}")

    async def _ended_calls(self, batch: _Open) -> list[str]:
        tools = self._tools
        batch.looked = time.monotonic()
        try:
            state = await tools.provider.state(batch.batch_id)
            if not state.is_ended:
                return []
            files = state.files
            results = [one for file in files for one in await tools.provider.files.results(file)]
        except TRANSPORT_ERRORS as error:
            tools.say(f"{self.provider} says nothing of batch {batch.batch_id}: {error}")
            return []
        custom_ids = tools.record.ended(batch.token, results, files)
        del self._open[batch.token]
        await self._clear(batch.token, [batch.file_id, *files])
        if state.problem and not results:
            raise StoppedError(f"{self.provider} refused batch {batch.batch_id}: {state.problem}")
        return custom_ids

    async def _clear(self, token: str, files: Sequence[str | None]) -> None:
        """Delete the files of a batch at the provider."""
        for file in files:
            # One that stays costs nobody anything, and the provider deletes it in time.
            with contextlib.suppress(LMError):
                if file and not self._keeps_uploads:
                    await self._tools.provider.files.delete(file)
        self._tools.record.cleared(token)
