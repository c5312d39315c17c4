"""Fixtures that several files share: targets built once a session, and the project's reference values."""

import json
from pathlib import Path

import jax
import numpy as np
import pytest
from cases import GAUSSIAN, LOGISTIC, SKEW

from dlab import targets


@pytest.fixture(scope="session")
def skew():
    return targets.build(SKEW)


@pytest.fixture(scope="session")
def logistic():
    return targets.build(LOGISTIC)


@pytest.fixture(scope="session")
def gaussian():
    return targets.build(GAUSSIAN)


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


def pytest_collection_modifyitems(items):
    """The longest files first, so that no worker is left with one of them at the end."""
    longest = ("test_targets.py", "test_browser.py", "test_player.py", "test_measure.py", "test_laws.py")
    items.sort(key=lambda item: longest.index(item.path.name) if item.path.name in longest else len(longest))
