"""What a provider offers for batches."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from autoevol.experiments.models.transports.protocol import Request


@dataclass(frozen=True, slots=True)
class BatchState:
    """What a provider says of a batch.

    Attributes:
        is_ended: Nothing more will come of it.
        problem: Why the provider did not take it; "": it did.
        files: Ids of the files with its results.
    """

    is_ended: bool
    problem: str = ""
    files: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BatchResult:
    """What came of one request of a batch.

    Attributes:
        custom_id: Of the request.
        status: As HTTP has it.
        body: The completion, or the error.
    """

    custom_id: str
    status: int
    body: Mapping[str, Any]


class BatchFiles(Protocol):
    """The files of batches at a provider.

    All methods raise an `LMError` by meaning, see `transports.errors`.
    """

    async def upload(self, token: str, content: bytes) -> str:
        """Return the id of the uploaded file, whose name holds the token."""

    async def results(self, file_id: str) -> list[BatchResult]:
        """Return the results in a file."""

    async def delete(self, file_id: str) -> None:
        """Delete a file."""

    async def delete_uploads(self, token: str) -> None:
        """Delete the files whose names hold a token."""


class BatchProvider(Protocol):
    """The batch interface of one provider, for one model.

    All methods raise an `LMError` by meaning, see `transports.errors`.
    """

    @property
    def name(self) -> str:
        """For people."""

    @property
    def files(self) -> BatchFiles:
        """The files of its batches."""

    def line(self, custom_id: str, request: Request) -> bytes:
        """Return the line of a request in the file of a batch."""

    async def create(self, file_id: str, token: str) -> str:
        """Return the id of a batch that carries the token."""

    async def find(self, token: str) -> str | None:
        """Return the id of the batch that carries a token; None: there is none."""

    async def state(self, batch_id: str) -> BatchState:
        """Return what becomes of a batch."""

    async def cancel(self, batch_id: str) -> None:
        """Ask for the end of a batch; what is finished by then is paid, and has results."""
