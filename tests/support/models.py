"""A DSPy model that is a function, for tests that know each reply."""

from collections.abc import Callable
from typing import Any

import dspy

from autoevol.program.calls import CallRecord, report_call

Reply = Callable[[str, str, int], str]
"""Takes the system turn, the last turn and the draw; returns the reply."""


class Model(dspy.BaseLM):
    """Replies by a function, and keeps the first and the last turn of each prompt."""

    def __init__(self, reply: Reply) -> None:
        super().__init__("scripted")
        self.reply = reply
        self.systems: list[str] = []
        self.users: list[str] = []

    async def acall(self, prompt: Any = None, *, messages: Any = None, **kw: Any) -> list[str]:
        """Return one reply."""
        self.systems.append(messages[0]["content"])
        self.users.append(messages[-1]["content"])
        text = self.reply(messages[0]["content"], messages[-1]["content"], kw["rollout_id"])
        report_call(CallRecord("", "scripted", text, False, False, 1, 0, 0, 1, 0.0, None))
        return [text]
