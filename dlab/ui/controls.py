"""The controls that pages share, in the order of the mission: target, schemes, h, score error, horizon,
sampling, picture. Each writes the scene under its own key and none computes."""

import functools

import streamlit as st

from dlab import engine, errors, measure, schemes, targets
from dlab.figures.numbers import step_size
from dlab.params import BadInput, Knob
from dlab.study import ESTIMATORS, STARTS
from dlab.targets import logistic, observations
from dlab.targets import spectrum as spectra
from dlab.ui import files, frame, links, state, studies, vocabulary
from dlab.ui.page_settings import FIRST, OWN, SETTINGS, Choice
from dlab.ui.scene import Scene

KEY = state.KEY
SPECTRA = {"isotropic": "All equal", "linear": "Linear", "power": "Power law"}
START_HELP = {"exact": "exact p_T", "paper": "N(0, σ_T² I), as in the paper"}


def _group(name: str):
    """Makes a function draw one of `vocabulary.GROUPS`: not at all where a lesson hides it or the controls are folded
    away, and with `off` true where a lesson fixes it."""

    def of(draw):
        @functools.wraps(draw)
        def drawn(*args):
            values = state.scene()
            if not state.folded() and name not in values["hide"]:
                draw(*args, off=name in values["fix"])

        return drawn

    return of


@_group("target")
def target(values: dict, *, off: bool) -> None:
    """The target and its knobs, or the file it came from."""
    if values["spec"]:
        st.markdown(f"**Target** from a file: {targets.REGISTRY[values['spec']['name']].title.lower()}")
        st.button(
            "Use the controls instead", on_click=state.adopt, args=({"spec": None},), disabled=off,
            help="Lets go of the file's target and shows the menu of targets again.",
        )  # fmt: skip
        return
    st.selectbox(
        "Target p₀",
        list(targets.PLANAR),
        format_func=lambda name: targets.REGISTRY[name].title,
        key=KEY + "target",
        help="The law that the sampler should produce.",
        disabled=off,
    )
    entry = targets.REGISTRY[values["target"]]
    if entry.name == "logistic":
        _data(values, off)
    hidden = ("rows", "spread", "data") if values["csv"] else ()
    _knobs(entry.name, [k for k in entry.knobs if k.name not in hidden], off)
    if entry.name == "mixture" and values["mixture.sep"] ** 2 >= 4 * values["mixture.var"]:
        st.caption(
            "This mixture is not log-concave (δ² ≥ 4v): the theorems say nothing here, the measurement still does."
        )


@_group("target")
def observed(values: dict, *, off: bool) -> None:
    """The observations and the penalty of the logistic target alone."""
    _data(values, off)
    hidden = ("rows", "spread", "data") if values["csv"] else ()
    _knobs("logistic", [k for k in targets.REGISTRY["logistic"].knobs if k.name not in hidden], off)


@_group("target")
def upload(*, off: bool) -> None:
    """Observations with any number of features from a CSV, kept in the session as "observations", (x, y)."""
    given = st.file_uploader(
        "CSV: features, and the label last or in y", type="csv", key="observations-upload", disabled=off,
        help=f"2 to {logistic.MAX_FEATURES} features; labels 1 and −1 (or 1 and 0). The features are standardised. 2,000 rows at most.",
    )  # fmt: skip
    _uploaded(given, "observations-seen", lambda data: {"observations": observations.read_csv(data)}, st.session_state.update)


def _data(values, off) -> None:
    if values["csv"]:
        st.caption(f"{len(values['csv'][0])} observations from your CSV.")
        st.button(
            "Use synthetic data", on_click=state.adopt, args=({"csv": None},), disabled=off,
            help="Lets go of your data and draws some from a logistic model.",
        )  # fmt: skip
        return
    with st.popover("Your own data", help="A CSV with columns x1, x2, y; y is 1 or −1 (or 1 and 0).", disabled=off):
        upload = st.file_uploader(
            "CSV with columns x1, x2, y", type="csv", key="csv-upload",
            help="x1 and x2 are the features of an observation, y its class: 1 or −1 (or 1 and 0). 2,000 rows at most.",
        )  # fmt: skip
        _uploaded(upload, "csv-seen", lambda data: {"csv": logistic.read_csv(data, planar=True)})


def _uploaded(upload, seen: str, read, adopt=lambda found: st.session_state.update(adopt=found)) -> None:
    """Adopt the settings that read(bytes) makes of a file, once; say what is wrong with it otherwise."""
    if upload is None or st.session_state.get(seen) == upload.file_id:
        return
    try:
        adopt(read(upload.getvalue()))
    except BadInput as error:
        st.error(frame.plain(error))
        return
    st.session_state[seen] = upload.file_id
    st.rerun()


def _knobs(prefix: str, knobs, off: bool) -> None:
    _slide(knobs, prefix + ".", off)


def _slide(knobs, prefix: str, off: bool) -> None:
    for i in range(0, len(knobs), 2):
        for column, knob in zip(st.columns(2), knobs[i : i + 2]):
            kind = int if isinstance(knob.step, int) else float
            column.slider(
                knob.label,
                kind(knob.low),
                kind(knob.high),
                step=knob.step,
                key=f"{KEY}{prefix}{knob.name}",
                help=knob.help,
                disabled=off,
            )


@_group("own")
def own(page: str, *, off: bool) -> None:
    """The settings of one page, as `dlab.ui.own` lists them."""
    for setting in OWN[page]:
        if not isinstance(setting, Knob):
            _pick(page, setting, st, off)
    _slide([s for s in OWN[page] if isinstance(s, Knob)], page + ".", off)


@_group("own")
def own_choice(page: str, name: str, place, *, off: bool) -> None:
    """One of them that is no knob, in a place of its own."""
    _pick(page, next(s for s in OWN[page] if s.name == name), place, off)


@_group("own")
def own_folded(page: str, title: str, names: tuple[str, ...], *, off: bool) -> None:
    """Some of them that are no knobs, folded under a title."""
    with st.expander(title):
        for name in names:
            _pick(page, next(s for s in OWN[page] if s.name == name), st, off)


@_group("own")
def own_remark(text: str, *, off: bool) -> None:
    """What is said beside them."""
    st.caption(text)


@_group("own")
def own_knob(page: str, name: str, *, off: bool) -> None:
    """One of them that is a knob."""
    _slide([s for s in OWN[page] if s.name == name], page + ".", off)


def _pick(page, setting, place, off):
    said = setting.options.get if isinstance(setting, Choice) else setting.said
    place.selectbox(
        setting.label, list(setting.options), format_func=said, key=f"{KEY}{page}.{setting.name}", help=setting.help, disabled=off
    )


@_group("schemes")
def scheme_set(*, off: bool) -> None:
    """Which schemes the curve shows."""
    st.pills(
        "Schemes", list(schemes.REGISTRY), selection_mode="multi", key=KEY + "schemes",
        help="; ".join(f"{s.name}: {s.title}" for s in schemes.REGISTRY.values()), disabled=off,
    )  # fmt: skip


@_group("schemes")
def panels(*, off: bool) -> None:
    """Which schemes move side by side."""
    st.pills(
        "Schemes, side by side", list(schemes.REGISTRY), selection_mode="multi", key=KEY + "panels",
        help="One to three schemes on the same Brownian path.", disabled=off,
    )  # fmt: skip


@_group("h")
def step_range(values: dict, *, off: bool) -> None:
    """The step sizes of the curve."""
    if values["hs"]:
        st.markdown("**Step sizes h** from a file: " + ", ".join(f"{h:.4g}" for h in values["hs"]))
        powers = {"hs": None, "h": links.DEFAULTS["h"]}
        st.button(
            "Use powers of two instead", on_click=state.adopt, args=(powers,), disabled=off,
            help="Lets go of the file's step sizes and shows the slider of step sizes again.",
        )  # fmt: skip
        return
    st.select_slider(
        "Step sizes h",
        studies.LADDER,
        value=values["h"],  # a pair: it makes the slider a range, the session state gives the values
        format_func=step_size,
        key=KEY + "h",
        help="The coarsest and the finest step; each halves the one before.",
        disabled=off,
    )


@_group("h")
def step(*, off: bool) -> None:
    """The step size of the moving particles."""
    st.select_slider(
        "Step size h", studies.LADDER, format_func=step_size, key=KEY + "step", help="The scheme takes T/h steps.",
        disabled=off,
    )  # fmt: skip


@_group("h")
def fine_step(*, off: bool) -> None:
    """The step size at which the horizon varies."""
    st.select_slider(
        "Step size h", studies.LADDER, format_func=step_size, key=KEY + "fine", disabled=off,
        help="The smaller, the further the initialisation error is seen to fall before the scheme's own is all that is left.",
    )  # fmt: skip


@_group("h")
def distances(values: dict, *, off: bool) -> None:
    """The accuracies that are to be reached, and the one that the table is of."""
    st.select_slider(
        "Accuracies ε", studies.DISTANCES, value=values["distances"], format_func="{:g}".format, key=KEY + "distances",
        help="For each the smallest number of steps with W₂ < ε is searched.", disabled=off,
    )  # fmt: skip
    offered = studies.between(studies.DISTANCES, values["distances"])
    if len(offered) > 1:
        state.adopt({"epsilon": studies.epsilon(values)})  # a slider takes no value that it does not offer
        st.select_slider(
            "Chosen accuracy ε", offered, format_func="{:g}".format, key=KEY + "epsilon",
            help="The one that the sentence and the table are of; a line in the picture.", disabled=off,
        )  # fmt: skip


def set_step(h: float) -> None:
    """Make h, which the player shows, the step size of the moving particles."""
    if h in studies.LADDER:
        state.adopt({"step": h})


@_group("error")
def score_error(values: dict, *, off: bool) -> None:
    """The injected error of the score, and those of L and M folded."""
    st.selectbox(
        "Score error",
        list(errors.OFFERED),
        format_func=lambda name: errors.REGISTRY[name].title,
        key=KEY + "error",
        help="How the score that the scheme sees departs from the exact one.",
        disabled=off,
    )
    _knobs(values["error"], errors.REGISTRY[values["error"]].knobs, off)
    with st.expander("Errors of SO's Hessian and drift rate"):
        _knobs("so", errors.SECOND_ORDER, off)


@_group("error")
def error_levels(values: dict, *, off: bool) -> None:
    """The error whose level the page varies, and its levels."""
    st.selectbox(
        "Score error", vocabulary.MODELS, format_func=lambda name: errors.REGISTRY[name].title, key=KEY + "model", disabled=off,
        help="How the score that the scheme sees departs from the exact one.",
    )  # fmt: skip
    _knobs(values["model"], [k for k in errors.REGISTRY[values["model"]].knobs if k.name != "level"], off)
    st.select_slider(
        "Levels ε", studies.LEVELS, value=values["levels"], format_func="{:g}".format, key=KEY + "levels", disabled=off,
        help="The smallest and the largest size of the error; ε = 0 is always measured beside them.",
    )  # fmt: skip


def one_curve(values: dict) -> tuple[str, float]:
    """Which scheme and step size the panels of the page single out; the first scheme and the finest step where nothing is said."""
    shown, sizes = list(values["schemes"]) or list(schemes.REGISTRY), sorted(studies.step_sizes(values))
    curve, at = values["score_error.curve"], int(values["score_error.at"])
    # What the study has not is not singled out, and the first of its schemes has one name only.
    curve, at = curve if curve in shown[1:] else FIRST, at if at < len(sizes) else 0
    state.adopt({"score_error.curve": curve, "score_error.at": float(at)})
    _one_curve(shown, sizes)
    return shown[0] if curve == FIRST else curve, sizes[at]


@_group("own")
def _one_curve(shown: list, sizes: list, *, off: bool) -> None:
    left, right = st.columns(2)
    pick, place = (SETTINGS[f"score_error.{name}"] for name in ("curve", "at"))
    left.selectbox(
        pick.label, [FIRST, *shown[1:]], format_func=lambda name: shown[0] if name == FIRST else name,
        key=KEY + "score_error.curve", help=pick.help, disabled=off,
    )  # fmt: skip
    right.selectbox(
        place.label, list(map(float, range(len(sizes)))), format_func=lambda i: step_size(sizes[int(i)]), key=KEY + "score_error.at",
        help=place.help, disabled=off,
    )  # fmt: skip


@_group("horizon")
def horizon(*, off: bool) -> None:
    """Where the reverse process starts, and from which law."""
    with st.expander("Horizon and start"):
        left, right = st.columns(2)
        left.slider(
            "Horizon T", 1, vocabulary.MAX_T, key=KEY + "T", disabled=off,
            help="Time at which the reverse process starts; T/h steps lead back to 0.",
        )  # fmt: skip
        right.selectbox(
            "Start", STARTS, format_func=START_HELP.get, key=KEY + "start", disabled=off,
            help="Exact: no initialisation error. The paper's start ignores what is left of the data at T.",
        )  # fmt: skip


@_group("horizon")
def horizons(*, off: bool) -> None:
    """The horizons of a curve."""
    st.select_slider(
        "Horizons T", studies.HORIZONS, key=KEY + "horizons", value=state.scene()["horizons"], format_func="{:g}".format, disabled=off,
        help="The shortest and the longest time from which the reverse process starts.",
    )  # fmt: skip


@_group("target")
def spectrum(values: dict, *, off: bool) -> None:
    """The variances of a Gaussian in many dimensions, and these dimensions."""
    if values["variances"]:
        st.markdown(f"**Variances** from a file: {len(values['variances'])}, the first d of them in d dimensions.")
        st.button(
            "Use the controls instead", on_click=state.adopt, args=({"variances": None},), disabled=off,
            help="Lets go of the file's variances and shows the shapes again.",
        )  # fmt: skip
    else:
        st.segmented_control(
            "Spectrum", list(SPECTRA), format_func=SPECTRA.get, key=KEY + "shape", required=True, disabled=off,
            help="All variances equal to the largest; evenly from the largest to the smallest; or a power law between them.",
        )  # fmt: skip
        _slide([k for k in vocabulary.VARIANCES if k.name == "high" or values["shape"] != "isotropic"], "", off)
        with st.popover("Your own variances", help="A text or CSV file with positive numbers, 4,096 at most.", disabled=off):
            upload = st.file_uploader(
                "Variances, with commas, spaces or lines between", type=["csv", "txt"], key="variances-upload",
                help="For instance the eigenvalues of a data set's covariance; d takes the first of them.",
            )  # fmt: skip
            _uploaded(upload, "variances-seen", lambda data: {"variances": spectra.read_text(data)})
    st.select_slider(
        "Dimensions d", studies.DIMENSIONS, key=KEY + "dims", value=values["dims"], format_func="{:g}".format, disabled=off,
        help="The smallest and the largest; each is four times the one before.",
    )  # fmt: skip


@_group("h")
def epsilon(*, off: bool) -> None:
    """The distance that is to be reached."""
    st.select_slider(
        "Accuracy ε", studies.DISTANCES, key=KEY + "epsilon", format_func="{:g}".format, disabled=off,
        help="The distance W₂ to come below; the number of steps for it is found by search.",
    )  # fmt: skip


@_group("sampling")
def sampling(values: dict, *, off: bool) -> None:
    """How W2 is measured, with how many paths or how accurately, and with what budget."""
    with st.expander("Sampling and measuring"):
        titles = {"auto": "Best available", **{e.name: e.title for e in measure.REGISTRY.values()}}
        st.selectbox(
            "How W₂ is measured", ESTIMATORS, format_func=titles.get, key=KEY + "estimator", disabled=off,
            help="Best available: the exact law where there is one, else projected. The others show why these are needed.",
        )  # fmt: skip
        st.number_input(
            "Brownian paths", 16, 65536, step=512, key=KEY + "particles", disabled=off,
            help="More paths, smaller standard errors: N paths give 1/√N. With an accuracy, the paths to begin with.",
        )  # fmt: skip
        left, right = st.columns(2)
        left.selectbox(
            "Accuracy", vocabulary.ACCURACIES, format_func=lambda a: f"±{a} %" if a else "as it comes", key=KEY + "accuracy",
            help="Relative standard error wanted. Paths are added to the points that lack it, the cheapest first.",
            disabled=off,
        )  # fmt: skip
        if values["accuracy"]:
            right.number_input(
                "Budget (10⁶ steps)", 1, vocabulary.MOST, step=50, key=KEY + "budget", disabled=off,
                help=f"Particle-steps at most, about {engine.seconds(values['budget'] * studies.MILLION):.0f} s on this machine. "
                "A budget in seconds would give other numbers on another machine.",
            )  # fmt: skip
        _seed(off)


@_group("sampling")
def moving(*, off: bool) -> None:
    """How many particles move."""
    with st.expander("Sampling"):
        st.select_slider(
            "Particles", vocabulary.MOVING, key=KEY + "moving",
            help="In each panel; every scheme gets the same Brownian paths.", disabled=off,
        )  # fmt: skip
        _seed(off)


def _seed(off) -> None:
    st.number_input(
        "Seed", 0, 2**31 - 1, key=KEY + "seed", step=1, help="The same seed gives the same numbers.", disabled=off
    )


@_group("picture")
def picture(values: dict, *, off: bool) -> None:
    """What the curve's picture shows."""
    with st.expander("Picture"):
        st.selectbox(
            "Horizontal axis", list(vocabulary.AXES), format_func=vocabulary.AXES.get, key=KEY + "x", disabled=off,
            help="Evaluations compare schemes at equal cost: REM and REI ask for two scores a step, SO for a score and a Hessian.",
        )  # fmt: skip
        st.checkbox("Fitted lines", key=KEY + "fits", disabled=off, help="W₂ = C hᵖ through the filled points; p is the slope.")
        st.checkbox(
            "Choose the fitted step sizes", key=KEY + "by_hand", disabled=off,
            help="Otherwise coarse points that bend away from the line of the finer ones are left out by a rule.",
        )  # fmt: skip
        if values["by_hand"]:
            st.select_slider(
                "Fitted step sizes h", studies.LADDER, value=values["window"], format_func=step_size, key=KEY + "window",
                disabled=off, help="The coarsest and the finest step that the slopes are fitted to.",
            )  # fmt: skip
        st.checkbox(
            "Theorem's bounds", key=KEY + "bounds", disabled=off,
            help="Dotted lines: the leading term of each scheme's theorem with this target's constants.",
        )  # fmt: skip
        st.checkbox(
            "Closed form as h → 0", key=KEY + "expansion", disabled=off,
            help="On a Gaussian target, with exact start and score, EM's, EI's and SO's error to leading order in h: no fit in it.",
        )  # fmt: skip
        st.selectbox(
            "Brackets", list(vocabulary.BRACKETS), format_func=vocabulary.BRACKETS.get, key=KEY + "brackets", disabled=off,
            help="Bands from Gelbrich's lower to the coupled upper bound. Those of many schemes hide each other.",
        )  # fmt: skip


@_group("picture")
def cost(*, off: bool) -> None:
    """What the picture of the budget counts."""
    st.segmented_control(
        "Count", list(vocabulary.COSTS), format_func=vocabulary.COSTS.get, key=KEY + "cost", required=True, disabled=off,
        help="REM and REI ask for two scores a step, SO for a score and a Hessian. The time is measured on this machine.",
    )  # fmt: skip
    st.checkbox(
        "Theorem's numbers of steps", key=KEY + "bounds", disabled=off,
        help="Dotted lines: without them the found numbers fill the picture.",
    )  # fmt: skip


@_group("picture")
def work(*, off: bool) -> None:
    """What the work–precision diagram counts."""
    st.segmented_control(
        "Count on the horizontal axis", list(vocabulary.COSTS), format_func=vocabulary.COSTS.get, key=KEY + "work", required=True,
        disabled=off, help="Evaluations of score and Hessian are what a learned model costs; here they are cheap.",
    )  # fmt: skip


def open_study() -> None:
    """Reopen a scene from a study file, or from a result file, which holds its study."""
    if state.folded():
        return
    with st.popover("Open a study file"):
        upload = st.file_uploader(
            "Study or result (JSON)", type="json", key="study-upload",
            help="Downloaded here or made in the shell; its settings replace those of the controls.",
        )  # fmt: skip
        if upload is not None and st.session_state.get("study-seen") != upload.file_id:
            try:
                values, notes = files.from_study(upload.getvalue())
            except BadInput as error:
                st.error(frame.plain(error))
                return
            st.session_state["study-seen"] = upload.file_id
            st.session_state["adopt"] = values
            st.session_state["adopt-notes"] = notes
            st.rerun()


def _setting(page: str, name: str, place=st, *, off: bool) -> None:
    setting = SETTINGS[f"{page}.{name}"]
    if isinstance(setting, Knob):
        _slide([setting], page + ".", off)
    else:
        _pick(page, setting, place, off)


# name: draw(scene, page, ...); what a page lists as its controls.
CONTROLS = {
    "target": lambda scene, page: target(scene),
    "observed": lambda scene, page: observed(scene),
    "upload": lambda scene, page: upload(),
    "spectrum": lambda scene, page: spectrum(scene),
    "schemes": lambda scene, page: scheme_set(),
    "panels": lambda scene, page: panels(),
    "h": lambda scene, page: step_range(scene),
    "step": lambda scene, page: step(),
    "fine": lambda scene, page: fine_step(),
    "distances": lambda scene, page: distances(scene),
    "epsilon": lambda scene, page: epsilon(),
    "score_error": lambda scene, page: score_error(scene),
    "error_levels": lambda scene, page: error_levels(scene),
    "one_curve": lambda scene, page: one_curve(scene),
    "horizon": lambda scene, page: horizon(),
    "horizons": lambda scene, page: horizons(),
    "sampling": lambda scene, page: sampling(scene),
    "moving": lambda scene, page: moving(),
    "picture": lambda scene, page: picture(scene),
    "cost": lambda scene, page: cost(),
    "work": lambda scene, page: work(),
    "page": lambda scene, page: own(page),  # all settings of the page alone
    "folded": lambda scene, page, *, title, names: own_folded(page, title, names),
    "remark": lambda scene, page, *, text: own_remark(text),
    "open_study": lambda scene, page: open_study(),
}


def draw(name: str, scene: Scene, page: str, **how):
    """Draw one block of controls: one of CONTROLS, or a setting of the page alone, "<page>.<name>".

    how: place, the container of a setting of the page; title and names of "folded"; text of "remark". Returns what the block
    gives: (scheme, h) of "one_curve", None of the others.
    """
    if name in CONTROLS:
        return CONTROLS[name](scene, page, **how)
    of, _, short = name.partition(".")
    return _group("own")(_setting)(of, short, how.get("place", st))
