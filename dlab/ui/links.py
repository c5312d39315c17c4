"""A scene as the address bar, the widgets and the study see it. No streamlit here: plain values.

A scene is a flat dict. Knobs of targets and errors are keyed "gaussian.k1", "constant.level": all of
them have a value at all times, the address carries those of the chosen target and error.
"""

import base64
import json
import unicodedata
import zlib
from functools import cache

from dlab import errors, params, schemes, targets
from dlab.params import BadInput, Knob
from dlab.study import ESTIMATORS, STARTS
from dlab.targets.spectrum import SHAPES
from dlab.ui import own, questions, studies, tour

VERSION = 1
LONGEST = 6000  # characters of data that a link carries
COSTS = {"steps": "Steps", "evals": "Evaluations", "time": "Measured time"}
MODELS = tuple(name for name in errors.OFFERED if name != "none")
# The variances of the Dimension page's target.
VARIANCES = (
    Knob("low", "Smallest variance", 0.3, 0.05, 4.0, 0.05, "1/L₀: the narrowest direction of the target."),
    Knob("high", "Largest variance", 0.8, 0.05, 4.0, 0.05, "1/m₀: the widest direction. The theorems need m₀ > ½, so less than 2."),
)

ACCURACIES = (0, 10, 5, 2, 1)
MOST = params.MAX_WORK // studies.MILLION
MOVING = (500, 1000, 2000, 5000)
AXES = {"h": "step size h", "steps": "number of steps", "evals": "score and Hessian evaluations"}
BRACKETS = {"few": "For one or two schemes", "always": "Always", "never": "Never"}
MAX_T = 10
# The groups of controls that a lesson hides or fixes.
GROUPS = {
    "target": "Target",
    "schemes": "Schemes",
    "h": "Step size",
    "error": "Score error",
    "horizon": "Horizon and start",
    "sampling": "Sampling",
    "own": "Settings of one page",
    "picture": "Picture",
}
LONGEST_TEXT = 200  # characters of a lesson's title, and of its question
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
    **{k.name: k.default for k in VARIANCES},
    **{key: setting.default for key, setting in own.SETTINGS.items()},
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
            _take(values, notes, key, key, query.pop(key), _READ[key])
    knobs = {**_target_knobs(values), **_error_knobs(values), **_model_knobs(values)}
    for key, text in query.items():
        if key in knobs:
            name, knob = knobs[key]
            _take(values, notes, name, key, text, knob.read)
        elif key in _READ:
            _take(values, notes, key, key, text, _READ[key])
        else:
            notes.append(f"The link's {params.show(key)} = {params.show(text)} is unknown here and was ignored.")
    values = _fitted(values, notes)
    if (scene := questions.BY_NAME.get(values["scene"])) and differs(values, scene):
        notes.append(f"The link's scene was ignored: its settings are not those of “{scene.question}” Used instead: none.")
        values["scene"] = ""
    return values, notes


def short(query: dict[str, str]) -> str | None:
    """The page of a scene or a step of the tour that a link names without settings; None for any other link."""
    found = _entry(query)
    return found.page if found and set(query) <= VIEW - {"v"} else None


def _entry(query) -> questions.Scene | tour.Step | None:
    """The scene or the step that a link names."""
    steps = {str(i): step for i, step in enumerate(tour.STEPS, 1)}
    return questions.BY_NAME.get(query.get("scene")) or steps.get(query.get("tour"))


def _named(query) -> dict[str, str]:
    """The settings of the scene or step that a link names alone."""
    return _entry(query).settings if short(query) else {}


def differs(values: dict, entry: questions.Scene | tour.Step) -> bool:
    """Whether settings that the numbers of a scene or a step of the tour depend on are not its own."""
    mine, its = write(values, entry.page), written(entry)
    return any(mine.get(key) != its.get(key) for key in {*mine, *its} - VIEW - ELSEWHERE.get(entry.page, set()))


def written(entry: questions.Scene | tour.Step) -> dict[str, str]:
    """The whole address of a scene or a step. Kept: every page asks for that of every scene."""
    return dict(_written(entry.page, tuple(entry.settings.items())))


@cache
def _written(page, settings) -> dict[str, str]:
    return write(read(dict(settings))[0], page)


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
            query["spec"] = _pack(values["spec"])
        else:
            query[key] = _text(values[key])
    for key, (name, _) in {**_target_knobs(values), **_error_knobs(values), **_model_knobs(values)}.items():
        query[key] = _text(values[name])
    if values["csv"] and values["target"] == "logistic" and not values["spec"]:
        query["data"] = _pack(values["csv"])
    if values["variances"]:
        query["variances"] = _pack(values["variances"])
    query |= of_page(values, page)
    query |= {key: _text(values[key]) for key in (*LESSON, "present", "scene", "tour") if values[key]}
    return {k: v for k, v in query.items() if 0 < len(v) <= LONGEST}


def of_page(values: dict, page: str) -> dict[str, str]:
    """The part of an address that is a page's own."""
    return {key: _text(values[key]) for key in own.of(page)}


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
        used = _text(values[name]) if name in values and name not in ("spec", "csv") else "the default"
        used = used or "none"
        notes.append(f"The link's {key} was ignored: {error} Used instead: {used}.")


def _names(text, registry, most=None):
    found = tuple(dict.fromkeys(params.choice("a scheme", n.strip(), registry) for n in str(text).split(",")))
    if most and len(found) > most:
        raise BadInput(f"{len(found)} panels are too many; give at most {most}.")
    return found


def _stretch(name, text, ladder=studies.LADDER):
    first, last = (params.typed(name, part) for part in text.split("..", 1)) if ".." in text else (None, None)
    if first not in ladder or last not in ladder or ladder.index(first) > ladder.index(last):
        steps = ", ".join(f"{v:g}" for v in ladder)
        raise BadInput(f"{name} = {params.show(text)} is not a stretch of {steps}; give two of them in this order, as a..b.")
    return first, last


def _sizes(text):
    text = str(text)
    if ".." in text:
        return {"h": _stretch("h", text), "hs": None}
    return {
        "hs": tuple(
            params.number("h", params.typed("h", part), above=0.0, high=params.MAX_T) for part in text.split(",")
        )
    }


def _rung(name, ladder):
    return own.Rung(name, "", ladder[0], ladder, "").read


def _one_of(name, options):
    def reader(text):
        value = params.integer(name, params.typed(name, text))
        if value not in options:
            raise BadInput(f"{name} = {value} is not offered; give one of {', '.join(map(str, options))}.")
        return value

    return reader


def line(name: str, text: str) -> str:
    """A lesson's title or question: one line of plain text, its spaces tidied."""
    tidy = " ".join(str(text).split())
    if len(tidy) > LONGEST_TEXT:
        raise BadInput(f"{name} has {len(tidy)} characters; give at most {LONGEST_TEXT}.")
    # Marks that join letters or turn the direction of one word are part of some scripts; the other invisible
    # ones can only break the page or disguise what is written.
    if any(unicodedata.category(c) in ("Cc", "Cs", "Cf") and c not in _JOINERS for c in tidy):
        raise BadInput(f"{name} holds characters that cannot be shown; give letters, digits and signs.")
    return tidy


_JOINERS = "\u00ad\u200c\u200d\u200e\u200f"


def _control_groups(text):
    return tuple(dict.fromkeys(params.choice("a control group", n.strip(), GROUPS) for n in str(text).split(",")))


def _flag(name):
    return lambda text: params.choice(name, text, ("0", "1")) == "1"


def _spec(text):
    spec = _unpack(text)
    if targets.build(spec).dim != 2:
        raise BadInput("the target in the link is not two-dimensional; open it from the shell.")
    return {"spec": spec}


def _variances(text):
    return tuple(targets.build({"name": "spectrum", "values": _unpack(text)}).values.tolist())


def _csv(text):
    data = _unpack(text)
    if not isinstance(data, list) or len(data) != 2:
        raise BadInput("the data in the link are not features and labels; upload the CSV again.")
    targets.build({"name": "logistic", "x": data[0], "y": data[1], "lam": 1.0})
    return {"csv": (data[0], data[1])}


_READ = {
    "target": lambda text: params.choice("target", text, targets.PLANAR),
    "error": lambda text: params.choice("error", text, errors.OFFERED),
    "spec": _spec,
    "data": _csv,
    "schemes": lambda text: _names(text, schemes.REGISTRY),
    "panels": lambda text: _names(text, schemes.REGISTRY, studies.MAX_PANELS),
    "h": _sizes,
    "step": _rung("step", studies.LADDER),
    "fine": _rung("fine", studies.LADDER),
    "T": lambda text: params.integer("T", params.typed("T", text), 1, MAX_T),
    "start": lambda text: params.choice("start", text, STARTS),
    "estimator": lambda text: params.choice("estimator", text, ESTIMATORS),
    "particles": lambda text: params.integer("particles", params.typed("particles", text), 16, params.MAX_PARTICLES),
    "accuracy": _one_of("accuracy", ACCURACIES),
    "budget": lambda text: params.integer("budget", params.typed("budget", text), 1, MOST),
    "moving": _one_of("moving", MOVING),
    "seed": lambda text: params.integer("seed", params.typed("seed", text), 0, 2**31 - 1),
    "x": lambda text: params.choice("x", text, AXES),
    **{key: _flag(key) for key in ("fits", "bounds", "expansion", "by_hand", "play", "present")},
    "brackets": lambda text: params.choice("brackets", text, BRACKETS),
    "window": lambda text: _stretch("window", str(text)),
    "model": lambda text: params.choice("model", text, MODELS),
    "shape": lambda text: params.choice("shape", text, SHAPES),
    **{
        key: lambda text, key=key, ladder=ladder: _stretch(key, str(text), ladder)
        for key, ladder in (
            ("levels", studies.LEVELS),
            ("horizons", studies.HORIZONS),
            ("dims", studies.DIMENSIONS),
            ("distances", studies.DISTANCES),
        )
    },
    **{key: lambda text, key=key: params.choice(key, text, COSTS) for key in ("cost", "work")},
    **{knob.name: knob.read for knob in VARIANCES},
    "epsilon": _rung("epsilon", studies.DISTANCES),
    "variances": _variances,
    **{key: setting.read for key, setting in own.SETTINGS.items()},
    "title": lambda text: line("title", text),
    "question": lambda text: line("question", text),
    "hide": _control_groups,
    "fix": _control_groups,
    "scene": lambda text: params.choice("scene", text, questions.BY_NAME),
    "tour": lambda text: params.integer("tour", params.typed("tour", text), 1, len(tour.STEPS)),
}


def _text(value) -> str:
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, tuple) and all(isinstance(v, float) for v in value):
        return "..".join(f"{v:.12g}" for v in value)
    if isinstance(value, tuple):
        return ",".join(value)
    return f"{value:.12g}" if isinstance(value, float) else str(value)


def _pack(value) -> str:
    raw = json.dumps(value, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(zlib.compress(raw, 9)).decode().rstrip("=")


def _unpack(text: str):
    try:
        packed = base64.urlsafe_b64decode(text.encode() + b"=" * (-len(text) % 4))
        # A small bomb must not become a large one: stop well above any study that the lab accepts.
        raw = zlib.decompressobj().decompress(packed, 2_000_000)
        value = json.loads(raw)
        json.dumps(value, allow_nan=False)
    except (ValueError, zlib.error, RecursionError):
        raise BadInput("its packed data are damaged; open the study file instead.") from None
    return value
