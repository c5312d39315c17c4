"""A Dask scheduler and worker processes of this machine, in a process of their own that ends when its standard input is closed.

Started by `places` as a script, so that it imports neither JAX nor the lab and no thread of it waits for a page: it prints the
scheduler's address and then waits. Its workers find the lab as it would: PYTHONPATH is read when a process starts. Workers that die are
started anew.
"""

import argparse
import asyncio
import json
import logging
import os
import sys

LOOK = 2.0  # seconds between two looks at whether each worker has a nanny
POLITE = "10"  # niceness of what runs beside a server, where DLAB_NICE names none
SETTINGS = {
    "distributed.worker.daemon": False,
    "distributed.scheduler.allowed-failures": 10,
    "distributed.admin.log-length": 1000,
    # Paused, a worker that holds memory for good would take no unit any more: one that holds too much is started anew, see `compiled`.
    "distributed.worker.memory.pause": False,
    "distributed.worker.memory.target": False,
    "distributed.worker.memory.spill": False,
}


def options(args, **more) -> dict:
    """What each worker gets."""
    return {
        "nthreads": 1, "memory_limit": args.memory, "host": args.host, "preload": ["dlab.engine.worker"], "local_directory": args.folder,
        "dashboard_address": f"{args.host}:0", "dashboard": False, "silence_logs": logging.ERROR, **more,
    }  # fmt: skip


async def serve(args) -> None:
    import dask
    from distributed import Nanny, Scheduler, SpecCluster, Status

    with dask.config.set(SETTINGS):
        polite = options(args, env={"DLAB_NICE": os.environ.get("DLAB_NICE", POLITE)})
        workers = {i: {"cls": Nanny, "options": polite} for i in range(args.workers)}
        if args.quick:
            workers["quick"] = {"cls": Nanny, "options": options(args, resources={"dlab-quick": 1})}
        own = {"host": args.host, "port": args.port, "dashboard": False, "dashboard_address": f"{args.host}:0"}
        scheduler = {"cls": Scheduler, "options": own}
        async with SpecCluster(scheduler=scheduler, workers=workers, asynchronous=True, silence_logs=logging.ERROR) as cluster:
            print(json.dumps({"address": cluster.scheduler_address}, allow_nan=False), flush=True)
            closed = asyncio.get_running_loop().create_future() if args.stay else asyncio.ensure_future(asyncio.to_thread(sys.stdin.read))
            while not closed.done():
                await asyncio.wait([closed], timeout=LOOK)
                # A nanny starts its worker anew, but gives up where that dies while it starts.
                for name, nanny in list(cluster.workers.items()):
                    if nanny.status in (Status.failed, Status.closed):
                        del cluster.workers[name]
                if len(cluster.workers) < len(workers):
                    await cluster._correct_state()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--quick", action="store_true", help="one more worker, for small answers alone")
    parser.add_argument("--memory", type=int, default=2**31, help="bytes that a worker may hold")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--folder", default=None)
    parser.add_argument("--stay", action="store_true", help="until it is interrupted, whatever standard input is")
    asyncio.run(serve(parser.parse_args()))


if __name__ == "__main__":
    main()
