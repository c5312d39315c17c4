"""Where what has been computed is kept: in memory, among the files that come with the lab, and in a folder of this machine.

Everything is kept with the fingerprint of the numerics that made it. What others made is left alone, and the log says so.
"""

import json
import logging
import math
import os
import tempfile
import threading
import zlib
from collections import OrderedDict
from collections.abc import Iterable
from contextlib import suppress
from functools import cache
from pathlib import Path

from dlab import fingerprint

PREPARED = Path(__file__).parent / "prepared"
INDEX = "index.json"
LOG = logging.getLogger(__name__)


def dumps(value, **options) -> str:
    """Strict JSON. ValueError for a NaN or an infinity, which no other reader would take."""
    return json.dumps(value, allow_nan=False, **options)


def folder() -> Path:
    """$DLAB_CACHE or ~/.cache/dlab; it may be deleted at any time."""
    return Path(os.environ.get("DLAB_CACHE") or Path.home() / ".cache" / "dlab")


@cache
def index(prepared: Path) -> dict[str, dict]:
    """What comes with the lab, by the name under which it is kept: {"file", "modules", "fingerprint", ...}, see `ui.prepared`."""
    try:
        return {entry["name"]: entry for entry in json.loads((prepared / INDEX).read_text(encoding="utf-8"))["files"]}
    except (OSError, ValueError, KeyError):
        LOG.warning("%s cannot be read; nothing comes prepared", prepared / INDEX)
        return {}


class Cache:
    """Contents by name; the last `memory` of them in memory, the last `files` of them in a folder of `folder()`.

    Contents are given with the names of the modules that they come from. size: bytes that the folder holds at most.
    """

    def __init__(self, part: str, memory: int, files: int, size: float = math.inf):
        self.part, self.memory, self.files, self.size = part, memory, files, size
        self._kept: OrderedDict[str, tuple[dict, bytes]] = OrderedDict()
        self._guard = threading.Lock()
        self._ignored = set()

    @property
    def folder(self) -> Path:
        return folder() / self.part

    def load(self, name: str) -> bytes | None:
        """From memory, the prepared files or disk; None where it is not known or of other numerics."""
        for place in (self._remembered, self._prepared, self._stored):
            if (found := place(name)) is None:
                continue
            head, data, where = found
            if head["fingerprint"] == fingerprint.of(head["modules"]):
                self._remember(name, head, data)
                return data
            if where not in self._ignored:
                self._ignored.add(where)
                LOG.warning("%s is of other numerics than these and is not used", where)
        return None

    def keep(self, name: str, data: bytes, modules: Iterable[str], disk: bool = True) -> None:
        """Keep contents in memory and, unless told otherwise, on disk; what comes from no source that can be read is not kept."""
        head = {"modules": sorted(modules), "fingerprint": fingerprint.of(modules)}
        if head["fingerprint"] is None:
            return
        self._remember(name, head, data)
        if disk:
            write(self.folder / name, dumps(head | {"size": len(data)}).encode() + b"\n" + data, self.files, self.folder, self.size)

    def drop(self, name: str, why: object) -> None:
        """Take something out that cannot be read after all; the log says so."""
        LOG.warning("%s is torn or foreign and is dropped: %s", self.folder / name, why)
        with self._guard:
            self._kept.pop(name, None)
        with suppress(OSError):
            (self.folder / name).unlink(missing_ok=True)

    def forget(self) -> None:
        """Empty the memory, as a new process would."""
        with self._guard:
            self._kept.clear()
            self._ignored.clear()

    def head(self, name: str) -> dict | None:
        """The modules and the fingerprint that something in memory is kept with."""
        found = self._remembered(name)
        return found and found[0]

    def _remember(self, name, head, data):
        with self._guard:
            self._kept[name] = head, data
            self._kept.move_to_end(name)
            while len(self._kept) > self.memory:
                self._kept.popitem(last=False)

    def _remembered(self, name):
        found = self._kept.get(name)
        return found and (*found, f"{name} in memory")

    def _prepared(self, name):
        if (entry := index(PREPARED).get(name)) is None:
            return None
        path = PREPARED / entry["file"]
        with suppress(OSError):
            data = path.read_bytes()
            return entry, zlib.decompress(data) if path.suffix == ".z" else data, path
        return None

    def _stored(self, name):
        path = self.folder / name
        try:
            whole = path.read_bytes()
            with suppress(OSError):  # a folder that can be read alone
                os.utime(path)  # what is asked for is kept longest
            first, data = whole.split(b"\n", 1)
            head = json.loads(first)
            if set(head) < {"modules", "fingerprint"} or head.get("size", len(data)) != len(data):
                raise ValueError(f"{len(data)} bytes after its first line, {head.get('size')} expected")
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError) as error:
            if path not in self._ignored:
                self._ignored.add(path)
                LOG.warning("%s is torn or foreign and is not used: %s", path, error)
            return None
        return head, data, path


def write(path: Path, data: bytes, most: int, among: Path, size: float = math.inf) -> None:
    """Write a file whole or not at all, and drop all but the `most` files used last `among` a folder and those in it, of `size` bytes
    together.

    A full or read-only disk costs the next start some time and this one nothing.
    """
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
            try:
                file.write(data)
                file.flush()
                os.replace(file.name, path)
            except OSError:
                os.unlink(file.name)
                raise
        files = sorted(((s.st_mtime, s.st_size, p) for p in among.rglob("*") if p.is_file() and (s := _stat(p))), reverse=True)
        together = 0
        for number, (_, its, old) in enumerate(files):
            together += its
            if number >= most or together > size:
                old.unlink(missing_ok=True)


def _stat(path: Path):
    with suppress(OSError):  # another process may drop it at the same time
        return path.stat()
    return None
