"""The folded sections about the two methods that are called multilevel: levels of the drift, and levels of the step."""

import streamlit as st

from dlab import words
from dlab.figures import multilevel as figures
from dlab.ui.page import Ask, Block, View

POWERS = (1.5, 4.0, 3.0, 0.25)  # least, most, first and step of g


def _picks(scene) -> dict:
    place, _ = st.columns((1, 2))
    help = "Halving the error of the score multiplies its cost by 2ᵍ."
    return {"power": place.slider("Cost exponent g", *POWERS, key="multilevel-power", help=help)}


def _answer(scene) -> Ask:
    return Ask("multilevel", scene.study(), (scene.power,), "Computing second moments.")


def _view(found, scene) -> View:
    notes = () if found["gaussian"] else (words.text("score_error", "multilevel-fitted"),)
    return View(figures.sheet(found), f"multilevel-{found['g']:g}", table=figures.table(found), data=_rows(found), answer={"answer": found},
                notes=notes, rows=(1, 2), heights=(460, 400))  # fmt: skip


def _rows(found) -> list[dict]:
    """Of a CSV, which has no lists."""
    return [{k: v for k, v in r.items() if not isinstance(v, list)} | {"calls_of_best": r["calls"][-1]} for r in found["rows"]]


def _steps_view(found, scene) -> View:
    return View(figures.levels_sheet(found), "multilevel-monte-carlo", table=figures.levels_table(found), data=found["rows"],
                answer={"answer": found}, heights=(420,), rows=(2,))  # fmt: skip


def _networks_view(found, scene) -> View:
    return View(figures.networks_chart(found), "multilevel-networks", table=figures.networks_table(found), data=_rows(found),
                answer={"answer": found}, heights=(440,))  # fmt: skip


SECTIONS = (
    Block("multilevel", _view, picks=_picks, answer=_answer),
    Block("network-levels", _networks_view, answer=lambda scene: Ask("network_levels", scene.study(), (), "Training and running.")),
    Block("step-levels", _steps_view, answer=lambda scene: Ask("step_levels", scene.study(), (), "Running each level on its own paths.")),
)
