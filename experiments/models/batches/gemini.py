"""Batches of Gemini: requests go within the call that begins a batch, which has a name of ours."""

import json
import re
from collections.abc import Mapping
from typing import Any

from dspy.utils.exceptions import LMServerError

from autoevol.experiments.models.batches.own_api import OwnApi, OwnBatches, OwnFiles
from autoevol.experiments.models.batches.provider import BatchResult, BatchState, Intent
from autoevol.experiments.models.transports.protocol import Request

_PAGE = 100
_METHOD = re.compile(r"^(?P<root>.*)/(?P<model>models/[^/:]+):\w+$")
"""The address of a single call."""

_STATUS = {3: 400, 4: 504, 5: 404, 7: 403, 8: 429, 14: 503, 16: 401}
"""From the codes of gRPC, which errors within a batch have; any other is the provider's own."""


class GeminiFiles(OwnFiles):
    """The results of batches."""

    async def results(self, file_id: str) -> list[BatchResult]:
        """Return the results of a batch that has ended."""
        batch = await self._api.ask("GET", await _address(self._api, file_id))
        return [_result(one) for one in _responses(batch)]

    async def delete(self, file_id: str) -> None:
        """Delete a batch with its requests and results."""
        await self._api.ask("DELETE", await _address(self._api, file_id))


class GeminiBatches(OwnBatches):
    """Calls Gemini's interface for batches; see `BatchProvider`.

    Args:
        api: Of the provider.

    Attributes:
        name: For people.
        files: The results of its batches.
    """

    most_bytes = 18 << 20
    """It takes 20 MB without a file."""

    def __init__(self, api: OwnApi) -> None:
        super().__init__(api)
        self.name, self.files = "gemini", GeminiFiles(api)

    async def line(self, custom_id: str, request: Request) -> bytes:
        """Return a request as a line of a batch."""
        line = {"request": await self._api.body(request), "metadata": {"key": custom_id}}
        return json.dumps(line, ensure_ascii=False).encode("utf-8") + b"\n"

    async def create(self, token: str, file_id: str, content: bytes) -> str:
        """Return the id of a new batch of the lines in `content`."""
        requests = [json.loads(line) for line in content.splitlines()]
        inputs = {"requests": {"requests": requests}}
        body = {"batch": {"display_name": _name(token), "input_config": inputs}}
        root, model = await _root(self._api)
        return str(
            (await self._api.ask("POST", f"{root}/{model}:batchGenerateContent", body))["name"]
        )

    async def find(self, intent: Intent) -> str | None:
        """Return the id of the batch that has a token in its name."""
        root, _ = await _root(self._api)
        token: str | None = None
        while True:
            url = f"{root}/batches"
            page = await self._api.ask("GET", url, pageSize=_PAGE, pageToken=token) or {}
            for batch in page.get("operations") or ():
                if _metadata(batch).get("displayName") == _name(intent.token):
                    return str(batch["name"])
            token = page.get("nextPageToken")
            if not token:
                return None

    async def state(self, batch_id: str) -> BatchState:
        """Return what becomes of a batch."""
        batch = await self._api.ask("GET", await _address(self._api, batch_id))
        state = str(_metadata(batch).get("state", ""))
        has_failed = state.endswith("_FAILED")
        is_ended = bool(batch.get("done")) or state.endswith(
            ("_SUCCEEDED", "_CANCELLED", "_EXPIRED")
        )
        problem = (batch.get("error") or {}).get("message") or "it has failed"
        return BatchState(
            is_ended or has_failed,
            problem if has_failed else "",
            (batch_id,) if is_ended or has_failed else (),
        )

    async def cancel(self, batch_id: str) -> None:
        """Ask for the end of a batch."""
        await self._api.ask("POST", f"{await _address(self._api, batch_id)}:cancel")


def _name(token: str) -> str:
    return f"autoevol-{token}"


async def _root(api: OwnApi) -> tuple[str, str]:
    """Return the address of the interface, and the model's name there."""
    match = _METHOD.match(await api.url())
    if match is None:
        raise LMServerError(f"{api.model}: {await api.url()} is no address of a model")
    return match["root"], match["model"]


async def _address(api: OwnApi, batch_id: str) -> str:
    root, _ = await _root(api)
    return f"{root}/{batch_id}"


def _metadata(batch: Mapping[str, Any]) -> Mapping[str, Any]:
    return batch.get("metadata") or {}


def _responses(batch: Mapping[str, Any]) -> list[dict[str, Any]]:
    output = batch.get("response") or _metadata(batch).get("output") or {}
    responses = output.get("inlinedResponses") or {}
    # A list of results, in an object that has nothing else.
    return list(responses.get("inlinedResponses") or ())


def _result(one: Mapping[str, Any]) -> BatchResult:
    try:
        custom_id = str(one["metadata"]["key"])
        if one.get("response"):
            return BatchResult(custom_id, 200, one["response"])
        error = one["error"]
        status = _STATUS.get(int(error.get("code", 13)), 500)
        return BatchResult(custom_id, status, {"error": {**error, "code": status}})
    except (KeyError, AttributeError, TypeError, ValueError) as error:
        raise LMServerError(f"a result of a batch cannot be read: {error!r}") from error
