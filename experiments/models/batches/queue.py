"""The calls of one role that wait for a batch, and for its end."""

import asyncio
import contextlib
import hashlib
import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from dspy.utils.exceptions import LMError, LMTransportError

from autoevol.experiments.models.batch_options import BatchOptions
from autoevol.experiments.models.batches.sending import BatchCall, OpenBatches
from autoevol.experiments.models.batches.tools import BatchPlace, BatchTools
from autoevol.experiments.models.transports.dialect import AdaptingTransport
from autoevol.experiments.models.transports.protocol import Request, Response
from autoevol.program.errors import StoppedError

TICK_S = 0.25
"""Seconds between two looks at the queue."""

Keep = Callable[[Response], Awaitable[None]]
"""Stores a reply that will be used."""


class SingleCallError(Exception):
    """Too few calls wait for a batch: this one is to be made by itself."""


class BatchQueue:
    """Gathers calls to batches; used from one event loop.

    Args:
        place: Whose calls they are.
        options: How large batches are, and how long calls wait.
        tools: What sends and remembers them.

    Attributes:
        is_open: Calls go to batches: a bulk phase is under way.
        batches: Those at the provider.
    """

    def __init__(self, place: BatchPlace, options: BatchOptions, tools: BatchTools) -> None:
        self.is_open = False
        self.batches = OpenBatches(
            place, tools, poll_s=options.poll, keeps_uploads=options.keep_uploads
        )
        self._place, self._options, self._tools = place, options, tools
        self._waiting: list[BatchCall] = []
        self._futures: dict[str, asyncio.Future[None]] = {}
        self._arrived = 0.0
        self._worker: asyncio.Task[None] | None = None
        self._recovering: asyncio.Task[None] | None = None

    async def ask(self, request: Request, settle: Keep) -> Response:
        """Return the reply to a call, which is settled by then, in the endpoint's dialect.

        Args:
            request: Of the call.
            settle: Awaited with the reply.

        Raises:
            SingleCallError: Too few calls wait for a batch.
            StoppedError: The run is to stop.
            LMError: The provider refused the request, or the batch ended without its result.
        """
        asking = _Asking(self, settle)
        return await AdaptingTransport(asking, self._tools.dialect, self._tools.say).send(request)

    async def answer(self, request: Request, settle: Keep) -> Response:
        """Do what `ask` does, in the dialect as it is known now."""
        await self._recovered()
        record, call = self._tools.record, BatchCall(_custom_id(self._place, request), request)
        item = record.find(call.custom_id)
        if item is None or not item.is_ended:
            await self._end_of(call, is_new=item is None)
            item = record.find(call.custom_id)
        if item is None:
            raise LMTransportError(f"{self._place.model}: the batch is gone")
        try:
            if item.result is None:
                raise _without_result(self._place)
            reply = await self._tools.provider.reply(request, item.result)
        except LMError:
            record.used(call.custom_id, item.token)
            raise
        reply = replace(reply, price_share=self._options.price_share)
        await settle(reply)
        # Only now: after a kill before this line, the result is found here again.
        record.used(call.custom_id, item.token)
        return reply

    async def close(self) -> None:
        """Wait no longer; batches at the provider go on."""
        for task in (self._worker, self._recovering):
            if task is not None:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError, Exception):
                    await task

    async def _recovered(self) -> None:
        """Look once for the batches that a process before this one has sent."""
        if self._recovering is None:
            self._recovering = asyncio.create_task(self.batches.recover())
        await asyncio.shield(self._recovering)

    async def _end_of(self, call: BatchCall, *, is_new: bool) -> None:
        """Wait for the end of the batch that holds a call."""
        future = self._futures.get(call.custom_id)
        if future is None:
            future = asyncio.get_running_loop().create_future()
            self._futures[call.custom_id] = future
            if is_new:
                self._waiting.append(call)
                self._arrived = time.monotonic()
        if self._worker is None or self._worker.done():
            self._worker = asyncio.create_task(self._work())
        try:
            await future
        except asyncio.CancelledError:
            self._futures.pop(call.custom_id, None)
            raise

    async def _work(self) -> None:
        """Send what waits and fetch what has ended, as long as a call waits."""
        try:
            while self._futures:
                self._tools.stop_signal.raise_if_set()
                if self._is_due():
                    await self._send()
                for custom_id in await self.batches.fetch():
                    self._wake(custom_id, None)
                await asyncio.sleep(TICK_S)
        # Whatever it is: the calls that wait would wait for ever.
        except BaseException as error:
            is_own = isinstance(error, Exception)
            problem = error if isinstance(error, Exception) else StoppedError("the run has ended")
            self._waiting.clear()
            for custom_id in [*self._futures]:
                self._wake(custom_id, problem)
            if not is_own:
                raise

    def _wake(self, custom_id: str, problem: Exception | None) -> None:
        future = self._futures.pop(custom_id, None)
        if future is None or future.done():
            return
        if problem is None:
            future.set_result(None)
        else:
            future.set_exception(problem)

    def _is_due(self) -> bool:
        is_full = len(self._waiting) >= self._options.max_requests
        is_quiet = time.monotonic() - self._arrived >= self._options.max_wait
        return bool(self._waiting) and (is_full or is_quiet)

    async def _send(self) -> None:
        """Send the calls that wait, as a batch or, where they are few, one by one."""
        most = self._options.max_requests
        chosen, self._waiting = self._waiting[:most], self._waiting[most:]
        if len(chosen) >= self._options.min_rows:
            for custom_id, refusal in await self.batches.send(chosen):
                self._wake(custom_id, refusal)
            return
        for call in chosen:
            self._wake(call.custom_id, SingleCallError())


def _custom_id(place: BatchPlace, request: Request) -> str:
    """Return a request's id: a function of what it asks, so that it is known after a kill."""
    content = [place.role, place.identity, request.body()]
    text = json.dumps(content, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:48]


def _without_result(place: BatchPlace) -> LMError:
    return LMTransportError(f"{place.model}: the batch ended without this request")


@dataclass(frozen=True, slots=True)
class _Asking:
    """Asks a queue as one asks a transport."""

    queue: BatchQueue
    settle: Keep

    async def send(self, request: Request) -> Response:
        return await self.queue.answer(request, self.settle)

    async def close(self) -> None:
        """Close nothing: the queue goes on."""
