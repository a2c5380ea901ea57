"""Four endpoints behind one role, one slow, one killed and started again.

Rows a second against the sum of what the living endpoints can answer: calls in flight by latency,
from the first to the last arrival, without the time in which nobody listens at the killed address.
`python -m benchmarks.endpoints` prints one JSON line. Calls that were made twice are counted at the
servers.
"""

import json
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from autoevol.experiments.models.settings import Address, ModelSettings
from benchmarks.generation import MODEL, open_generator, seeds
from benchmarks.plain_script import MAX_TOKENS
from benchmarks.server_process import ROOT, ServerProcess
from benchmarks.settings import as_options

SLOTS, LATENCY, SLOW = 16, 0.2, 0.8
DIES_AT, AWAY_S = 3.0, 4.0


@dataclass
class Server:
    """An endpoint that can be killed and started again at its port."""

    latency: float
    port: int = 0
    process: subprocess.Popen[str] | None = None

    def start(self) -> "Server":
        """Start it; at the first time at a free port."""
        options = as_options({"latency": self.latency, "serves": "world"})
        command = [sys.executable, "-m", "benchmarks.server", f"--port={self.port}", *options]
        self.process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        if self.process.stdout is None:
            raise RuntimeError("the server has no pipe")
        self.port = int(json.loads(self.process.stdout.readline())["url"].split(":")[2][:-3])
        return self

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}/v1"

    def kill(self) -> None:
        """Kill it without a word."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            if self.process.stdout is not None:
                self.process.stdout.close()


def main() -> None:
    """Run once, and print what was answered against what could be."""
    servers = [Server(latency).start() for latency in (LATENCY, LATENCY, SLOW, LATENCY)]
    try:
        sys.stdout.write(json.dumps(_measured(servers)) + "\n")
    finally:
        for server in servers:
            server.kill()


def _measured(servers: Sequence[Server]) -> dict[str, float]:
    rows, tally = seeds(6_000), Counter[str]()
    addresses = tuple(Address(server.url, SLOTS) for server in servers)
    model = ModelSettings(
        MODEL, role="evolver", api_base=addresses, max_tokens=MAX_TOKENS, concurrency=SLOTS
    )
    victim, away = servers[3], threading.Thread(target=_away, args=(servers[3],))
    with (
        tempfile.TemporaryDirectory() as folder,
        open_generator(model, Path(folder), tally) as (engine, generator),
    ):
        began = time.monotonic()
        away.start()
        engine.run(generator.generate(rows))
        seconds = time.monotonic() - began
    away.join()
    capacity = sum(SLOTS / server.latency for server in servers) * seconds
    capacity -= SLOTS / victim.latency * AWAY_S
    stats = [ServerProcess(server.url).stats() for server in servers]
    return {
        "rows": len(rows),
        "seconds": round(seconds, 2),
        "share_of_capacity": round(len(rows) / capacity, 3),
        "lost": tally["lost"],
        "repeated_good": sum(one["repeated_good"] for one in stats),
        **{f"requests_{n}": one["requests"] for n, one in enumerate(stats, 1)},
    }


def _away(server: Server) -> None:
    time.sleep(DIES_AT)
    server.kill()
    # A process takes a while to start, which belongs to the time that it is away.
    began = time.monotonic()
    time.sleep(AWAY_S - 0.5)
    server.start()
    time.sleep(max(0.0, AWAY_S - (time.monotonic() - began)))


if __name__ == "__main__":
    main()
