"""A Streamlit app as a server on a free port, for tests that open its pages."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
# A container lends Chromium little shared memory, and root no sandbox.
ARGUMENTS = ["--disable-dev-shm-usage", *(["--no-sandbox"] if os.geteuid() == 0 else [])]
ROOT = Path(__file__).resolve().parents[1]
# Streamlit without the lab's warm-up: more than a minute of a core, for what most tests do not ask for.
COLD = "from dlab.ui import warm; warm.up = lambda stop: None; from streamlit.web.cli import main; main()"


@contextmanager
def running(folder, app=None, warm=False):
    """The address of an app (the lab unless given) on a free port, up while the block runs; its cache lies in folder."""
    ours, app = app is None, app or ROOT / "app.py"
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    log = folder / f"log-{port}"
    # The app keeps compiled code there; the tests' own processes have compiled much of it already.
    if not (folder / "jax").exists() and (shared := os.environ.get("JAX_COMPILATION_CACHE_DIR")):
        (folder / "jax").symlink_to(shared)
    start = ("-c", COLD) if ours and not warm else ("-m", "streamlit")
    with log.open("w") as file:
        server = subprocess.Popen(
            [sys.executable, *start, "run", str(app), f"--server.port={port}",
             "--server.address=127.0.0.1", "--server.headless=true"],
            cwd=ROOT, env={**os.environ, "DLAB_CACHE": str(folder), "PYTHONPATH": str(ROOT)}, stdout=file, stderr=file,
        )  # fmt: skip
    try:
        end = time.monotonic() + 180
        while True:
            assert server.poll() is None, log.read_text()
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=5).close()
                break
            except OSError:
                assert time.monotonic() < end, f"no server after 180 s\n{log.read_text()}"
                time.sleep(0.1)
        yield f"http://127.0.0.1:{port}/"
    finally:
        server.terminate()
        server.wait(120)  # it lets its compiler finish first
    assert "Traceback" not in log.read_text(), log.read_text()
