"""A scene from a study file or a result file."""

import json
from collections.abc import Callable
from dataclasses import dataclass

from dlab import errors, targets
from dlab.params import BadInput
from dlab.study import BUDGET, Study
from dlab.ui import settings, studies
from dlab.ui.settings import ACCURACIES, DISTANCES, LADDER, MAX_PANELS, MILLION


def from_study(data: bytes) -> tuple[dict, list[str]]:
    """The scene of a study file, and notes of what the pages cannot show; BadInput says what is wrong with it.

    Controls are set where they describe the target and the step sizes; both are kept as they are where none do.
    """
    given = Study.from_json(_inner(data))
    if given.vary:
        return _varied(given)
    if given.built.dim != 2:
        raise BadInput(f"The study's target has d = {given.built.dim}; the pages draw d = 2, so run it from the shell.")
    horizon = settings.table()["T"]
    if int(given.T) != given.T or not horizon.low <= given.T <= horizon.high:
        raise BadInput(
            f"T = {given.T:g} is outside what the pages offer, whole numbers from {horizon.low} to {horizon.high}; run it from the shell."
        )
    values = {**settings.defaults(), "T": int(given.T), "panels": given.schemes[:MAX_PANELS]}
    values |= {name: getattr(given, name) for name in ("schemes", "start", "estimator", "particles", "seed")}
    values |= _target(given) | _step_sizes(given) | _error(given)
    return values, [*_sampling(given, values), *_reach(given, values)]


def _target(given) -> dict:
    entry = targets.REGISTRY[given.target["name"]]
    if (knobs := entry.knobs_of(given.target)) is not None:
        return {"target": entry.name, **{f"{entry.name}.{name}": value for name, value in knobs.items()}}
    if entry.name == "logistic":
        penalty = settings.table()["logistic.lam"]
        if penalty.low <= given.target["lam"] <= penalty.high:
            return {"target": "logistic", penalty.name: float(given.target["lam"]), "csv": (given.target["x"], given.target["y"])}
    return {"spec": given.target}


def _step_sizes(given) -> dict:
    sizes = tuple(given.h)
    stretch = [h for h in LADDER if min(sizes) <= h <= max(sizes)]
    return {"h": (max(sizes), min(sizes)), "hs": None} if sorted(sizes) == stretch[::-1] else {"hs": sizes}


def _error(given) -> dict:
    """The settings of the score error, those of a page where that has the error's controls."""
    entry, spec = errors.REGISTRY[given.score_error["name"]], given.score_error
    plain = {f"so.{k.name}": _turned(f"so.{k.name}", spec.get(k.name, 0.0)) for k in errors.SECOND_ORDER}
    if entry.page:
        return plain | {name: _read(name, spec[key]) for key in entry.keys if key in spec for name in (f"{entry.page}.{key}",)}
    knobs = {k.name: spec.get(k.name, k.default) for k in entry.knobs}
    knobs |= {"angle": knobs["angle"] % 360} if "angle" in knobs else {}
    return plain | {"error": entry.name, **{f"{entry.name}.{k}": _turned(f"{entry.name}.{k}", value) for k, value in knobs.items()}}


def _read(name, value):
    try:
        return settings.table()[name].read(value)
    except BadInput as wrong:
        raise BadInput(f"score_error: {wrong} Or run the study from the shell.") from None


def _turned(name, value) -> float:
    knob = settings.table()[name]
    try:
        return knob.read(value)
    except BadInput:
        offered = f"outside what the pages offer, {knob.low:g} to {knob.high:g}; run the study from the shell."
        raise BadInput(f"score_error.{knob.short} = {value:g} is {offered}") from None


def _model(given) -> dict:
    name = given.score_error["name"]
    knobs = (f"{name}.{k.name}" for k in errors.REGISTRY[name].knobs if k.name in given.score_error)
    return {"model": name, **{knob: _turned(knob, given.score_error[knob.rpartition(".")[2]]) for knob in knobs}}


def _spectrum(given) -> dict:
    spec, reach = dict(given.target), given.reach or (settings.table()["epsilon"].initial,)
    shown = {key: spec[key] for key in ("shape", "low", "high") if key in spec}
    return {**shown, "variances": tuple(spec["values"]) if "values" in spec else None, "epsilon": reach[0]}


@dataclass(frozen=True)
class _Page:
    """A page that varies an axis: its name, its other settings of a study, its studies of a scene, and what of the study file its
    scene has not."""

    title: str
    settings: Callable[[Study], dict]
    studies: Callable[[dict], list[Study]]
    plain: Callable[[], dict]


_VARIED = {
    "score_error.level": _Page("Score error", _model, lambda v: [studies.level_study(v)], lambda: {"score_error": studies.EXACT}),
    "T": _Page(
        "Horizon", lambda given: {"fine": given.h[0], "h": settings.table()["h"].initial, "hs": None},
        lambda v: [*studies.horizon_studies(v).values()], dict,
    ),
    "d": _Page(
        "Dimension", _spectrum, lambda v: [studies.dimension_study(v)],
        lambda: {"score_error": studies.EXACT, "target": settings.target_spec(settings.defaults()), "estimator": "auto"},
    ),
}  # fmt: skip


def _varied(given) -> tuple[dict, list[str]]:
    """The scene in which a page makes the study, and a note that names the page."""
    axis = given.vary["axis"]
    asked = [v for v in given.vary["values"] if v > 0]
    if asked and (page := _VARIED.get(axis)):
        ends = next(setting for setting in settings.table().values() if setting.varies == axis)
        # Variances of one's own end at their number, wherever the control stands beyond it.
        stretch = [v for v in ends.options if asked[0] <= v <= asked[-1]] or [v for v in ends.options if v > asked[-1]][:1]
        values, notes = from_study(json.dumps({**given.to_json(), "vary": None, "reach": None, **page.plain()}).encode())
        values |= {ends.name: (stretch[0], stretch[-1]), **page.settings(given)} if stretch else {}
        if given in page.studies(values):
            return values, [*notes, f"The study varies {axis}: the page {page.title} draws it."]
    raise BadInput(f"The study varies {axis} as no page of the app does; run it from the shell.")


def _reach(given, values) -> list[str]:
    """Set the distances to be reached; a note where the Budget page offers others."""
    if given.reach is None:
        return []
    stretch = [e for e in DISTANCES if min(given.reach) <= e <= max(given.reach)]
    if list(given.reach) != stretch:
        offered = ", ".join(f"{e:g}" for e in DISTANCES)
        return [f"The file's reach is no stretch of what the Budget page offers, {offered}; its own distances were used."]
    values |= {"distances": (stretch[0], stretch[-1])}
    values["epsilon"] = studies.epsilon(values)
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
        content = json.loads(data)
    except (ValueError, RecursionError):
        return data
    return content["study"] if isinstance(content, dict) and "study" in content and "rows" in content else content
