"""What a provider offers for batches."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from autoevol.experiments.models.transports.protocol import Request, Response


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
        body: The completion, or the error, as the provider writes it.
    """

    custom_id: str
    status: int
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Intent:
    """A batch that was going to be sent; whether it was, the provider has to say.

    Attributes:
        token: Ours.
        at: When it was noted, in seconds since 1970 by this machine's clock.
        requests: How many it has.
        file_id: Of its requests at the provider; None: they are not known to be there.
        others: Ids of this run's other batches.
    """

    token: str
    at: float
    requests: int
    file_id: str | None
    others: frozenset[str]


class UndecidedError(Exception):
    """A batch at the provider may be the one that is sought, which will be known when it ends."""

    def __init__(self, batch_id: str) -> None:
        super().__init__(batch_id)
        self.batch_id = batch_id


class BatchFiles(Protocol):
    """The files of batches at a provider.

    All methods raise an `LMError` by meaning, see `transports.errors`.
    """

    async def upload(self, token: str, content: bytes) -> str:
        """Return the id of the uploaded file, whose name holds the token; "": it takes none."""

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

    @property
    def most_bytes(self) -> int:
        """Of a batch."""

    async def line(self, custom_id: str, request: Request) -> bytes:
        """Return a request as a line of a batch."""

    async def create(self, token: str, file_id: str, content: bytes) -> str:
        """Return the id of a new batch of the lines in a file, or in `content`."""

    async def find(self, intent: Intent) -> str | None:
        """Return the id of the batch that an intent has led to; None: there is none.

        Raises:
            UndecidedError: It is too early to tell.
        """

    async def state(self, batch_id: str) -> BatchState:
        """Return what becomes of a batch."""

    async def cancel(self, batch_id: str) -> None:
        """Ask for the end of a batch; what is finished by then is paid, and has results."""

    async def reply(self, request: Request, result: BatchResult) -> Response:
        """Return the reply that a result holds; it raises what a single call would have."""
