"""The scripted world, counted, and stopped by its user at a call."""

import os
import signal
from collections.abc import Sequence

from autoevol.experiments.models.transports import scripted
from autoevol.experiments.models.transports.protocol import Message
from autoevol.experiments.models.transports.scripted import world


def counting(calls: list[int], *, interrupt_at: int | None = None) -> scripted.Script:
    """Return the world, counting its calls; at one of them the user presses Ctrl-C."""

    def script(messages: Sequence[Message], draw: int) -> str:
        calls.append(draw)
        if len(calls) == interrupt_at:
            os.kill(os.getpid(), signal.SIGINT)
        return world(messages, draw)

    return script
