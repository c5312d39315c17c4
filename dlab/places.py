"""Where what has been computed is kept: files that come with the lab, and a folder of this machine."""

import hashlib
import os
import tempfile
from contextlib import suppress
from pathlib import Path

HERE = Path(__file__).parent
PREPARED = HERE / "prepared"
# What is kept is of this code: another version, or an edit, must not be served it.
CODE = hashlib.sha256(b"".join(p.read_bytes() for p in sorted(HERE.rglob("*.py")))).hexdigest()[:12]


def folder() -> Path:
    """$DLAB_CACHE or ~/.cache/dlab; it may be deleted at any time."""
    return Path(os.environ.get("DLAB_CACHE") or Path.home() / ".cache" / "dlab")


def read(name: str, *folders: Path) -> bytes | None:
    """The file of that name in the first of the folders that has one; None where there is none."""
    for where in folders:
        try:
            data = (where / name).read_bytes()
        except OSError:
            continue
        with suppress(OSError):
            os.utime(where / name)  # what is asked for is kept longest
        return data
    return None


def write(path: Path, data: bytes, most: int, among: Path) -> None:
    """Write a file whole or not at all, and drop all but the `most` files used last `among` a folder and those in it.

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
        files = [p for p in among.rglob("*") if p.is_file()]
        for old in sorted(files, key=lambda p: p.stat().st_mtime)[:-most]:
            old.unlink(missing_ok=True)
