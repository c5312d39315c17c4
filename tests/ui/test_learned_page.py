"""The Learned score page without a browser: training by its button, cancelled and resumed, its pictures and its sections."""

import json

import pytest
from apptest import buttons, charts, opened, plain, pressed, silent, visit

from dlab import engine, schemes
from dlab.answers import learned_score as study_of
from dlab.answers import score_constants
from dlab.cache import Cache
from dlab.errors import learned
from dlab.study import Study
from dlab.theory import score_constant
from dlab.ui import files, links, studies

SMALL = {"learned.samples": "200", "learned.width": "16", "learned.updates": "500"}
QUERY = {"target": "gaussian", "schemes": "EM,SO", "h": "0.5..0.25", "T": "2", "particles": "256", **SMALL}
SECTIONS = ("plane-open", "derivatives-open", "loss-open", "measured-open", "theorem-open")


@pytest.fixture(autouse=True)
def untrained(monkeypatch):
    monkeypatch.setattr(learned, "CACHE", Cache("nowhere", memory=32, files=0))


@pytest.mark.slow
def test_nothing_is_trained_or_run_unasked_and_each_button_says_its_price():
    at = visit("learned", QUERY)
    assert buttons(at, "Train (about")
    assert "has been trained" in plain(at)
    assert charts(at) == 0
    assert not silent(at)
    pressed(at, "train")
    # What it was trained for follows without another button.
    assert not buttons(at, "Train", "Run", "Compute")
    assert charts(at) == 2
    # Nothing else does.
    at.select_slider(key="s:h").set_value((1.0, 0.25)).run()
    assert buttons(at, "Run")
    at.select_slider(key="s:h").set_value((0.5, 0.25)).run()
    opened(at, *SECTIONS)
    assert charts(at) == 6
    assert all(part in plain(at) for part in ("t = 0.200", "ε⁽ᴸ⁾"))
    assert not silent(at)


def test_a_cancelled_training_offers_to_go_on_and_to_start_again():
    study = studies.learned_studies(links.read(QUERY)[0])["learned"]

    class Stop(Exception):
        pass

    def stop(done, losses):
        if done:
            raise Stop

    with pytest.raises(Stop):
        learned.training(study.score_error, study.built, study.target).train(stop)
    at = visit("learned", QUERY)
    assert "100 of 500" in plain(at)
    assert buttons(at, "Resume (about")
    assert charts(at) == 1
    assert not silent(at)
    pressed(at, "train")
    assert not buttons(at, "Train", "Resume")


@pytest.mark.parametrize("target", ["gaussian", "skew", "mixture"])
def test_it_opens_with_everything_but_other_settings_prepared(target, monkeypatch):
    monkeypatch.setattr(engine, "answer", lambda *a, **k: pytest.fail("something was computed"))
    at = visit("learned", {"target": target})
    assert charts(at) == 2
    opened(at, *SECTIONS, "samples-open")
    assert charts(at) == 7
    assert "200 samples to 100,000" in plain(at)
    assert not buttons(at, "Run", "Train", "Compute")


@pytest.mark.parametrize("target", ["gaussian", "skew", "mixture"])
def test_every_floor_lies_below_the_score_term_with_the_integrated_constant(target):
    both = studies.learned_studies(links.read({"target": target})[0])
    met = engine.kept_answer("learned", both["learned"], "EM", 256)
    found = {name: engine.kept(study) for name, study in both.items()}
    sharp = score_constants.learned(found["learned"], met)
    assert sharp["c2"] == pytest.approx(score_constant.integrated(found["learned"]["facts"]["m0"], 4.0))
    floors = [study_of.floor(found["learned"], found["exact"], scheme) for scheme in both["learned"].schemes]
    assert any(floors)
    for scheme, floor in zip(both["learned"].schemes, floors):
        if floor:
            assert floor["value"] + 1.96 * floor["stderr"] < sharp["value"], scheme


@pytest.mark.parametrize("target", ["skew", "mixture"])
def test_the_prepared_networks_are_as_good_as_was_asked_for(target):
    """Along EM's iterates eps_sc on average over t >= 0.05; and the floor lies between zero and C2 eps_sc by more than its interval."""
    values = links.read({"target": target})[0]
    both = studies.learned_studies(values)
    met = engine.kept_answer("learned", both["learned"], "EM", 256)
    assert met["iterates"]["score"]["average"] < 0.05
    found = {name: engine.kept(study) for name, study in both.items()}
    for scheme in both["learned"].schemes:
        floor, promise = study_of.floor(found["learned"], found["exact"], scheme), study_of.promise(found["learned"], scheme, met)
        assert floor["value"] - 1.96 * floor["stderr"] > 0
        assert floor["value"] + 1.96 * floor["stderr"] < promise["value"]


def test_the_settings_travel_in_the_link_and_in_a_study_file():
    values, notes = links.read(QUERY)
    assert not notes
    assert values["learned.samples"] == 200
    written = links.write(values, "learned")
    assert written["learned.samples"] == "200"
    assert links.read(written)[0] == values
    study = studies.learned_studies(values)["learned"]
    read, notes = files.from_study(json.dumps(study.to_json()).encode())
    assert studies.study(read).score_error == study.score_error  # on the pages that have no controls of it
    assert ["score_error" in note for note in notes] == [True]
    for key in SMALL:
        assert read[key] == values[key]
    assert read["error"] == "none"
    assert links.read({"learned.width": "7"})[1]


def test_the_two_studies_of_the_page_differ_in_their_score_alone():
    both = studies.learned_studies(links.read(QUERY)[0])
    one, other = ({k: v for k, v in s.to_json().items() if k != "score_error"} for s in both.values())
    assert one == other
    assert both["exact"].clean
    assert set(both["learned"].schemes) <= set(schemes.REGISTRY)
    assert Study.from_json(both["learned"].to_json()) == both["learned"]
