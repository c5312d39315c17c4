"""The controls that pages list by name: a setting of the table, or one of the blocks here that are more than one setting.

Each writes the scene under its own key and none computes.
"""

import functools
from collections.abc import Callable

import streamlit as st

from dlab import engine, errors, schemes, targets
from dlab.figures.numbers import step_size
from dlab.targets import logistic
from dlab.targets import spectrum as spectra
from dlab.ui import files, frame, scheme_controls, settings, state, studies, target_picture, uploads
from dlab.ui.blocks import draw_one, grouped, pairs, unfolded
from dlab.ui.knobs import SYNTHETIC
from dlab.ui.scene import Scene
from dlab.ui.settings import FIRST, LADDER, MILLION

CONTROLS: dict[str, Callable] = {}  # name: block(scene, page, off, ...)


def draw(name: str, scene: Scene, page: str, **more):
    """Draw a block of CONTROLS or one setting, by name: not at all where a lesson hides its group or the controls are folded
    away, and fixed where a lesson fixes it. `more` is the block's own, or for a setting `place`, the container, and arguments of
    its control. Returns what the block gives: (scheme, h) of "one_curve", None of most."""
    if name in CONTROLS:
        return CONTROLS[name](scene, page, **more)
    return grouped(settings.table()[name].group, _one)(scene, page, name=name, **more)


def _block(group: str, name: str = ""):
    """Registers a function as a block of controls, in one of `settings.GROUPS`."""

    def register(block):
        CONTROLS[name or block.__name__] = grouped(group, block)
        return block

    return register


def _one(scene, page, off, *, name, place=st, **more):
    draw_one(name, off, place, **more)


def _error_knobs(name, off, left_out=()) -> None:
    pairs([f"{name}.{k.name}" for k in errors.REGISTRY[name].knobs if k.name not in left_out], off)


def _let_go(label, tip, off, **values) -> None:
    """A button that goes back from what a file gave to the controls."""
    st.button(label, on_click=state.apply, args=(values,), disabled=off, help=tip)


def _keep_no(scene, off, *keys) -> None:
    """The same for what is kept of a study file."""
    kept = {key: value for key, value in scene["kept"].items() if key not in keys}
    _let_go("Use the controls instead", f"Drops the {' and '.join(keys)} of the file.", off, kept=kept or None)


# ---------------------------------------------------------------- target


@_block("target")
def target(scene, page, off) -> None:
    """The target and its knobs, or the file it came from."""
    target_picture.draw(scene)
    if scene["spec"]:
        st.markdown(f"**Target** from a file: {targets.REGISTRY[scene['spec']['name']].title.lower()}")
        _let_go("Use the controls instead", "Drops the target of the file and shows the list of targets again.", off, spec=None)
        return
    draw_one("target", off)
    _target_knobs(scene, scene["target"], off)
    if scene["target"] == "mixture" and scene["mixture.sep"] ** 2 >= 4 * scene["mixture.var"]:
        st.caption("This mixture is not log-concave (δ² ≥ 4v): the theorems say nothing here, but the error can still be measured.")


@_block("target")
def observed(scene, page, off) -> None:
    """The observations and the penalty of the logistic target alone."""
    _target_knobs(scene, "logistic", off)


def _target_knobs(scene, name, off) -> None:
    if name == "logistic":
        _data(scene, off)
    hidden = () if name != "logistic" else SYNTHETIC if scene["csv"] else ("data",)
    pairs([f"{name}.{k.name}" for k in targets.REGISTRY[name].knobs if k.name not in hidden], off)


def _data(scene, off) -> None:
    if scene["csv"]:
        st.caption(frame.plain(uploads.understood("csv", scene["csv"]) or f"{len(scene['csv'][0])} observations from a file."))
        draw_one("scaled", off)
        _let_go("Use synthetic data", "Drops your data and draws synthetic observations instead.", off, csv=None, scaled=False)
    else:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption("Synthetic observations, drawn from a logistic model.")
            another = {"logistic.data": (scene["logistic.data"] + 1) % 1000}
            st.button("New data", on_click=state.apply, args=(another,), disabled=off, help="Draws other observations from the same model.")
    said = st.container()
    with st.popover("Your own data", help="A CSV with two features and a label with two values.", disabled=off):
        tip = "Two columns of features and one of labels; at most 2,000 rows."
        uploads.take("CSV: two features and a label", "csv", "csv", tip, uploads.planar, ask=uploads.columns, said=said)


@_block("target")
def upload(scene, page, off) -> None:
    """Observations with any number of features from a CSV, kept in the session as "observations", (x, y)."""
    tip = f"2 to {logistic.MAX_FEATURES} features and a label with two values; at most 2,000 rows. The features are standardised."
    label, read = "CSV: features and a label", lambda data, *how: {"observations": uploads.table("observations", data, False, *how)}
    uploads.take(label, "csv", "observations", tip, read, st.session_state.update, off, uploads.columns)
    if summary := uploads.understood("observations", st.session_state.get("observations")):
        st.caption(frame.plain(summary))


@_block("target")
def spectrum(scene, page, off) -> None:
    """The variances of a Gaussian in many dimensions, and these dimensions."""
    if scene["variances"]:
        st.markdown(f"**Variances** from a file: {len(scene['variances'])}; in d dimensions the first d are used.")
        _let_go("Use the controls instead", "Drops the variances of the file and shows the shapes again.", off, variances=None)
    else:
        draw_one("shape", off)
        pairs(["high"] if scene["shape"] == "isotropic" else ["low", "high"], off)
        with st.popover("Your own variances", help="A text or CSV file with at most 4,096 positive numbers.", disabled=off):
            tip = "For instance the eigenvalues of a data set's covariance; d takes the first of them."
            label, read = "Variances, separated by commas, spaces or lines", lambda data: {"variances": spectra.read_text(data)}
            uploads.take(label, ["csv", "txt"], "variances", tip, read)
    draw_one("dims", off)


# ---------------------------------------------------------------- step sizes and accuracies


@_block("h", "h")
def steps(scene, page, off) -> None:
    """The step sizes of the curve."""
    if scene["hs"]:
        st.markdown("**Step sizes h** from a file: " + ", ".join(map(step_size, scene["hs"])))
        tip = "Drops the step sizes of the file and shows the slider again."
        _let_go("Use powers of two instead", tip, off, hs=None, h=settings.table()["h"].initial)
        return
    if settings.uneven(scene) and page == "convergence":
        draw_one("counts", off)
    else:
        draw_one("h", off)


CONTROLS |= {
    "grid": grouped("h", scheme_controls.grid),
    "schemes": grouped("schemes", scheme_controls.chosen),
    "panels": functools.partial(grouped("schemes", scheme_controls.chosen), name="panels"),
}


@_block("h")
def step(scene, page, off) -> None:
    """How many steps move the particles."""
    draw_one("count" if settings.uneven(scene) and page == "particles" else "step", off)


@_block("h")
def distances(scene, page, off) -> None:
    """The accuracies that are to be reached, and the one that the table is of."""
    draw_one("distances", off)
    offered = studies.stretch(scene, "distances")
    if len(offered) > 1:
        state.apply({"epsilon": studies.epsilon(scene)})  # a slider takes no value that it does not offer
        draw_one(
            "epsilon", off, label="Chosen accuracy ε", options=offered,
            help="The accuracy that the sentence and the table refer to; a line in the picture.",
        )  # fmt: skip


def set_step(h: float) -> None:
    """Make h, which the player shows, the step size of the moving particles."""
    if h in LADDER:
        state.apply({"step": h})


# ---------------------------------------------------------------- score error


@_block("error")
def score_error(scene, page, off) -> None:
    """The injected error of the score, and those of L and M folded; or what of a file stands in their place."""
    if spec := (scene["kept"] or {}).get("score_error"):
        st.markdown(f"**Score error** from a file: {errors.REGISTRY[spec['name']].title.lower()}")
        st.caption(frame.plain(", ".join(f"{key}: {value}" for key, value in spec.items())))
        _keep_no(scene, off, "score_error")
        return
    draw_one("error", off)
    _error_knobs(scene["error"], off)
    if box := unfolded("Errors of SO's Hessian and drift rate", "second-order"):
        with box:
            pairs([f"so.{k.name}" for k in errors.SECOND_ORDER], off)


@_block("error")
def error_levels(scene, page, off) -> None:
    """The error whose level the page varies, and its levels."""
    draw_one("model", off)
    _error_knobs(scene["model"], off, left_out=("level",))
    draw_one("levels", off)


def one_curve(scene: Scene, page: str) -> tuple[str, float]:
    """Which scheme and step size the panels of the page single out; the first scheme and the finest step where nothing is said."""
    shown, sizes = list(scene["schemes"]) or list(schemes.REGISTRY), sorted(studies.step_sizes(scene))
    curve, at = scene["score_error.curve"], int(scene["score_error.at"])
    # What the study has not is not singled out, and the first of its schemes has one name only.
    curve, at = curve if curve in shown[1:] else FIRST, at if at < len(sizes) else 0
    state.apply({"score_error.curve": curve, "score_error.at": float(at)})
    grouped("own", _one_curve)(scene, page, shown=shown, sizes=sizes)
    return shown[0] if curve == FIRST else curve, sizes[at]


CONTROLS["one_curve"] = one_curve


def _one_curve(scene, page, off, *, shown, sizes) -> None:
    left, right = st.columns(2)
    draw_one("score_error.curve", off, left, options=[FIRST, *shown[1:]], format_func=lambda name: shown[0] if name == FIRST else name)
    places = list(map(float, range(len(sizes))))
    draw_one("score_error.at", off, right, options=places, format_func=lambda i: step_size(sizes[int(i)]))


# ---------------------------------------------------------------- horizon, sampling, picture


@_block("sampling")
def sampling(scene, page, off) -> None:
    """How W2 is measured, with how many paths or how accurately, and with what budget."""
    if box := unfolded("Sampling and measuring", "sampling"):
        with box:
            _sampling(scene, off)


def _sampling(scene, off) -> None:
    draw_one("estimator", off)
    draw_one("particles", off)
    if kept := {key: value for key, value in (scene["kept"] or {}).items() if key != "score_error"}:
        st.caption("From a file: " + ", ".join(f"{key} = {value:g}" for key, value in kept.items() if value))
        _keep_no(scene, off, *kept)
    else:
        with st.container(horizontal=True, gap="medium"):
            draw_one("accuracy", off)
            if scene["accuracy"]:
                about = engine.seconds(scene["budget"] * MILLION)
                tip = f"The most particle-steps to spend: about {about:.0f} s on this machine."
                draw_one("budget", off, help=tip)
    draw_one("seed", off)


def _folded(title: str, group: str, *rows: str) -> Callable:
    """A block of settings under a title; names with a space between stand side by side."""

    def block(scene, page, off) -> None:
        if box := unfolded(title, group):
            with box:
                for row in rows:
                    if " " in row:
                        pairs(row.split(), off)
                    elif settings.table()[row].when(scene):
                        draw_one(row, off)

    return grouped(group, block)


CONTROLS |= {
    "horizon": _folded("Horizon and start", "horizon", "T start"),
    "moving": _folded("Sampling", "sampling", "moving", "seed"),
    "picture": _folded("Picture", "picture", "x", "fits", "by_hand", "window", "bounds", "expansion", "brackets"),
}


@_block("picture")
def cost(scene, page, off) -> None:
    """What the picture of the budget counts."""
    draw_one("cost", off)
    tip = "Dotted lines. Without them the numbers that were found fill the picture."
    draw_one("bounds", off, label="Theorem's numbers of steps", help=tip)


# ---------------------------------------------------------------- a page's own, files


@_block("own", "page")
def of_page(scene, page, off) -> None:
    """All settings that the page alone has."""
    for name in settings.names_of(page):
        draw_one(name, off)


@_block("own")
def folded(scene, page, off, *, title, names) -> None:
    """Some settings folded under a title."""
    if box := unfolded(title, "own"):
        with box:
            for name in names:
                draw_one(name if "." in name else f"{page}.{name}", off)


@_block("own")
def remark(scene, page, off, *, text) -> None:
    """What is said beside a page's own settings."""
    st.caption(text)


def open_study(scene: Scene, page: str) -> None:
    """Reopen a scene from a study file, or from a result file, which holds its study."""
    if state.folded():
        return
    with st.popover("Open a study file"):
        tip = "Downloaded here or made in the shell; its settings replace those of the controls."
        adopt = lambda opened: st.session_state.update(zip(("adopt", "adopt-notes"), opened))  # noqa: E731
        uploads.take("Study or result (JSON)", "json", "study", tip, files.from_study, adopt)


CONTROLS["open_study"] = open_study
