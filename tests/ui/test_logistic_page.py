"""The Logistic regression page: its three parts whole, from prepared answers and from a CSV."""

import numpy as np
import pytest
from apptest import buttons, charts, opened, plain, visit, words

from dlab import engine
from dlab.targets import posterior
from dlab.ui import links, studies


@pytest.mark.parametrize("lam", ["10", "50", "100"])
def test_the_papers_experiment_opens_without_sampling_anything(lam, monkeypatch):
    monkeypatch.setattr(posterior, "sample", lambda *a, **k: pytest.fail("the posterior was sampled"))
    at = visit("logistic", {"logistic.penalty": lam} if lam != "100" else {})
    assert not at.error
    assert charts(at) == 1
    said = plain(opened(at, "small-open", "readings-open"))
    assert "0.1 to 0.385" in said
    assert ("0.19 and 0.435" in said) == (lam == "100")
    assert charts(at) == 4


def test_two_features_show_data_posterior_and_particles():
    at = visit("logistic", {"logistic.part": "plane", "schemes": "EM", "h": "0.5..0.25", "rows": "10", "target": "logistic"})
    assert not at.error, at.error
    assert "10 observations" in plain(at)
    assert charts(at) == 3  # the curve waits for its button
    assert buttons(at, "Run (")


def test_two_features_open_with_posterior_particles_and_curve(monkeypatch):
    monkeypatch.setattr(engine, "answer", lambda *a, **k: pytest.fail("something was computed"))
    at = visit("logistic", {"logistic.part": "plane"})
    assert not at.error, at.error
    assert charts(at) == 4
    assert not buttons(at, "Run (")


def test_without_a_file_the_page_says_what_to_upload():
    at = visit("logistic", {"logistic.part": "csv"})
    assert "2 to 50 features" in words(at)
    assert not charts(at)
    assert not at.warning
    opened(at, "share")
    assert any("data" in w.value for w in at.warning)


def test_a_csv_is_standardised_and_says_what_its_run_will_cost():
    rng = np.random.default_rng(0)
    x = rng.normal(5.0, 3.0, (30, 4))
    at = visit("logistic", {"logistic.part": "csv", "schemes": "EM", "h": "0.5..0.25"})
    at.session_state["observations"] = (x.tolist(), [1 if v > 5 else -1 for v in x[:, 0]])
    at.run()
    assert not at.error
    assert "30 observations of 4 features" in words(at)
    assert buttons(at, "Run (")
    study = studies.observed({**links.read({})[0], "schemes": ("EM",)}, x, [1, -1] * 15)
    np.testing.assert_allclose(np.mean(study.target["x"], 0), 0, atol=1e-5)
    assert study.estimator == "marginal"
    assert study.built.dim == 4


def test_a_constant_column_is_named_on_the_page():
    at = visit("logistic", {"logistic.part": "csv"})
    at.session_state["observations"] = ([[1.0, 2.0], [1.0, 3.0]], [1, -1])
    at.run()
    assert "Feature 1" in at.error[0].value
