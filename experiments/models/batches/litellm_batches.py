"""Batches in OpenAI's form through litellm: OpenAI, Azure, and servers that speak it."""

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from dspy.utils.exceptions import LMError, LMServerError, LMTransportError

from autoevol.experiments.models.batches.provider import BatchResult, BatchState, Intent
from autoevol.experiments.models.transports.dialect import Dialect
from autoevol.experiments.models.transports.errors import error_for, quoted
from autoevol.experiments.models.transports.protocol import Request, Response
from autoevol.experiments.models.transports.replies.reading import read_reply
from autoevol.experiments.models.transports.secrets import Secret

_ENDED = ("completed", "failed", "expired", "cancelled")
_TOKEN = "autoevol"
"""The key of a batch's metadata that holds our token."""
_PAGE = 100
_OK = 200


class _Caller:
    """Calls litellm for one provider, and says what its errors mean."""

    def __init__(self, provider: str, model: str, connection: Mapping[str, Any]) -> None:
        self.name = str(connection.get("api_base") or provider)
        self._model = model
        self._options = {"custom_llm_provider": provider, **connection}
        self.secret = Secret(connection.get("api_key"))

    async def __call__(self, function: Callable[..., Awaitable[Any]], **arguments: Any) -> Any:
        import openai

        try:
            return await function(**arguments, **self._options, max_retries=0)
        except openai.APIConnectionError as error:
            problem = quoted(str(error), self.secret)
            raise LMTransportError(f"{self.name}: connection failed: {problem}") from None
        except openai.OpenAIError as error:
            raise self._error(error) from None
        except TimeoutError:
            raise LMTransportError(f"{self.name}: no reply in time") from None

    def _error(self, error: Any) -> LMError:
        status = int(getattr(error, "status_code", None) or 500)
        return error_for(status, str(error), self._model, secret=self.secret)


class LitellmFiles:
    """The files of batches; see `BatchFiles`.

    Args:
        call: Of the provider.
    """

    def __init__(self, call: _Caller) -> None:
        self._call = call

    async def upload(self, token: str, content: bytes) -> str:
        """Return the id of the uploaded file."""
        import litellm

        file = (f"{_TOKEN}-{token}.jsonl", content)
        stored = await self._call(litellm.acreate_file, file=file, purpose="batch")
        return str(stored.id)

    async def results(self, file_id: str) -> list[BatchResult]:
        """Return the results in a file."""
        import litellm

        content = await self._call(litellm.afile_content, file_id=file_id)
        return [_result(line) for line in content.content.splitlines() if line.strip()]

    async def delete(self, file_id: str) -> None:
        """Delete a file."""
        import litellm

        await self._call(litellm.afile_delete, file_id=file_id)

    async def delete_uploads(self, token: str) -> None:
        """Delete the files whose names hold a token."""
        import litellm

        # The newest come first, and this one is as new as the kill.
        page = await self._call(litellm.afile_list, purpose="batch")
        for file in page.data:
            if token in str(file.filename):
                await self.delete(str(file.id))


class LitellmBatches:
    """Calls litellm's functions for batches; see `BatchProvider`.

    Args:
        provider: As litellm calls it: `openai`, `azure`, ….
        model: Its name at the provider.
        connection: `api_base`, `api_key`; those that are set.
        params: Passed through in every request.
        dialect: The form in which the endpoint takes requests.

    Attributes:
        name: For people.
        files: Of its batches.
    """

    most_bytes = 190 << 20
    """OpenAI takes 200 MB."""

    def __init__(
        self,
        provider: str,
        *,
        model: str,
        connection: Mapping[str, Any],
        params: Mapping[str, Any],
        dialect: Dialect,
    ) -> None:
        self._call = _Caller(provider, model, connection)
        self.name, self.files = self._call.name, LitellmFiles(self._call)
        self._model, self._params, self._dialect = model, params, dialect

    async def line(self, custom_id: str, request: Request) -> bytes:
        """Return a request as a line of a batch."""
        body = {"model": self._model, **self._dialect.body(request), **self._params}
        line = {
            "custom_id": custom_id,
            "method": "POST",
            "url": "/v1/chat/completions",
            "body": body,
        }
        return json.dumps(line, ensure_ascii=False).encode("utf-8", "replace") + b"\n"

    async def create(self, token: str, file_id: str, content: bytes) -> str:
        """Return the id of a new batch of the lines in a file."""
        import litellm

        batch = await self._call(
            litellm.acreate_batch,
            completion_window="24h",
            endpoint="/v1/chat/completions",
            input_file_id=file_id,
            metadata={_TOKEN: token},
        )
        return str(batch.id)

    async def find(self, intent: Intent) -> str | None:
        """Return the id of the batch that carries a token, or that has the intent's file."""
        import litellm

        after: str | None = None
        while True:
            page = await self._call(litellm.alist_batches, after=after, limit=_PAGE)
            for batch in page.data:
                # Some servers keep no metadata.
                is_of_file = intent.file_id is not None and batch.input_file_id == intent.file_id
                if is_of_file or (batch.metadata or {}).get(_TOKEN) == intent.token:
                    return str(batch.id)
            if not page.data or not getattr(page, "has_more", False):
                return None
            after = str(page.data[-1].id)

    async def state(self, batch_id: str) -> BatchState:
        """Return what becomes of a batch."""
        import litellm

        batch = await self._call(litellm.aretrieve_batch, batch_id=batch_id)
        files = (batch.output_file_id, batch.error_file_id)
        errors = getattr(batch.errors, "data", None) or []
        problem = "; ".join(str(error.message) for error in errors) or "it has failed"
        return BatchState(
            batch.status in _ENDED,
            # What expired or was cancelled is no fault of the batch: its requests go again.
            problem if batch.status == "failed" else "",
            tuple(str(file) for file in files if file),
        )

    async def cancel(self, batch_id: str) -> None:
        """Ask for the end of a batch."""
        import litellm

        await self._call(litellm.acancel_batch, batch_id=batch_id)

    async def reply(self, request: Request, result: BatchResult) -> Response:
        """Return the reply that a result holds."""
        if result.status != _OK:
            text = json.dumps(result.body, ensure_ascii=False)
            raise error_for(result.status, text, self._model, secret=self._call.secret)
        return read_reply(
            result.body, request, model=self._model, secret=self._call.secret, seconds=0.0
        )


def _result(line: bytes) -> BatchResult:
    try:
        tree = json.loads(line)
        response = tree.get("response") or {}
        error = tree.get("error") or {}
        body = response.get("body") or {"error": error}
        status = response.get("status_code") or 500
        return BatchResult(str(tree["custom_id"]), int(status), body)
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        raise LMServerError(f"a line of a batch's results cannot be read: {error}") from error
