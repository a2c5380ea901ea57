"""An OpenAI-compatible endpoint on loopback, with faults, limits and figures on demand.

`python -m benchmarks.server --latency 0.2` prints one JSON line with its url and serves

- `POST /v1/chat/completions`: the scripted world's text, as the settings say;
- `POST /settings`: takes a JSON object of changes, answers with all settings;
- `GET /v1/models`: the name in the settings;
- `GET /stats`: what it has seen since the last reset;
- `POST /reset`: zeroes the stats, and starts draws, cap and the numbers of requests anew.
"""

import argparse
import asyncio
import json
import os
import signal
import sys
import threading

from benchmarks.connection import Connection
from benchmarks.desk import Desk
from benchmarks.settings import Settings, add_options, from_options

BACKLOG = 4096


def main() -> None:
    """Serve until the process is told to end."""
    parser = argparse.ArgumentParser(
        description=f"{__doc__}\n{Settings.__doc__}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--port", type=int, default=0, help="0: a free one")
    parser.add_argument("--die-with-parent", action="store_true", help="end when stdin is closed")
    add_options(parser)
    options = parser.parse_args()
    asyncio.run(_serve(from_options(options), options.port, dies=options.die_with_parent))


async def _serve(settings: Settings, port: int, *, dies: bool) -> None:
    loop, ended = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ended.set)
    if dies:
        threading.Thread(target=_watch_stdin, args=(loop, ended), daemon=True).start()
    desk = Desk(settings, loop)
    server = await loop.create_server(lambda: Connection(desk), "127.0.0.1", port, backlog=BACKLOG)
    found = server.sockets[0].getsockname()[1]
    sys.stdout.write(json.dumps({"url": f"http://127.0.0.1:{found}/v1"}) + "\n")
    sys.stdout.flush()
    await ended.wait()
    server.close()


def _watch_stdin(loop: asyncio.AbstractEventLoop, ended: asyncio.Event) -> None:
    while os.read(sys.stdin.fileno(), 4096):
        continue
    loop.call_soon_threadsafe(ended.set)


if __name__ == "__main__":
    main()
