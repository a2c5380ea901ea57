"""Batches of Anthropic: requests go within the call that begins a batch.

Nothing that is ours travels with a batch but the ids of its requests, and they come back with the
results alone. So a batch that was begun before a kill is known for certain once it has ended.
"""

import json
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

from dspy.utils.exceptions import LMServerError

from autoevol.experiments.models.batches.own_api import OwnApi, OwnBatches, OwnFiles
from autoevol.experiments.models.batches.provider import (
    BatchResult,
    BatchState,
    Intent,
    UndecidedError,
)
from autoevol.experiments.models.transports.protocol import Request

_PAGE = 100
_CLOCKS_S = 600.0
"""Seconds by which the clocks of provider and run may differ."""

_TAIL = 12
"""Characters of the token behind each id: 64 are allowed, and ours have 48."""

_STATUS = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "timeout_error": 504,
    "overloaded_error": 529,
}
"""Of a request that failed; any other error is the provider's own."""


class AnthropicFiles(OwnFiles):
    """The results of batches."""

    async def results(self, file_id: str) -> list[BatchResult]:
        """Return the results of a batch that has ended."""
        url = f"{await self._api.url()}/batches/{file_id}/results"
        lines = (await self._api.content("GET", url)).splitlines()
        results = [_result(line) for line in lines if line.strip()]
        return [result for result in results if result is not None]

    async def delete(self, file_id: str) -> None:
        """Delete a batch with its requests and results."""
        await self._api.ask("DELETE", f"{await self._api.url()}/batches/{file_id}")


class AnthropicBatches(OwnBatches):
    """Calls Anthropic's interface for batches; see `BatchProvider`.

    Args:
        api: Of the provider.

    Attributes:
        name: For people.
        files: The results of its batches.
    """

    most_bytes = 230 << 20
    """It takes 256 MB."""

    def __init__(self, api: OwnApi) -> None:
        super().__init__(api)
        self.name, self.files = "anthropic", AnthropicFiles(api)

    async def line(self, custom_id: str, request: Request) -> bytes:
        """Return a request as a line of a batch."""
        line = {"custom_id": custom_id, "params": await self._api.body(request)}
        return json.dumps(line, ensure_ascii=False).encode("utf-8") + b"\n"

    async def create(self, token: str, file_id: str, content: bytes) -> str:
        """Return the id of a new batch of the lines in `content`."""
        requests = [json.loads(line) for line in content.splitlines()]
        for request in requests:
            request["custom_id"] += _tail(token)
        batch = await self._api.ask("POST", await self._batches(), {"requests": requests})
        return str(batch["id"])

    async def find(self, intent: Intent) -> str | None:
        """Return the id of the batch whose requests carry a token."""
        undecided = ""
        async for batch in self._since(intent.at - _CLOCKS_S):
            if not _may_be(batch, intent):
                continue
            if batch["processing_status"] != "ended":
                undecided = str(batch["id"])
            elif await self._is_of(batch, intent):
                return str(batch["id"])
        if undecided:
            raise UndecidedError(undecided)
        return None

    async def _since(self, first: float) -> AsyncIterator[dict[str, Any]]:
        """Yield the batches from a time on, the newest first, as they are listed."""
        after: str | None = None
        while True:
            page = await self._api.ask("GET", await self._batches(), limit=_PAGE, after_id=after)
            for batch in page["data"]:
                if datetime.fromisoformat(str(batch["created_at"])).timestamp() < first:
                    return
                yield batch
            if not page.get("has_more"):
                return
            after = str(page["data"][-1]["id"])

    async def state(self, batch_id: str) -> BatchState:
        """Return what becomes of a batch."""
        batch = await self._api.ask("GET", f"{await self._batches()}/{batch_id}")
        is_ended = batch["processing_status"] == "ended"
        return BatchState(is_ended, files=(batch_id,) if is_ended else ())

    async def cancel(self, batch_id: str) -> None:
        """Ask for the end of a batch."""
        await self._api.ask("POST", f"{await self._batches()}/{batch_id}/cancel")

    async def _batches(self) -> str:
        return f"{await self._api.url()}/batches"

    async def _is_of(self, batch: dict[str, Any], intent: Intent) -> bool:
        if not batch.get("results_url"):
            return False
        url = f"{await self._batches()}/{batch['id']}/results"
        content = await self._api.content("GET", url)
        return _tail(intent.token).encode() in content.split(b"\n", 1)[0]


def _tail(token: str) -> str:
    return f"-{token[:_TAIL]}"


def _may_be(batch: dict[str, Any], intent: Intent) -> bool:
    count = sum(int(number) for number in batch["request_counts"].values())
    return count == intent.requests and str(batch["id"]) not in intent.others


def _result(line: bytes) -> BatchResult | None:
    """Return what came of a request; None: nothing, it was cancelled or has expired."""
    try:
        tree = json.loads(line)
        custom_id, result = str(tree["custom_id"]), tree["result"]
        custom_id = custom_id[: -_TAIL - 1]
        if result["type"] == "succeeded":
            return BatchResult(custom_id, 200, result["message"])
        if result["type"] == "errored":
            error = result["error"]
            kind = (error.get("error") or error).get("type")
            return BatchResult(custom_id, _STATUS.get(kind, 500), error)
        return None
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        raise LMServerError(f"a line of a batch's results cannot be read: {error}") from error
