"""Rows in blocks: a bounded number of blocks at work, each outcome delivered as it is finished."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from itertools import islice

from program.records import Outcome, Row

Work = Callable[[Sequence[Row]], Awaitable[Sequence[Outcome]]]


async def run_blocks(
    rows: Iterable[Row],
    work: Work,
    deliver: Callable[[Outcome], None],
    *,
    size: int,
    in_flight: int,
) -> None:
    """Do `work` on every block of `size` rows, `in_flight` blocks at a time.

    An error of one block ends the others; what was delivered stays delivered.
    """
    blocks = _blocks(rows, size)

    async def worker() -> None:
        for block in blocks:
            for outcome in await work(block):
                deliver(outcome)

    workers = [asyncio.create_task(worker()) for _ in range(in_flight)]
    try:
        await asyncio.gather(*workers)
    finally:
        for task in workers:
            task.cancel()
        await asyncio.gather(*workers, return_exceptions=True)


def _blocks(rows: Iterable[Row], size: int) -> Iterator[list[Row]]:
    source = iter(rows)
    while block := list(islice(source, size)):
        yield block
