"""Batches on their way: sent once, found again after a kill, fetched when they have ended."""

import contextlib
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from dspy.utils.exceptions import LMError

from autoevol.experiments.models.batches.search import ATTEMPTS, BatchSearch, pause_s
from autoevol.experiments.models.batches.tools import BatchPlace, BatchTools
from autoevol.experiments.models.transports.protocol import Request
from autoevol.program.errors import StoppedError
from autoevol.program.lm_errors import TRANSPORT_ERRORS


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
        self._search = BatchSearch(tools, poll_s)
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
            batch_id = batch.batch_id or await self._search.patiently(
                self._search.found, batch.token
            )
            if batch_id is None:
                await self._search.patiently(provider.files.delete_uploads, batch.token)
                record.drop(batch.token)
                continue
            record.placed(batch.token, batch_id=batch_id)
            self._open[batch.token] = _Open(batch.token, batch_id, batch.file_id)

    async def send(self, calls: Sequence[BatchCall]) -> list[tuple[str, LMError]]:
        """Send calls as a batch, or as several where the provider takes no more at once.

        Returns:
            The ids of those that make no request of this provider, with what is wrong with them.

        Raises:
            StoppedError: The provider does not take it, or the run is to stop.
            LMError: It refuses the key or a setting.
        """
        provider, refused = self._tools.provider, []
        lines: list[tuple[str, bytes]] = []
        size = 0
        for call in calls:
            try:
                line = await provider.line(call.custom_id, call.request)
            except LMError as error:
                refused.append((call.custom_id, error))
                continue
            if lines and size + len(line) > provider.most_bytes:
                await self._send(lines)
                lines, size = [], 0
            lines.append((call.custom_id, line))
            size += len(line)
        if lines:
            await self._send(lines)
        return refused

    async def _send(self, lines: Sequence[tuple[str, bytes]]) -> None:
        tools, place = self._tools, self._place
        token = uuid.uuid4().hex
        # Before anything is sent: whatever happens from here on, the provider can be asked for it.
        tools.record.begin(token, place.role, place.model, [custom_id for custom_id, _ in lines])
        batch = await self._placed(token, b"".join(line for _, line in lines))
        tools.say(
            f"{place.model}: {len(lines):,} calls of the {place.role} went to "
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
        for attempt in range(ATTEMPTS):
            try:
                # An answer that was lost on the way says nothing: the batch may be there.
                batch_id = await self._search.found(token) if attempt else None
                if batch_id is None and file_id is None:
                    file_id = await tools.provider.files.upload(token, content)
                    tools.record.placed(token, file_id=file_id)
                batch_id = batch_id or await tools.provider.create(token, str(file_id), content)
            except TRANSPORT_ERRORS as error:
                problem = str(error)
                await tools.stop_signal.sleep(pause_s(attempt))
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
