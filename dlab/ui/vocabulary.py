"""What may stand in an address: how the text of each key is read, and how a value is written. No streamlit here."""

import base64
import json
import unicodedata
import zlib

from dlab import errors, params, schemes, targets
from dlab.params import BadInput, Knob
from dlab.study import ESTIMATORS, STARTS
from dlab.targets.spectrum import SHAPES
from dlab.ui import page_settings, scenes, studies, tour

COSTS = {"steps": "Steps", "evals": "Evaluations", "time": "Measured time"}
MODELS = tuple(errors.LEVELED)
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
    return page_settings.Rung(name, "", ladder[0], ladder, "").read


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
    spec = unpack(text)
    if targets.build(spec).dim != 2:
        raise BadInput("the target in the link is not two-dimensional; open it from the shell.")
    return {"spec": spec}


def _variances(text):
    return tuple(targets.build({"name": "spectrum", "values": unpack(text)}).values.tolist())


def _csv(text):
    data = unpack(text)
    if not isinstance(data, list) or len(data) != 2:
        raise BadInput("the data in the link are not features and labels; upload the CSV again.")
    targets.build({"name": "logistic", "x": data[0], "y": data[1], "lam": 1.0})
    return {"csv": (data[0], data[1])}


READ = {
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
    **{key: setting.read for key, setting in page_settings.SETTINGS.items()},
    "title": lambda text: line("title", text),
    "question": lambda text: line("question", text),
    "hide": _control_groups,
    "fix": _control_groups,
    "scene": lambda text: params.choice("scene", text, scenes.BY_NAME),
    "tour": lambda text: params.integer("tour", params.typed("tour", text), 1, len(tour.STEPS)),
}


def text_of(value) -> str:
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, tuple) and all(isinstance(v, float) for v in value):
        return "..".join(f"{v:.12g}" for v in value)
    if isinstance(value, tuple):
        return ",".join(value)
    return f"{value:.12g}" if isinstance(value, float) else str(value)


def pack(value) -> str:
    raw = json.dumps(value, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(zlib.compress(raw, 9)).decode().rstrip("=")


def unpack(text: str):
    try:
        packed = base64.urlsafe_b64decode(text.encode() + b"=" * (-len(text) % 4))
        # A small bomb must not become a large one: stop well above any study that the lab accepts.
        raw = zlib.decompressobj().decompress(packed, 2_000_000)
        value = json.loads(raw)
        json.dumps(value, allow_nan=False)
    except (ValueError, zlib.error, RecursionError):
        raise BadInput("its packed data are damaged; open the study file instead.") from None
    return value
