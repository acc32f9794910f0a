"""Many Dask workers in one process, to see what they cost their scheduler: `benchmarks.sweep` starts it.

python -m benchmarks.many_workers tcp://127.0.0.1:8786 200
"""

import asyncio
import sys
from contextlib import AsyncExitStack

from distributed import Worker


async def many_workers(address: str, count: int) -> None:
    """Join a scheduler as so many workers, until it is gone."""
    async with AsyncExitStack() as stack:
        workers = [Worker(address, nthreads=1, host="127.0.0.1", dashboard=False) for _ in range(count)]
        for worker in workers:
            await stack.enter_async_context(worker)
        await asyncio.gather(*(worker.finished() for worker in workers))


if __name__ == "__main__":
    asyncio.run(many_workers(sys.argv[1], int(sys.argv[2])))
