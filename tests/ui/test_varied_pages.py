"""The pages that vary the horizon and the dimension: shown whole, on targets with and without a bound, with and without a run."""

import pytest
from apptest import plain, visit

from dlab.ui import kinds, links, runs, studies

SMALL = {"schemes": "EM,SO", "h": "0.5..0.125"}


def whole(at):
    assert not at.error
    return plain(at)


def test_the_horizon_page_compares_the_decay_with_the_theorems():
    said = whole(visit("horizon", {**SMALL, "horizons": "1..8", "fine": "0.015625"}))
    assert "mₘᵢₙ = 0.800" in said


def test_the_horizon_page_on_a_target_without_a_bound_says_what_it_measures():
    at = visit("horizon", {**SMALL, "target": "gaussian", "k1": "0.3", "k2": "0.3", "horizons": "1..8", "fine": "0.015625"})
    assert "W₂" in whole(at)


def test_a_horizon_that_must_be_simulated_waits_for_its_button():
    at = visit("horizon", {"target": "logistic", "rows": "10", "schemes": "EM", "horizons": "1..2", "fine": "0.25", "particles": "64"})
    label = next(b.label for b in at.button if b.label.startswith("Run ("))
    assert "s)" in label or "second" in label


def test_the_dimension_page_has_the_root_of_d_and_the_steps_that_a_distance_takes():
    at = visit("dimension", {**SMALL, "dims": "1..4096", "epsilon": "0.2"})
    said = whole(at)
    assert "0.500 (EM) and 0.500 (SO)" in said
    assert "Steps for W₂ < 0.2" in said


@pytest.mark.parametrize("query", [{"shape": "power", "low": "0.1", "high": "1.5"}, {"shape": "linear", "high": "3"},
                                   {"variances": kinds.pack([1.0, 0.5, 0.25])}], ids=["power", "void", "file"])  # fmt: skip
def test_spectra(query):
    at = visit("dimension", {**SMALL, "dims": "1..64", **query})
    assert ("variances" in query) == ("from a file: 3" in whole(at))


def test_both_starts_are_studies_of_the_contract():
    values, notes = links.read({"horizons": "2..4", "fine": "0.125"})
    assert notes == []
    found = studies.horizon_studies(values)
    assert {s.start for s in found.values()} == {"exact", "paper"}
    for study in found.values():
        assert study.vary == {"axis": "T", "values": [2.0, 3.0, 4.0]}
        assert study.h == (0.125,)


def test_a_picture_of_several_studies_says_what_all_of_them_cost():
    values, _ = links.read({"target": "logistic", "schemes": "EM", "horizons": "1..2", "fine": "0.25", "particles": "64"})
    found = list(studies.horizon_studies(values).values())
    assert runs._label(found, 30.0) == "Run (about 30 s)"
    assert "particle-steps" in runs._what(found)
