"""A scene as the address bar, the widgets and the study see it. No streamlit here: plain values.

A scene is a flat dict. Knobs of targets and errors are keyed "gaussian.k1", "constant.level": all of
them have a value at all times, the address carries those of the chosen target and error.
"""

from functools import cache

from dlab import errors, params, schemes, targets
from dlab.params import BadInput
from dlab.ui import page_settings, scenes, studies, tour, vocabulary

VERSION = 1
LONGEST = 6000  # characters of data that a link carries
# What a lecturer adds to a scene: words of their own, groups of controls not drawn, groups shown but disabled.
LESSON = {"title": "", "question": "", "hide": (), "fix": ()}

DEFAULTS = {
    "target": "gaussian",
    "spec": None,  # a target from a file that no knobs describe
    "csv": None,  # (x, y) of an uploaded CSV for the logistic target
    "schemes": tuple(schemes.REGISTRY),
    "panels": ("EM", "SO"),
    "h": (0.5, 1 / 64),  # coarsest and finest of the ladder
    "hs": None,  # step sizes from a file that are no stretch of the ladder
    "step": 0.25,
    "T": 4,
    "start": "exact",
    "error": "none",
    "estimator": "auto",
    "particles": 4096,
    "accuracy": 0,  # relative standard error wanted, in per cent; 0: as many paths as said
    "budget": 200,  # million particle-steps, where an accuracy is wanted
    "moving": 2000,
    "seed": 0,
    "x": "h",
    "fits": True,
    "bounds": True,
    "expansion": False,
    "brackets": "few",
    "by_hand": False,
    "window": (0.25, 1 / 64),  # of the fits, where it is set by hand
    "model": "constant",  # of the score error, on the page that varies its level
    "levels": (0.01, 0.5),
    "horizons": (1.0, 8.0),
    "fine": 1 / 64,  # the step size where the horizon varies
    "shape": "isotropic",
    "dims": (1.0, 4096.0),
    "distances": (0.5, 0.01),
    "epsilon": 0.05,  # of them, the one that the table is of
    "cost": "steps",  # what the budget's first picture counts
    "work": "evals",  # and its second
    "variances": None,  # of an uploaded spectrum
    "play": False,
    **LESSON,
    "present": False,  # presentation mode
    "scene": "",  # the prepared scene that is open
    "tour": 0,  # the step of the guided tour that is open, counted from 1
    **{f"{t.name}.{k.name}": k.default for t in targets.REGISTRY.values() for k in t.knobs},
    **{f"{e.name}.{k.name}": k.default for e in errors.REGISTRY.values() for k in e.knobs},
    **{f"so.{k.name}": k.default for k in errors.SECOND_ORDER},
    **{k.name: k.default for k in vocabulary.VARIANCES},
    **{key: setting.default for key, setting in page_settings.SETTINGS.items()},
}
_VARIED = ("model", "levels", "horizons", "fine", "shape", "low", "high", "dims", "distances", "epsilon")
_PLAIN = (
    "target",
    "schemes",
    "panels",
    "h",
    "step",
    "T",
    "start",
    "error",
    "estimator",
    "particles",
    "accuracy",
    "budget",
    "moving",
    "seed",
    "x",
    "fits",
    "bounds",
    "expansion",
    "brackets",
    "by_hand",
    "window",
    *_VARIED,
    "cost",
    "work",
)
# Keys that change how a scene is shown and none of its numbers.
VIEW = {"v", "x", "fits", "bounds", "expansion", "brackets", "cost", "work", "play", "present", "scene", "tour", *LESSON}
# Settings that a page does not read.
ELSEWHERE = {
    "particles": {"schemes", "h", "estimator", "particles", "accuracy", "budget", "by_hand", "window", *_VARIED},
    "convergence": {"panels", "step", "moving", *_VARIED},
}
# What is set back together where a link's settings are no study, the least first.
_GROUPS = (
    (),
    ("h", "hs", "T", "step"),
    ("estimator", "error"),
    ("particles", "accuracy", "budget"),
    ("spec", "csv"),
    tuple(name for name in DEFAULTS if name not in {*LESSON, "present", "tour"}),
)


def read(query: dict[str, str], repeated: tuple[str, ...] = ()) -> tuple[dict, list[str]]:
    """Scene and notes from the address bar. Whatever is not understood is named in a note, with what
    was used instead; nothing in a link can raise."""
    values, notes = dict(DEFAULTS), []
    query = _named(query) | query
    notes += [f"The link gives {params.show(key)} more than once; the last was used." for key in repeated]
    if "target" in query and "spec" in query:
        notes.append("The link gives both target and spec; spec was used.")
    version = query.pop("v", str(VERSION))
    if version != str(VERSION):
        notes.append(
            f"The link says version {params.show(version)}; this lab reads version {VERSION} and took what it understood."
        )
    for key in ("target", "error", "model"):
        if key in query:
            _take(values, notes, key, key, query.pop(key), vocabulary.READ[key])
    knobs = {**_target_knobs(values), **_error_knobs(values), **_model_knobs(values)}
    for key, text in query.items():
        if key in knobs:
            name, knob = knobs[key]
            _take(values, notes, name, key, text, knob.read)
        elif key in vocabulary.READ:
            _take(values, notes, key, key, text, vocabulary.READ[key])
        else:
            notes.append(f"The link's {params.show(key)} = {params.show(text)} is unknown here and was ignored.")
    values = _fitted(values, notes)
    if (scene := scenes.BY_NAME.get(values["scene"])) and differs(values, scene):
        notes.append(f"The link's scene was ignored: its settings are not those of “{scene.question}” Used instead: none.")
        values["scene"] = ""
    return values, notes


def short(query: dict[str, str]) -> str | None:
    """The page of a scene or a step of the tour that a link names without settings; None for any other link."""
    found = _entry(query)
    return found.page if found and set(query) <= VIEW - {"v"} else None


def _entry(query) -> scenes.PreparedScene | tour.Step | None:
    """The scene or the step that a link names."""
    steps = {str(i): step for i, step in enumerate(tour.STEPS, 1)}
    return scenes.BY_NAME.get(query.get("scene")) or steps.get(query.get("tour"))


def _named(query) -> dict[str, str]:
    """The settings of the scene or step that a link names alone."""
    return _entry(query).settings if short(query) else {}


def differs(values: dict, entry: scenes.PreparedScene | tour.Step) -> bool:
    """Whether settings that the numbers of a scene or a step of the tour depend on are not its own."""
    mine, its = write(values, entry.page), written(entry)
    return any(mine.get(key) != its.get(key) for key in {*mine, *its} - VIEW - ELSEWHERE.get(entry.page, set()))


def written(entry: scenes.PreparedScene | tour.Step) -> dict[str, str]:
    """The whole address of a scene or a step. Kept: every page asks for that of every scene."""
    return dict(_written(entry.page, tuple(entry.settings.items())))


@cache
def _written(page, settings) -> dict[str, str]:
    return write(read(dict(settings))[0], page)


def address(scene: scenes.PreparedScene) -> dict[str, str]:
    """The whole address of a prepared scene: every setting in force, so that changed defaults change no scene."""
    return _address(scene, {"scene": scene.name})


def step_address(number: int) -> dict[str, str]:
    """The whole address of a step of the tour, counted from 1."""
    return _address(tour.STEPS[number - 1], {"tour": str(number)})


def _address(entry, name) -> dict[str, str]:
    # An address bar forgets that a scene plays, once it does; its link says so.
    play = {key: value for key, value in entry.settings.items() if key == "play"}
    return written(entry) | name | play


def _fitted(values, notes) -> dict:
    """The values, with the first group of settings at its defaults that makes them a study."""
    reason = None
    for group in _GROUPS:
        trial = values | {name: DEFAULTS[name] for name in group}
        try:
            studies.study(trial), studies.moving_study(trial)
        except BadInput as error:
            reason = reason or error
            continue
        if group:
            named = "all settings" if group == _GROUPS[-1] else ", ".join(group)
            notes.append(f"The link's settings do not fit together: {reason} Used instead: the defaults of {named}.")
        return trial
    raise AssertionError("the defaults are a study")


def write(values: dict, page: str = "") -> dict[str, str]:
    """The address of a scene on a page: every setting in force there, with the version."""
    query = {"v": str(VERSION)}
    for key in _PLAIN:
        if key == "h" and values["hs"]:
            query["h"] = ",".join(f"{h:.12g}" for h in values["hs"])
        elif key == "target" and values["spec"]:
            query["spec"] = vocabulary.pack(values["spec"])
        else:
            query[key] = vocabulary.text_of(values[key])
    for key, (name, _) in {**_target_knobs(values), **_error_knobs(values), **_model_knobs(values)}.items():
        query[key] = vocabulary.text_of(values[name])
    if values["csv"] and values["target"] == "logistic" and not values["spec"]:
        query["data"] = vocabulary.pack(values["csv"])
    if values["variances"]:
        query["variances"] = vocabulary.pack(values["variances"])
    query |= of_page(values, page)
    query |= {key: vocabulary.text_of(values[key]) for key in (*LESSON, "present", "scene", "tour") if values[key]}
    return {k: v for k, v in query.items() if 0 < len(v) <= LONGEST}


def of_page(values: dict, page: str) -> dict[str, str]:
    """The part of an address that is a page's own."""
    return {key: vocabulary.text_of(values[key]) for key in page_settings.of(page)}


def complete(values: dict) -> bool:
    """Whether the address carries the whole scene; data that are too long travel in the study file."""
    query = write(values)
    carried = all((key in query) == bool(values[key]) for key in ("spec", "variances"))
    return carried and not (
        values["csv"] and values["target"] == "logistic" and not values["spec"] and "data" not in query
    )


def in_lesson(values: dict) -> bool:
    """Whether a lecturer's words or restrictions are in force."""
    return any(values[key] for key in LESSON)


def _target_knobs(values):
    if values["spec"]:
        return {}
    entry = targets.REGISTRY[values["target"]]
    hidden = ("rows", "spread", "data") if values["csv"] and entry.name == "logistic" else ()
    # "data" is the key of an uploaded CSV; the data seed of the synthetic one travels as "dataseed".
    return {
        "dataseed" if k.name == "data" else k.name: (f"{entry.name}.{k.name}", k)
        for k in entry.knobs
        if k.name not in hidden
    }


def _error_knobs(values):
    entry = errors.REGISTRY[values["error"]]
    found = {f"e_{k.name}": (f"{entry.name}.{k.name}", k) for k in entry.knobs}
    return found | {f"e_{k.name}": (f"so.{k.name}", k) for k in errors.SECOND_ORDER}


def _model_knobs(values):
    """Knobs of the error whose level a page varies, where they are not those of the scene's own error."""
    entry = errors.REGISTRY[values["model"]]
    own = entry.name == values["error"]
    return {} if own else {f"m_{k.name}": (f"{entry.name}.{k.name}", k) for k in entry.knobs if k.name != "level"}


def _take(values, notes, name, key, text, reader):
    try:
        got = reader(text)
        values |= got if isinstance(got, dict) else {name: got}
    except BadInput as error:
        used = vocabulary.text_of(values[name]) if name in values and name not in ("spec", "csv") else "the default"
        used = used or "none"
        notes.append(f"The link's {key} was ignored: {error} Used instead: {used}.")
