"""Rows in blocks, a bounded number of blocks at work."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator
from itertools import islice
from typing import TypeVar

Item = TypeVar("Item")


async def run_blocks(
    items: Iterable[Item],
    work: Callable[[list[Item]], Awaitable[object]],
    *,
    size: int,
    in_flight: int,
) -> None:
    """Do `work` on every block of `size` items, `in_flight` blocks at a time.

    Items are taken one block after the other as the work goes on. An error of one block ends the
    others.
    """
    blocks = _blocks(items, size)

    async def worker() -> None:
        for block in blocks:
            await work(block)

    workers = [asyncio.create_task(worker()) for _ in range(in_flight)]
    try:
        await asyncio.gather(*workers)
    finally:
        for task in workers:
            task.cancel()
        await asyncio.gather(*workers, return_exceptions=True)


def _blocks(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    source = iter(items)
    while block := list(islice(source, size)):
        yield block
