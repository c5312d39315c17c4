"""The table of settings: one line is enough for a new one, and old addresses keep their meaning."""

import json
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from dlab.params import BadInput
from dlab.ui import links, settings, studies
from dlab.ui.kinds import Rung, Whole

OLD = json.loads((Path(__file__).parents[1] / "data" / "before" / "links.json").read_text())
OBSERVATIONS = ([[4, 0], [1, 4], [-2.5, 0.3], [0.7, -1.1], [2.2, 2.0], [-0.4, -3.3]], [1, 1, -1, 1, -1, -1])


def plain(value):
    return json.loads(json.dumps(value))


def asked(values) -> dict:
    """What pages ask for, by the names in the file of old addresses."""
    study, penalty = studies.study, values["logistic.penalty"]
    score = {"which": {"score_error": studies.model_spec(values, level=values["score_error.which"])}}
    return {
        "study": lambda: study(values),
        "theory": lambda: study({**values, "schemes": ("EM",), "estimator": "auto", "accuracy": 0}),
        "which": lambda: study(values, schemes=[next(iter(values["schemes"]))], h=[min(settings.step_sizes(values))], **score["which"]),
        **{
            name: lambda name=name: study(
                values, schemes=["SO"], start="exact", score_error={"name": "none", f"{name}_level": values[f"score_error.{name}"]}
            )
            for name in ("hessian", "drift")
        },
        "against_h": lambda: studies.case_study(values),
        "along": lambda: studies.case_along(values),
        "observed": lambda: studies.observed(values, *OBSERVATIONS),
        **{f"experiment{n}": lambda n=n: getattr(studies, f"experiment{n}")(penalty) for n in ("", "_small", "_atoms", "_readings")},
    }  # fmt: skip


def made(values, name) -> dict:
    """A study's object; or the sentence why it is none."""
    function, _, which = name.partition(" ")
    several = {"hessians": "hessian_studies"}.get(function, function)
    try:
        if name in asked(values):
            return asked(values)[name]().to_json()
        answer = getattr(studies, several)(values)
        return (answer[which or "learned"] if isinstance(answer, dict) else answer).to_json()
    except BadInput as error:
        return {"refused": str(error)}


@pytest.mark.parametrize("old", OLD[1:], ids=lambda old: f"{old['page']} {len(old['query'])}")
def test_an_old_address_opens_the_same_settings_and_studies(old):
    values, notes = links.read(old["query"], old.get("repeated", ()))
    before = {**OLD[0]["defaults"], **old["values"]}
    assert {name: plain(values[name]) for name in before} == before
    assert len(notes) == old.get("notes", 0)
    assert links.short(old["query"]) == old.get("opens")
    for name, study in old["studies"].items():
        now = plain(made(values, name))
        assert {key: now.get(key) for key in study} == study, name


def script():
    import streamlit as st

    from dlab.ui import controls, links, state

    if state.fresh():
        state.apply(links.read(st.query_params.to_dict())[0])
    scene = state.scene()
    controls.draw("later", scene, "convergence")
    st.json(links.write(scene))
    st.json(scene.study().to_json())


def shown(query):
    at = AppTest.from_function(script, default_timeout=60)
    at.query_params.update(query)
    return at.run()


def test_a_setting_is_one_line(monkeypatch):
    """It stands in the address, has a control, a place in the study and a group that lessons hide or fix; and a bad value is said."""
    line = Whole(
        "later", "Extra horizon", 1, low=0, high=3, group="horizon", study=lambda v: {"T": v["T"] + v["later"]}, help="Added to T."
    )
    monkeypatch.setattr(settings, "SETTINGS", (*settings.SETTINGS, line))
    assert links.read({})[0]["later"] == 1
    assert links.write(links.read({"later": "3"})[0])["later"] == "3"
    values, notes = links.read({"later": "7"})
    assert (values["later"], len(notes)) == (1, 1)
    at = shown({"later": "2", "T": "4"})
    assert not at.exception
    assert (at.slider[0].label, at.slider[0].value, at.slider[0].help) == ("Extra horizon", 2, "Added to T.")
    at.slider[0].set_value(3).run()
    address, study = (json.loads(e.value) for e in at.json)
    assert (address["later"], study["T"]) == ("3", 7.0)
    assert not shown({"hide": "horizon"}).slider
    assert shown({"fix": "horizon"}).slider[0].disabled


def test_a_setting_of_one_page_stands_in_its_address_alone(monkeypatch):
    line = settings.of_page("budget", Rung("most", "Most steps", 64.0, (16.0, 64.0), help="Steps at most."))
    monkeypatch.setattr(settings, "SETTINGS", settings.SETTINGS + line)
    values, notes = links.read({"budget.most": "16"})
    assert (values["budget.most"], notes) == (16.0, [])
    assert links.write(values, "budget")["budget.most"] == "16"
    assert "budget.most" not in links.write(values, "horizon")
    assert settings.names_of("budget") == ["budget.most"]


def test_every_setting_has_a_group_or_changes_no_number():
    for name, setting in settings.table().items():
        assert setting.group in settings.GROUPS or setting.view, name
        if setting.initial:
            assert setting.read(setting.write(setting.initial)) == setting.initial, name
