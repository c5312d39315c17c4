"""Compiled programs: kept between starts of the process, and forgotten before they fill its memory maps."""

import gc
from pathlib import Path

import jax

from dlab.cache import folder


def keep_compiled() -> None:
    """Keep compiled code between starts of the process."""
    jax.config.update("jax_compilation_cache_dir", str(folder() / "jax"))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.2)


def forget_compiled(share: float = 0.5) -> bool:
    """Forget the compiled programs where they take more than a share of the memory maps that Linux grants a process.

    Each takes some 10 to 40 of 65530, and the compiler dies where none is left: a server that has met a few thousand shapes.
    What is met again comes back from disk (`keep_compiled`). Returns whether it forgot.
    """
    try:
        granted = int(Path("/proc/sys/vm/max_map_count").read_text())
        taken = Path("/proc/self/maps").read_bytes().count(b"\n")
    except OSError:  # another system, with other limits
        return False
    if taken > share * granted:
        jax.clear_caches()
        gc.collect()
        return True
    return False
