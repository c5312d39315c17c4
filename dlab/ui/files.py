"""A scene from a study file or a result file."""

import json

from dlab import errors, targets
from dlab.params import BadInput
from dlab.study import BUDGET, Study
from dlab.ui import studies
from dlab.ui.links import DEFAULTS
from dlab.ui.page_settings import SETTINGS
from dlab.ui.studies import DISTANCES, LADDER, MAX_PANELS, MILLION, epsilon
from dlab.ui.vocabulary import ACCURACIES, MAX_T


def from_study(data: bytes) -> tuple[dict, list[str]]:
    """The scene of a study file, and notes of what the pages cannot show; BadInput says what is wrong with it.

    Controls are set where they describe the target and the step sizes; both are kept as they are where none do.
    """
    given = Study.from_json(_inner(data))
    if given.vary:
        return _varied(given)
    if given.built.dim != 2:
        raise BadInput(f"The study's target has d = {given.built.dim}; the pages draw d = 2, so run it from the shell.")
    if int(given.T) != given.T or not 1 <= given.T <= MAX_T:
        raise BadInput(
            f"T = {given.T:g} is outside what the pages offer, whole numbers from 1 to {MAX_T}; run it from the shell."
        )
    values = {**DEFAULTS, "T": int(given.T), "schemes": given.schemes, "panels": given.schemes[:MAX_PANELS]}
    values |= {"start": given.start, "estimator": given.estimator, "particles": given.particles, "seed": given.seed}
    entry = targets.REGISTRY[given.target["name"]]
    knobs = entry.knobs_of(given.target)
    if knobs is not None:
        values |= {"target": entry.name, **{f"{entry.name}.{name}": value for name, value in knobs.items()}}
    elif entry.name == "logistic" and _offered("logistic.lam", given.target["lam"]):
        values |= {"target": "logistic", "logistic.lam": float(given.target["lam"])}
        values["csv"] = (given.target["x"], given.target["y"])
    else:
        values["spec"] = given.target
    sizes = tuple(given.h)
    stretch = [h for h in LADDER if min(sizes) <= h <= max(sizes)]
    values |= {"h": (max(sizes), min(sizes)), "hs": None} if sorted(sizes) == sorted(stretch) else {"hs": sizes}
    error = errors.REGISTRY[given.score_error["name"]]
    if error.page:
        values |= _of_page(given, error)
    else:
        values["error"] = error.name
    for knob in errors.REGISTRY[values["error"]].knobs:
        value = given.score_error.get(knob.name, knob.default)
        values[f"{values['error']}.{knob.name}"] = _slid(knob, value % 360 if knob.name == "angle" else value)
    for knob in errors.SECOND_ORDER:
        values[f"so.{knob.name}"] = _slid(knob, given.score_error.get(knob.name, 0.0))
    return values, [*_sampling(given, values), *_reach(given, values)]


def _model(given) -> dict:
    name = given.score_error["name"]
    knobs = (k for k in errors.REGISTRY[name].knobs if k.name in given.score_error)
    return {"model": name, **{f"{name}.{k.name}": _slid(k, given.score_error[k.name]) for k in knobs}}


def _spectrum(given) -> dict:
    spec, reach = dict(given.target), given.reach or (DEFAULTS["epsilon"],)
    found = {key: spec[key] for key in ("shape", "low", "high") if key in spec}
    return {**found, "variances": tuple(spec["values"]) if "values" in spec else None, "epsilon": reach[0]}


# What the pages vary: the setting of the values, those offered, the page, its other settings, and its studies.
VARIED = {
    "score_error.level": ("levels", studies.LEVELS, "Score error", _model, lambda values: [studies.level_study(values)]),
    "T": (
        "horizons", studies.HORIZONS, "Horizon", lambda given: {"fine": given.h[0], "h": DEFAULTS["h"], "hs": None},
        lambda values: studies.horizon_studies(values).values(),
    ),
    "d": ("dims", studies.DIMENSIONS, "Dimension", _spectrum, lambda values: [studies.dimension_study(values)]),
}  # fmt: skip


def _varied(given) -> tuple[dict, list[str]]:
    """The scene in which a page makes the study, and a note that names the page."""
    axis = given.vary["axis"]
    key, offered, page, settings, made = VARIED.get(axis, ("", (), "", None, None))
    asked = [v for v in given.vary["values"] if v > 0]
    # Variances of one's own end at their number, wherever the control stands beyond it.
    if stretch := asked and ([v for v in offered if asked[0] <= v <= asked[-1]] or [v for v in offered if v > asked[-1]][:1]):
        plain = {**given.to_json(), "vary": None, "reach": None}
        if axis != "T":
            plain["score_error"] = {"name": "none"}
        if axis == "d":
            plain |= {"target": studies.target_spec(DEFAULTS), "estimator": "auto"}
        values, notes = from_study(json.dumps(plain).encode())
        values |= {key: (stretch[0], stretch[-1]), **settings(given)}
        if given in made(values):
            return values, [*notes, f"The study varies {axis}: the page {page} draws it."]
    raise BadInput(f"The study varies {axis} as no page of the app does; run it from the shell.")


def _of_page(given, error) -> dict:
    """The settings of the page that has the error's controls."""
    found = {}
    for key in error.keys:
        if key in given.score_error:
            name = f"{error.page}.{key}"
            try:
                found[name] = SETTINGS[name].read(given.score_error[key])
            except BadInput as wrong:
                raise BadInput(f"score_error: {wrong} Or run the study from the shell.") from None
    return found


def _reach(given, values) -> list[str]:
    """Set the distances to be reached; a note where the Budget page offers others."""
    if given.reach is None:
        return []
    stretch = [e for e in DISTANCES if min(given.reach) <= e <= max(given.reach)]
    if list(given.reach) != stretch:
        offered = ", ".join(f"{e:g}" for e in DISTANCES)
        return [f"The file's reach is no stretch of what the Budget page offers, {offered}; its own distances were used."]
    values |= {"distances": (stretch[0], stretch[-1])}
    values["epsilon"] = epsilon(values)
    return []


def _sampling(given, values) -> list[str]:
    """Set accuracy and budget to what the controls offer; a note of each that is not the file's."""
    if given.accuracy is None:
        return [] if given.budget is None else ["The pages have a budget only where an accuracy is asked for."]
    notes = []
    near = min(ACCURACIES[1:], key=lambda a: abs(a / 100 - given.accuracy))
    budget = -(-(given.budget or BUDGET) // MILLION)
    if near / 100 != given.accuracy:
        notes.append(f"The pages offer no accuracy of {given.accuracy:g}; {near / 100:g} was used.")
    if given.budget is not None and budget * MILLION != given.budget:
        notes.append(f"The pages count the budget in millions of particle-steps; {budget} were used.")
    values |= {"accuracy": near, "budget": budget}
    return notes


def _inner(data: bytes):
    """The study of a result file, which holds its own; anything else as it is."""
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        return data
    return found["study"] if isinstance(found, dict) and "study" in found and "rows" in found else found


def _slid(knob, value) -> float:
    try:
        return knob.read(value)
    except BadInput:
        raise BadInput(
            f"score_error.{knob.name} = {value:g} is outside what the pages offer, {knob.low:g} to {knob.high:g}; "
            "run the study from the shell."
        ) from None


def _offered(name, value) -> bool:
    target, knob = name.split(".")
    return any(k.name == knob and k.low <= value <= k.high for k in targets.REGISTRY[target].knobs)
