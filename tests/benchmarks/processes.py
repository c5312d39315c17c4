"""A server's processes, its own and its workers', as Linux tells of them."""

import os
from pathlib import Path


def server(port: str) -> int:
    """The process that listens to a port, started as `running` does."""
    for each in Path("/proc").glob("[0-9]*"):
        try:
            if f"--server.port={port}".encode() in (each / "cmdline").read_bytes().split(b"\0"):
                return int(each.name)
        except OSError:
            continue
    raise RuntimeError(f"no server on port {port}")


def _stat(pid) -> list[str]:
    return (Path("/proc") / str(pid) / "stat").read_text().rsplit(")", 1)[1].split()


def server_seconds(port: str) -> float:
    """CPU seconds so far of the server alone."""
    return sum(map(int, _stat(server(port))[11:13])) / os.sysconf("SC_CLK_TCK")


def tree(port: str) -> list[int]:
    """The server and all that it has started."""
    parents = {}
    for each in Path("/proc").glob("[0-9]*"):
        try:
            parents[int(each.name)] = int(_stat(each.name)[1])
        except (OSError, IndexError):
            continue
    found, left = [], [server(port)]
    while left:
        found.append(left.pop())
        left += [pid for pid, parent in parents.items() if parent == found[-1]]
    return found


def tree_seconds(port: str) -> float:
    """CPU seconds so far of all of them, those that have ended included."""
    total = 0
    for pid in tree(port):
        try:
            total += sum(map(int, _stat(pid)[11:15]))
        except OSError:
            continue
    return total / os.sysconf("SC_CLK_TCK")


def held(pid: int) -> dict[str, float]:
    """Resident bytes without what it shares, threads and open files of a process."""
    folder = Path("/proc") / str(pid)
    lines = dict(line.split(":", 1) for line in (folder / "status").read_text().splitlines() if ":" in line)
    private = 1024.0 * (int(lines["RssAnon"].split()[0]) if "RssAnon" in lines else int(lines["VmRSS"].split()[0]))
    return {"bytes": private, "threads": int(lines["Threads"]), "files": len(list((folder / "fd").iterdir()))}
