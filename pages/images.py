"""Images: the schemes from the same noise, SO by Hessian-vector products, and the distances that make sense there."""

import streamlit as st

from dlab import words
from dlab.answers.images import lesson
from dlab.figures import images, takeaway
from dlab.ui import exports, grids, methods, studies
from dlab.ui.page import Ask, Block, Page, View, show
from dlab.ui.sections import prose


def steps(scene):
    return round(scene["images.T"] / scene["images.step"])


def prepare(scene):
    if (count := studies.images_study(scene).target["count"]) < scene["images.count"]:
        st.caption(words.text("images", "fewer", count=count))
    return {}


def grid(scene):
    study, which = studies.images_study(scene), (steps(scene), studies.IMAGE_GRID)
    return Ask("image_grid", study, which, "Moving the images.")


def view(found, scene):
    return View(takeaway=takeaway.images(found), said=images.grid_sentence(found), top=lambda: grids.show(found, "grids"))


def files(found, scene):
    again = (
        f"python -m dlab make image_grid study.json {steps(scene)} {studies.IMAGE_GRID}, or make image_distances study.json: the same "
        "numbers."
    )
    exports.study_file(studies.images_study(scene).to_json(), again)


def distances(scene):
    study = studies.images_study(scene)
    return Ask("image_distances", study, (), "Sampling with every scheme and step size.")


def differences(scene):
    study, which = studies.images_study(scene), (steps(scene), studies.IMAGE_GRID)
    return Ask("image_differences", study, which, "Following the same noise in small steps.")


def differences_view(found, scene):
    return View(top=lambda: grids.compare(found, "differences"), said=images.difference_sentence(found))


def pick(scene):
    left, right = st.columns(2)
    return {
        "method": left.segmented_control(
            "Distance", list(images.TITLES), default="frechet", required=True, format_func=images.TITLES.get, key="images-method",
            help="Each with its sampling floor: the distance of as many samples of the data's law from that law.",
        ),
        "cost": right.segmented_control(
            "Against", list(images.COSTS), default="h", required=True, format_func=images.COSTS.get, key="images-cost",
            help="A Hessian-vector product costs about as much as a score.",
        ),
    }  # fmt: skip


def distances_view(found, scene):
    chart = images.chart(found, scene["method"], scene["cost"])
    return View(chart, f"images-{scene['method']}", table=images.table(found), answer=found, heights=(440,))


def near(found, scene):
    if found is None:
        return None
    chart = images.near_chart(found, st.session_state.get("images-cost", "h"))
    return View(chart, "images-copies", answer={"rows": found["near"], "others": found["others"]}, heights=(400,))


def blind(found, scene):
    rows = lesson()
    return View(images.lesson_chart(rows), "diagonal-covariance", answer={"rows": rows}, heights=(380,))


def by_step(found, scene):
    return View(table=images.steps_table(found)) if found and found["spent"] else View(caption=words.text("images", "no-products"))


def measured(found, scene):
    st.markdown(f"{methods.describe('frechet', 'frechet-diagonal', 'sliced')}\n\n{words.text('images', 'copies')}")


show(Page(
    "images", view, answer=grid, prepare=prepare, files=files, early=True, controls=("page", "schemes"),
    sections=(
        Block("differences", differences_view, answer=differences),
        Block("distances", distances_view, answer=distances, picks=pick), Block("near", near, answer=distances), Block("lesson", blind),
        Block("steps", by_step), Block("measured", draw=measured), prose("theorem"),
    ),
))  # fmt: skip
