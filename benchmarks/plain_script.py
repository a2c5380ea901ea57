"""The limit: what a plain script reaches that asks the same and keeps only a journal.

`python -m benchmarks.plain_script URL ROWS CONCURRENCY` prints its figures as one JSON line.
"""

import asyncio
import json
import random
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

import aiohttp

from autoevol.program.adapter import PlainAdapter
from autoevol.signatures import shipped_methods
from benchmarks.stopwatch import Stopwatch

FIRST_WAIT_S = 0.1
LONGEST_WAIT_S = 1.0
"""Short enough that a cap is used up; longer waits leave it idle at the end."""
METHOD = "weak"
MAX_TOKENS = 2048
FIRST_DRAW = 10**9
"""A seed of ten digits, as most of the program's are."""
_PLACE = "{row}"

Body = dict[str, Any]


def seed_text(number: int) -> str:
    """Return the text of a seed."""
    return f"List the {number} largest rivers of Europe."


async def run(url: str, rows: int, concurrency: int) -> None:
    """Ask for every row until it is answered, with a journal that goes when this returns."""
    bodies = _bodies(rows)
    connector = aiohttp.TCPConnector(limit=concurrency)
    with tempfile.TemporaryDirectory() as folder, (Path(folder) / "journal").open("w") as journal:
        async with aiohttp.ClientSession(connector=connector) as session:
            script = _Script(session, f"{url}/chat/completions", journal)
            await asyncio.gather(*(script.work(bodies) for _ in range(concurrency)))


class _Script:
    """A worker's loop and what all workers share."""

    def __init__(self, session: aiohttp.ClientSession, url: str, journal: TextIO) -> None:
        self._session = session
        self._url = url
        self._journal = journal

    async def work(self, bodies: Iterator[Body]) -> None:
        """Take the next row until there is none."""
        for body in bodies:
            text = await self._answered(body)
            self._journal.write(json.dumps({"seed": body["seed"], "text": text}) + "\n")
            self._journal.flush()

    async def _answered(self, body: Body) -> str:
        wait = FIRST_WAIT_S
        while True:
            if text := await self._asked(body):
                return text
            await asyncio.sleep(random.uniform(0, wait))
            wait = min(2 * wait, LONGEST_WAIT_S)

    async def _asked(self, body: Body) -> str | None:
        """Return the text; None where another try is needed."""
        try:
            async with self._session.post(self._url, json=body) as response:
                if response.status != 200:
                    return None
                found = await response.json()
                return str(found["choices"][0]["message"]["content"])
        except (aiohttp.ClientError, TimeoutError, ValueError, LookupError, TypeError):
            return None


def _bodies(rows: int) -> Iterator[Body]:
    """Yield what the program asks: the method as system turn, the row as its adapter writes it."""
    signature = shipped_methods()[METHOD].signature
    system, user = PlainAdapter().format(signature, [], {"instruction": _PLACE})
    for number in range(1, rows + 1):
        turn = {"role": "user", "content": user["content"].replace(_PLACE, seed_text(number))}
        yield {
            "model": "world",
            "messages": [system, turn],
            "max_tokens": MAX_TOKENS,
            "seed": FIRST_DRAW + number,
        }


def main() -> None:
    """Run with the arguments of the command line."""
    url, rows, concurrency = sys.argv[1:]
    watch = Stopwatch()
    asyncio.run(run(url, int(rows), int(concurrency)))
    watch.stop()
    watch.report()


if __name__ == "__main__":
    main()
