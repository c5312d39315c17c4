"""What two processes must share to work on one run, so that their numbers are the same bit for bit."""

import hashlib
import platform
from functools import cache

import dlab
from dlab import fingerprint
from dlab.cache import dumps
from dlab.engine.keep import numerics

QUICK = "dlab-quick"  # the resource of a worker for small answers alone


@cache
def identity() -> dict[str, str]:
    """The version of the lab and of what its numbers come from, and their fingerprint."""
    versions = dict(each.rsplit(" ", 1) for each in fingerprint.versions())
    return {"dlab": dlab.__version__, "numerics": numerics(), "Python": platform.python_version().rsplit(".", 1)[0], **versions}


def label() -> str:
    """The resource of Dask that workers of this identity have, and no others; units ask for it."""
    return f"dlab-{hashlib.sha256(dumps(identity(), sort_keys=True).encode()).hexdigest()[:16]}"


def difference(address: str, its: dict | Exception) -> str:
    """One sentence: why a worker of the identity `its` is refused."""
    mine = identity()
    if not isinstance(its, dict) or its == mine:
        why = f" ({its})" if isinstance(its, Exception) else ""
        return f"The worker {address} does not run this lab{why}; start it with dask worker --preload dlab.engine.worker."
    other = {name: its.get(name) for name in mine if its.get(name) != mine[name]}
    said = ", ".join(f"{name} {theirs} where this process has {mine[name]}" for name, theirs in other.items())
    return f"The worker {address} is refused, since its numbers may differ: it has {said}. Start it from the same clone and requirements."
