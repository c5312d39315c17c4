"""Images: the five schemes from the same noise, SO by Hessian-vector products, and the distances that make sense there."""

import itertools

import streamlit as st

from dlab import engine
from dlab.answers.images import grid_work, lesson
from dlab.figures import images
from dlab.params import BadInput
from dlab.ui import controls, exports, frame, grids, runs, studies, tell_images

values = frame.begin(
    "images",
    "Do better steps make better images?",
    "All schemes turn the same noise into images of a small data set, with its exact score or a network's; $d$ is the number of pixels.",
)
picture, side = frame.stage()
with side:
    controls.own("images")
    controls.scheme_set()
drawing, COUNT, COMPILE = itertools.count(), studies.IMAGE_GRID, 12.0


def show(figure, height, place=st):
    frame.chart(figure, height, f"images-{next(drawing)}", place, bar=False)


def distances(study):
    left, right = st.columns(2)
    method = left.segmented_control(
        "Distance", list(images.TITLES), default="frechet", required=True, format_func=images.TITLES.get, key="images-method",
        help="Each with its sampling floor: what as many samples of the data's own law read.",
    )  # fmt: skip
    cost = right.segmented_control(
        "Against", list(images.COSTS), default="h", required=True, format_func=images.COSTS.get, key="images-cost",
        help="A Hessian-vector product costs about what a score costs.",
    )  # fmt: skip
    price = engine.seconds(study.price) + COMPILE
    found = runs.kept("image_distances", study, price=price, doing="Sampling with every scheme and step size.")
    if found is None:
        return
    figure = images.chart(found, method, cost)
    show(figure, 440)
    st.markdown(figure.caption)
    st.dataframe(images.table(found), hide_index=True, width="stretch")
    exports.named(figure, found, f"images-{method}", "images")
    st.markdown("### Does it copy the data?")
    near = images.near_chart(found, cost)
    show(near, 400)
    st.markdown(near.caption)
    exports.named(near, {"rows": found["near"], "others": found["others"]}, "images-copies", "near")


def by_step(grid):
    if grid and grid["spent"]:
        st.dataframe(images.steps_table(grid), hide_index=True, width="stretch")
    else:
        st.caption("SO alone takes products; choose it and compute the grids.")


def blind():
    rows = lesson()
    figure = images.lesson_chart(rows)
    show(figure, 380)
    st.markdown(figure.caption)
    exports.named(figure, {"rows": rows}, "diagonal-covariance", "lesson")


with picture:
    try:
        study = studies.images_study(values)
        if (count := study.target["count"]) < values["images.count"]:
            st.caption(f"The folder holds {count} images; all of them are taken and none is kept out.")
        steps = round(study.T / values["images.step"])
        price = engine.seconds(grid_work(study, steps, COUNT)) + COMPILE
        grid = runs.kept("image_grid", study, steps, COUNT, price=price, doing="Moving the images.")
        if grid:
            grids.show(grid, "grids")
            st.markdown(images.grid_sentence(grid))
        st.markdown("### How far from the data's law?")
        distances(study)
        frame.sections(
            ("What a diagonal covariance misses", "lesson-open", blind),
            ("Products of every step", "steps-open", lambda: by_step(grid)),
            ("How is this measured?", "measured-open", tell_images.measured),
            ("What the theorem says", "theorem-open", tell_images.theorem),
        )
        again = f"python -m dlab make image_grid study.json {steps} {COUNT}, or make image_distances study.json: the same numbers."
        exports.study_file(study.to_json(), again)
    except BadInput as error:
        st.error(frame.plain(error))
frame.end("images")
