"""The scripted model with its calls counted, and with Ctrl-C pressed at one of them."""

import os
import signal
from collections.abc import Sequence

from autoevol.experiments.models.transports import scripted
from autoevol.experiments.models.transports.protocol import Message
from autoevol.experiments.models.transports.scripted import world


def counting(calls: list[int], *, interrupt_at: int | None = None) -> scripted.Script:
    """Return a script that counts its calls and presses Ctrl-C at one of them."""

    def script(messages: Sequence[Message], draw: int) -> str:
        calls.append(draw)
        if len(calls) == interrupt_at:
            os.kill(os.getpid(), signal.SIGINT)
        return world(messages, draw)

    return script
