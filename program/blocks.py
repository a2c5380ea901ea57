"""Work on items in blocks, with a bounded number of blocks at a time."""

import asyncio
import contextvars
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import Any, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def run_here(work: Coroutine[Any, Any, Result]) -> Result:
    """Return the result of a coroutine, whether or not an event loop runs in this thread.

    Where one does, as in a notebook, the work gets a loop in a thread of its own, with the context
    of the caller, and the caller's loop waits.
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work)
    context = contextvars.copy_context()
    with ThreadPoolExecutor(max_workers=1) as pool:
        return pool.submit(context.run, asyncio.run, work).result()


async def together(works: Sequence[Coroutine[Any, Any, Result]]) -> list[Result]:
    """Do all works at the same time and return their results in order; one alone gets no task."""
    # Hosted models have blocks of one row, and a task costs more than what is done around a call.
    if len(works) == 1:
        return [await works[0]]
    return list(await asyncio.gather(*works))


async def run_blocks(
    items: Iterable[Item],
    work: Callable[[list[Item]], Awaitable[object]],
    *,
    size: int,
    in_flight: int,
) -> None:
    """Do `work` on every block of `size` items, `in_flight` blocks at a time.

    A block is taken from `items` only when a worker is free. An error in one block cancels the
    others.

    Args:
        items: Read lazily.
        work: Takes a block; the last block may be smaller.
        size: Items of a block, at least 1.
        in_flight: Blocks at work at the same time, at least 1.
    """
    # All workers draw from one generator, so no queue is needed and blocks start in order.
    blocks = _blocks(items, size)

    async def worker() -> None:
        for block in blocks:
            await work(block)

    workers = [asyncio.create_task(worker()) for _ in range(in_flight)]
    try:
        await asyncio.gather(*workers)
    finally:
        # `gather` does not cancel the others when one fails.
        for task in workers:
            task.cancel()
        await asyncio.gather(*workers, return_exceptions=True)


def _blocks(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    source = iter(items)
    while block := list(islice(source, size)):
        yield block
