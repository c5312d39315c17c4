"""The Learned score page without a browser: training by its button, cancelled and resumed, its pictures and its sections."""

import json

import pytest
from test_helps import silent
from test_pages import at_home, charts, plain, visit

from dlab import schemes
from dlab.errors import learned
from dlab.params import BadInput
from dlab.study import Study
from dlab.ui import files, links, studies

__all__ = ["at_home"]  # a fixture that every test here uses
SMALL = {"learned.samples": "200", "learned.width": "16", "learned.updates": "500"}
QUERY = {"target": "gaussian", "schemes": "EM,SO", "h": "0.5..0.25", "T": "2", "particles": "256", **SMALL}
SECTIONS = ("plane-open", "derivatives-open", "loss-open", "measured-open", "theorem-open")


@pytest.fixture(autouse=True)
def untrained(monkeypatch):
    monkeypatch.setattr(learned, "_memory", type(learned._memory)())
    monkeypatch.setattr(learned, "_place", lambda: learned.places.folder() / "nowhere")
    monkeypatch.setattr(learned, "_store", lambda name, data: learned._memory.update({name: data}))


def labels(at):
    return [b.label for b in at.button]


def press(at, key):
    at.button(key=key).click()
    at.run()
    assert not at.exception, at.exception
    return at


@pytest.mark.slow
def test_nothing_is_trained_or_run_unasked_and_each_button_says_its_price():
    at = visit("learned", QUERY)
    assert at.title[0].value == "What does a score learned from samples cost?"
    assert [b for b in labels(at) if b.startswith("Train (about")]
    assert "not trained yet" in plain(at)
    assert charts(at) == 0
    assert not silent(at)
    at = press(at, "train")
    assert not [b for b in labels(at) if b.startswith("Train")]
    assert [b for b in labels(at) if b.startswith("Run")]
    at = press(at, "run-button-learned")
    assert charts(at) == 2
    assert "Along EM's own iterates, where the theorem assumes it, ε_sc is" in plain(at)
    for key in SECTIONS:
        at.session_state[key] = True
    at.run()
    assert not at.exception
    assert charts(at) == 6
    said = plain(at)
    for part in ("At t = 0.200 the learned score is wrong by", "Along EM's iterates ε⁽ᴸ⁾ is", "own iterates",
                 "On fresh samples the exact score has a loss of"):  # fmt: skip
        assert part in said, part
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
    assert "A checkpoint after 100 of 500 updates is kept." in plain(at)
    assert [b for b in labels(at) if b.startswith("Resume (about")]
    assert charts(at) == 1
    assert not silent(at)
    at = press(at, "train")
    assert not [b for b in labels(at) if b.startswith(("Train", "Resume"))]


def test_the_settings_travel_in_the_link_and_in_a_study_file():
    values, notes = links.read(QUERY)
    assert not notes
    assert values["learned.samples"] == 200
    written = links.write(values, "learned")
    assert written["learned.samples"] == "200"
    assert links.read(written)[0] == values
    study = studies.learned_studies(values)["learned"]
    opened, notes = files.from_study(json.dumps(study.to_json()).encode())
    assert not notes
    for key in SMALL:
        assert opened[key] == values[key]
    assert opened["error"] == "none"
    with pytest.raises(BadInput, match=r"samples = 777 is not offered; give one of 200, 1000, 5000.*run the study from the shell"):
        files.from_study(json.dumps({**study.to_json(), "score_error": {"name": "learned", "samples": 777}}).encode())
    with pytest.raises(BadInput, match=r"depth = 7 is not offered"):
        files.from_study(json.dumps({**study.to_json(), "score_error": {"name": "learned", "depth": 7}}).encode())
    assert links.read({"learned.width": "7"})[1]


def test_the_two_studies_of_the_page_differ_in_their_score_alone():
    both = studies.learned_studies(links.read(QUERY)[0])
    one, other = ({k: v for k, v in s.to_json().items() if k != "score_error"} for s in both.values())
    assert one == other
    assert both["exact"].clean
    assert set(both["learned"].schemes) <= set(schemes.REGISTRY)
    assert Study.from_json(both["learned"].to_json()) == both["learned"]
