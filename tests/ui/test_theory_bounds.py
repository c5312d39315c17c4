"""The Theory page's sections on bounds that are proved here: shown on targets of every kind, and void where they are."""

import pytest
from apptest import EXACT, buttons, charts, plain, silent, visit

SECTIONS = ("once", "generic", "constant", "martingale", "assumed")
APART = {"target": "mixture", "sep": "3", "h": "0.5..0.25", "T": "1"}


def opened(at, name):
    for each in SECTIONS:
        at.session_state[f"{each}-open"] = each == name
    return at.run()


def shown(at, name):
    """The section opened, computed where it waits for its button."""
    opened(at, name)
    if mine := buttons(at, "Compute"):
        mine[0].click().run()
    assert not at.error, [e.value for e in at.error]
    assert not silent(at)
    return at


def test_the_bound_on_ddpm_is_attained_on_an_isotropic_gaussian_and_not_on_equal_steps():
    at = shown(visit("theory", {**EXACT, "k1": "0.8", "k2": "0.8", "T": "4", "start": "exact"}), "once")
    assert charts(at) == 4
    assert "equals the coupled distance" in plain(at)
    at.selectbox(key="once-grid").select("uniform").run()
    assert "order ½" in plain(at)
    at.selectbox(key="once-grid").select("cubic").run()
    assert "3√(d/m₀)/N" in plain(at)
    at.select_slider(key="once-noise").set_value(1.0).run()


@pytest.mark.parametrize("name", ["constant", "martingale"])
def test_the_constant_and_the_martingale(name):
    at = shown(visit("theory", {**EXACT, "T": "1"}), name)
    assert charts(at) == 3
    assert {"constant": "costs at most", "martingale": "mean rate of change of x"}[name] in plain(at)


def test_the_bound_from_single_steps_of_two_schemes():
    at = shown(visit("theory", {**EXACT, "T": "2"}), "generic")
    assert charts(at) == 3
    assert "estimated bound is" in plain(at)
    assert "2M-SDE" in plain(at)
    at.selectbox(key="generic-scheme").select("SO").run()
    at = shown(at, "generic")
    assert "most of it fluctuations" in plain(at)


def test_a_score_error_under_each_assumption():
    at = shown(visit("theory", {**EXACT, "T": "2"}), "assumed")
    assert charts(at) == 3
    assert "The error moves the run" in plain(at)
    at.selectbox(key="assumed-name").select("relative").run()
    assert "does not hold here" in plain(at)


@pytest.mark.parametrize("name", ["generic", "constant", "assumed"])
def test_where_the_target_is_not_log_concave_the_bounds_are_void(name):
    at = shown(visit("theory", APART), name)
    assert {"constant": "no positive", "generic": "void here", "assumed": "no bound here"}[name] in plain(at)
