"""What an endpoint takes of a request: settings it refuses are dropped or sent by another name."""

from collections.abc import Callable, Mapping
from typing import Any

from autoevol.experiments.models.transports.errors import SettingError
from autoevol.experiments.models.transports.protocol import Request, Response, Transport

OURS = ("temperature", "top_p", "max_tokens", "seed", "response_format")
"""Settings of a request that an endpoint may go without; the user's `params` are sent as they are,
or the run stops."""


class Dialect:
    """The form in which one endpoint takes requests; its transports share it.

    It is learned from refusals and kept for the run. The ledger's keys know nothing of it: they
    hold what was asked for.

    Args:
        renames: Settings that are known to go by another name.
        is_streaming: Ask for a stream from the first request on.

    Attributes:
        is_streaming: Replies are asked for as a stream.
    """

    def __init__(
        self, renames: Mapping[str, str] | None = None, *, is_streaming: bool = False
    ) -> None:
        self.is_streaming = is_streaming
        self._renames = dict(renames or {})
        self._dropped: set[str] = set()

    def body(self, request: Request) -> dict[str, Any]:
        """Return a request's body without what is dropped, and under the endpoint's own names."""
        body = request.body()
        return {
            self._wire_name(name): value
            for name, value in body.items()
            if name not in self._dropped
        }

    def learn(self, refused: SettingError, sent: Mapping[str, Any]) -> str | None:
        """Take a refusal into account.

        Args:
            refused: The endpoint's refusal.
            sent: The body that it refused.

        Returns:
            A note for the user; "": another request's refusal has changed the dialect meanwhile;
            None: nothing here mends it.
        """
        if refused.setting == "stream":
            return self._stream()
        setting = self._own_name(refused.setting)
        names = {name for name in sent if self._own_name(name) == setting}
        if not refused.can_drop or setting not in OURS or not names:
            return None
        is_current = setting not in self._dropped and self._wire_name(setting) in names
        return self._change(setting, refused.replacement) if is_current else ""

    def _stream(self) -> str:
        if self.is_streaming:
            return ""
        self.is_streaming = True
        return "replies in a stream only: asked for one"

    def _change(self, setting: str, replacement: str) -> str:
        if replacement and self._wire_name(setting) != replacement:
            self._renames[setting] = replacement
            return f"takes {replacement} instead of {setting}: sent so"
        self._dropped.add(setting)
        return f"takes no {setting}: dropped"

    def _wire_name(self, setting: str) -> str:
        return self._renames.get(setting, setting)

    def _own_name(self, name: str) -> str:
        return next((ours for ours, theirs in self._renames.items() if theirs == name), name)


class AdaptingTransport:
    """Sends a request again in the endpoint's dialect when a setting of it is refused.

    A refused request is not paid and says nothing about its row, so it counts as no attempt.

    Args:
        inner: Sends the requests; its bodies are of the same dialect.
        dialect: Of the endpoint.
        say: Takes one line for the user.
    """

    def __init__(self, inner: Transport, dialect: Dialect, say: Callable[[str], None]) -> None:
        self._inner = inner
        self._dialect = dialect
        self._say = say

    async def send(self, request: Request) -> Response:
        """Return the reply; see `Transport`."""
        while True:
            sent, was_streaming = self._dialect.body(request), self._dialect.is_streaming
            try:
                return await self._inner.send(request)
            except SettingError as refused:
                if refused.setting == "stream" and was_streaming:
                    raise
                note = self._dialect.learn(refused, sent)
                if note is None:
                    raise
                if note:
                    self._say(note)

    async def close(self) -> None:
        """Release what the inner transport holds."""
        await self._inner.close()
