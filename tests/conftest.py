"""Fixtures that several files share: targets built once a session, and the project's reference values."""

import atexit
import json
import os
import shutil
import tempfile
import time
from pathlib import Path

# Work stays in the process of a test, and of a server that it starts, where it does not ask for workers.
os.environ.setdefault("DLAB_WORKERS", "0")
# Before jax and numpy are imported, which read these once; the workers and the servers that tests start inherit them.
# About half of a run went into XLA's compiler, much of it for programs that another process had compiled before.
if "PYTEST_XDIST_WORKER" not in os.environ and "JAX_COMPILATION_CACHE_DIR" not in os.environ:
    os.environ["JAX_COMPILATION_CACHE_DIR"] = tempfile.mkdtemp(prefix="dlab-tests-jax-")
    atexit.register(shutil.rmtree, os.environ["JAX_COMPILATION_CACHE_DIR"], ignore_errors=True)
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")
if "PYTEST_XDIST_WORKER" in os.environ:
    # The workers fill the cores; with a thread pool each, they spend their time on handing over to one another.
    for library in ("OMP", "OPENBLAS"):
        os.environ.setdefault(f"{library}_NUM_THREADS", "1")
    os.environ["XLA_FLAGS"] = f"--xla_cpu_multi_thread_eigen=false {os.environ.get('XLA_FLAGS', '')}"
# XLA's older way to emit a fused loop: a third less of a core's time for the same numbers, most of it in the compiler.
os.environ["XLA_FLAGS"] = f"--xla_cpu_use_fusion_emitters=false {os.environ.get('XLA_FLAGS', '')}"

import jax
import numpy as np
import pytest
from cases import GAUSSIAN, LOGISTIC, SKEW
from server import ARGUMENTS, CHROMIUM, running

from dlab import engine, pictures, targets


@pytest.fixture(scope="session")
def skew():
    return targets.build(SKEW)


@pytest.fixture(scope="session")
def logistic():
    return targets.build(LOGISTIC)


@pytest.fixture(scope="session")
def gaussian():
    return targets.build(GAUSSIAN)


@pytest.fixture(scope="session")
def chromium():
    """One browser for all tests of a process: Playwright starts once in each."""
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as p:
        browser = p.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def cache(tmp_path_factory):
    """The folder of results, votes and compiled code of the server that tests of a process share."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="session")
def app(cache):
    """The address of that server: one for all tests that walk through the app's pages, or ask it as phones do."""
    with running(cache) as address:
        yield address


@pytest.fixture
def key():
    return jax.random.key(20240607)


@pytest.fixture(scope="session")
def reference_cases():
    """The cases of exact_laws.json; skips where the folder is not beside this checkout."""
    for base in Path(__file__).resolve().parents:
        file = base / "shared" / "reference" / "exact_laws.json"
        if file.exists():
            return json.loads(file.read_text())["cases"]
    pytest.skip("shared/reference/exact_laws.json is not beside this checkout")


@pytest.fixture(scope="session")
def probe():
    """probe(target, t): points (24, 2) at 0 to 5 standard deviations of p_t from its mean."""

    def points(target, t):
        rng = np.random.default_rng(5)
        y = rng.standard_normal((24, 2))
        y *= np.linspace(0, 5, 24)[:, None] / np.linalg.norm(y, axis=1, keepdims=True)
        cov = np.exp(-t) * target.facts.cov - np.expm1(-t) * np.eye(2)
        return np.exp(-t / 2) * target.facts.mean + y @ np.linalg.cholesky(cov).T

    return points


@pytest.fixture(autouse=True)
def speed(monkeypatch):
    """What a page says of a run's price, and whether it runs unasked, does not depend on how busy this machine was, or what compiled."""
    monkeypatch.setattr(engine.cost, "_busy", {})
    monkeypatch.setattr(engine.ask._Metered, "learn", lambda self, study, price: None)


@pytest.fixture(autouse=True)
def at_home(monkeypatch):
    """An app that another test has started in this process leaves folders readable by their paths."""
    monkeypatch.setattr(pictures, "served", False)


@pytest.fixture(scope="module", autouse=True)
def room():
    """A worker meets thousands of programs; without this the compiler of the last ones crashes."""
    engine.forget_compiled()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    """Where a machine is too slow for all, `.ci/run` names what it left out, slow tests alone, instead of being cut off."""
    end = float(os.environ.get("DLAB_TESTS_END", "inf"))  # seconds since the epoch
    if time.time() > end and item.get_closest_marker("slow"):
        pytest.skip("out of time")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """A test that asks for a browser is marked so. The longest files first, so that no worker is left with one of them at the end."""
    for item in items:
        if "chromium" in item.fixturenames:
            item.add_marker("browser")
            item.add_marker(pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine"))
    longest = ("test_browser.py", "test_additions.py", "test_measure.py", "test_downloads.py", "test_laws.py", "test_samplers.py",
               "test_links.py", "test_player.py", "test_targets.py", "test_onestep.py", "test_diffrax.py", "test_pages.py")  # fmt: skip
    items.sort(key=lambda item: longest.index(item.path.name) if item.path.name in longest else len(longest))
