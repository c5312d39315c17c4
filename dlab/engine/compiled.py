"""What a process of the lab may hold of memory, all ceilings in one place; compiled programs, kept between starts and forgotten in time.

    FORGET              resident bytes above which a process forgets its compiled programs, between two units or reruns
    MAPS                share of the memory maps that Linux grants a process, above which it does so too
    RESTART             resident bytes above which a worker that has just forgotten them is started anew, between two units
    memory.limit()      bytes that one study or answer may take; it is refused before it runs
    most()              resident bytes at which a worker is ended in the middle of a unit: RESTART and what a study may take
    be_small()          lower them all, where the machine has little memory

What a session keeps is bounded in `ui.runs` (SLOTS), what the lab keeps in memory and on disk where each `Cache` is made.
"""

import gc
import os
from contextlib import suppress
from pathlib import Path

import jax

from dlab.cache import folder
from dlab.study import memory

FORGET = 1.0e9
RESTART = 1.4e9
MAPS = 0.5
GROWTH = 1.2  # times what a process held when it last forgot: it does not do so at every unit where other things hold its memory

SMALL = {"DLAB_SMALL": "1", "DLAB_MEMORY": "0.5"}  # where little memory is free; read by the workers that a process starts too

_least = 0.0


def small() -> bool:
    """Whether the environment, or this process for those that it starts, asks for the lower ceilings."""
    return os.environ.get("DLAB_SMALL", "0") not in ("", "0")


def be_small() -> None:
    """Lower the ceilings of this process and of what it starts, so that a server and one worker fit into a gigabyte."""
    global FORGET, RESTART
    FORGET, RESTART = 0.45e9, 0.55e9
    for name, value in SMALL.items():
        os.environ.setdefault(name, value)


def most() -> int:
    """Bytes that a worker may hold while it computes."""
    return int(RESTART + memory.limit())


def keep_compiled() -> None:
    """Keep compiled code between starts of the process: in the cache folder unless the environment names another one to JAX."""
    if not os.environ.get("JAX_COMPILATION_CACHE_DIR"):
        jax.config.update("jax_compilation_cache_dir", str(folder() / "jax"))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.2)


def resident() -> float:
    """Bytes of memory that this process holds; 0 where the system does not say."""
    with suppress(OSError, ValueError, IndexError):
        return float(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return 0.0


def forget_compiled(share: float = MAPS, size: float | None = None) -> bool:
    """Forget the compiled programs where they take more than a share of the memory maps that Linux grants a process, or where the process
    holds more than `size` bytes (FORGET).

    Each takes some 10 to 40 of 65530 maps, and the compiler dies where none is left: a server that has met a few thousand shapes.
    What is met again comes back from disk (`keep_compiled`). Returns whether it forgot.
    """
    global _least
    wide = resident() > max(FORGET if size is None else size, _least)
    try:
        granted = int(Path("/proc/sys/vm/max_map_count").read_text())
        taken = Path("/proc/self/maps").read_bytes().count(b"\n")
    except OSError:  # another system, with other limits
        granted, taken = 1, 0
    if not wide and taken <= share * granted:
        return False
    jax.clear_caches()
    gc.collect()
    trim()
    _least = GROWTH * resident()
    return True


def too_large(held: float = 0.0) -> bool:
    """Whether a worker holds so much between two units, its compiled programs forgotten and beside `held` bytes of results, that it has
    to be started anew."""
    return resident() - held > RESTART


def trim() -> None:
    """Give back to the system what the C library holds free."""
    import ctypes

    with suppress(OSError, AttributeError):
        ctypes.CDLL("libc.so.6").malloc_trim(0)
