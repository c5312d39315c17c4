"""A scene from a study file or a result file."""

from collections.abc import Callable
from dataclasses import dataclass

from dlab import errors, grid, schemes, targets
from dlab.cache import dumps
from dlab.params import BadInput, show
from dlab.study import BUDGET, Study
from dlab.study.unread import unread
from dlab.ui import settings, studies
from dlab.ui.settings import ACCURACIES, DISTANCES, LADDER, MAX_PANELS, MILLION


def from_study(data: bytes) -> tuple[dict, list[str]]:
    """The scene whose study is that of a study file or of a result file, and notes of what no control shows; BadInput says what is
    wrong with it, or why no page can show it.

    Controls are set where they describe the study; the rest of it is kept as it is, as "spec", "csv", "hs" and "kept".
    """
    given = Study.from_json(data)
    if given.vary:
        return _varied(given)
    if given.built.dim != 2:
        raise BadInput(f"The study's target has d = {given.built.dim}, and the pages draw only d = 2; run it from the shell.")
    horizon, laid = settings.table()["T"], _laid(given)
    if (not laid.pop("derived", False) and int(given.T) != given.T) or not horizon.low <= given.T <= horizon.high:
        raise BadInput(
            f"T = {given.T:g} is not among what the pages offer, whole numbers from {horizon.low} to {horizon.high}; run it from the shell."
        )
    T = {"T": int(given.T)} if int(given.T) == given.T and horizon.low <= given.T <= horizon.high else {}
    values = {**settings.defaults(), **T, **laid, "panels": given.schemes[:MAX_PANELS]}
    values |= {name: getattr(given, name) for name in ("schemes", "start", "estimator", "particles", "seed")}
    values |= _target(given) | (_step_sizes(given) if given.even else {}) | _sampling(given) | _reach(given)
    values |= _shown(_error(given)) | _shown(dict(given.options))
    asked, made = given.to_json(), {}
    for name in ("error", "accuracy", "budget", *schemes.OPTIONS):
        made |= settings.table()[name].in_study(values)
    kept = {key: asked[key] for key in settings.KEPT if key in asked and not same(asked[key], made.get(key))}
    notes = [*unread(given)]
    notes += [f"No control shows the file's {_named(asked[key], made.get(key), key)}; it is kept as it is." for key in kept]
    if asked.pop("reach", None):
        notes.append("The file's reach is searched for on the page “steps N”, with step sizes of its own.")
    values |= {"kept": kept or None}
    made = studies.curve(values).to_json()
    if other := [key for key in {**asked, **made} if not same(asked.get(key), made.get(key))]:
        raise BadInput(f"No page can show the study's {', '.join(other)} as in the file; run it from the shell.")
    return values, notes


def _shown(found: dict) -> dict:
    """Of some settings those whose controls can show the value."""
    shown = {}
    for name, value in found.items():
        try:
            shown[name] = settings.table()[name].read(value)
        except BadInput:
            continue
    return shown


def same(a, b) -> bool:
    """Equal up to rounding, where a key with the value 0 may be left out."""
    if isinstance(a, dict) and isinstance(b, dict):
        return all(same(a.get(k, 0.0), b.get(k, 0.0)) for k in {*a, *b})
    if isinstance(a, (list, tuple)):
        return isinstance(b, (list, tuple)) and len(a) == len(b) and all(map(same, a, b))
    number = isinstance(a, (int, float)) and isinstance(b, (int, float))
    return abs(a - b) <= 1e-9 * max(1.0, abs(a)) if number else a == b


def _named(asked, made, key) -> str:
    """What of a key's value is not as the controls make it."""
    if isinstance(asked, dict) and asked.get("name") == made["name"]:
        return ", ".join(f"{key}.{k}" for k in {**asked, **made} if not same(asked.get(k, 0.0), made.get(k, 0.0)))
    return key


def _target(given) -> dict:
    entry = targets.REGISTRY[given.target["name"]]
    if (knobs := entry.knobs_of(given.target)) is not None:
        return {"target": entry.name, **{f"{entry.name}.{name}": value for name, value in knobs.items()}}
    penalty = settings.table()["logistic.lam"]
    if given.target.keys() == {"name", "x", "y", "lam"} and penalty.low <= given.target["lam"] <= penalty.high:
        return {"target": "logistic", penalty.name: float(given.target["lam"]), "csv": (given.target["x"], given.target["y"])}
    return {"spec": given.target}


def _step_sizes(given) -> dict:
    sizes = tuple(given.h)
    stretch = [h for h in LADDER if min(sizes) <= h <= max(sizes)]
    return {"h": (max(sizes), min(sizes)), "hs": None} if sorted(sizes) == stretch[::-1] else {"hs": sizes}


def _laid(given) -> dict:
    """The settings of its time grid; "derived" where that says what T is."""
    if given.even:
        return {}
    spec = given.laid or {"name": "uniform"}
    if spec["name"] not in settings.GRIDS:
        raise BadInput("No page shows a list of times; run the study from the shell: python -m dlab run study.json --out DIR.")
    found = {f"{spec['name']}.{key}": value for key, value in spec.items() if key not in ("name", "last")}
    if unknown := [key for key in found if key not in settings.table()]:
        raise BadInput(f"The grid's {unknown[0].split('.')[1]} has no control; run the study from the shell.")
    steps = tuple(map(float, given.steps))
    stretch = [n for n in settings.COUNTS if steps[0] <= n <= steps[-1]]
    if list(steps) != stretch:
        offered = ", ".join(f"{n:g}" for n in settings.COUNTS)
        raise BadInput(f"steps = {show(list(given.steps))} is not a range of what the pages offer, {offered}; run it from the shell.")
    found |= {"grid": spec["name"], "last": spec.get("last", "zero"), "stop": given.stop or 0.0, "counts": (steps[0], steps[-1])}
    return found | {"derived": grid.MAKERS[spec["name"]].begins != "T"}


def _error(given) -> dict:
    """The settings that describe the score error, those of a page where that has the error's controls."""
    entry, spec = errors.REGISTRY[given.score_error["name"]], given.score_error
    found = {f"so.{k.name}": spec.get(k.name, 0.0) for k in errors.SECOND_ORDER}
    if entry.page:
        return found | {f"{entry.page}.{key}": spec[key] for key in entry.keys if key in spec}
    return found | {"error": entry.name, **{f"{entry.name}.{k.name}": spec.get(k.name, k.default) for k in entry.knobs}}


def _sampling(given) -> dict:
    """Accuracy and budget, where the controls offer the file's."""
    budget, rest = divmod(given.budget or BUDGET, MILLION)
    shown = given.accuracy in (a / 100 for a in ACCURACIES[1:]) and not rest
    return {"accuracy": round(100 * given.accuracy), "budget": budget} if shown else {}


def _reach(given) -> dict:
    """The distances to be reached."""
    if given.reach is None:
        return {}
    stretch = [e for e in DISTANCES if min(given.reach) <= e <= max(given.reach)]
    if list(given.reach) != stretch:
        offered = ", ".join(f"{e:g}" for e in DISTANCES)
        raise BadInput(f"reach = {show(list(given.reach))} is not a range of the offered {offered}; run it from the shell.")
    found = {"distances": (stretch[0], stretch[-1])}
    return found | {"epsilon": studies.epsilon(settings.defaults() | found)}


def _model(given) -> dict:
    name = given.score_error["name"]
    return _shown({"model": name} | {
        f"{name}.{k.name}": given.score_error[k.name] for k in errors.REGISTRY[name].knobs if k.name in given.score_error
    })  # fmt: skip


def _spectrum(given) -> dict:
    spec, reach = dict(given.target), given.reach or (settings.table()["epsilon"].initial,)
    shown = {key: spec[key] for key in ("shape", "low", "high") if key in spec}
    return _shown({**shown, "epsilon": reach[0]}) | {"variances": tuple(spec["values"]) if "values" in spec else None}


@dataclass(frozen=True)
class _Page:
    """A page that varies an axis: its name, its other settings of a study, its studies of a scene, and what of the study file its
    scene has not."""

    title: str
    settings: Callable[[Study], dict]
    studies: Callable[[dict], list[Study]]
    plain: Callable[[], dict]


_VARIED = {
    "score_error.level": _Page("score error ε", _model, lambda v: [studies.level_study(v)], lambda: {"score_error": studies.EXACT}),
    "T": _Page(
        "horizon T", lambda given: _shown({"fine": given.h[0]}) | {"h": settings.table()["h"].initial, "hs": None},
        lambda v: [*studies.horizon_studies(v).values()], dict,
    ),
    "d": _Page(
        "dimension d", _spectrum, lambda v: [studies.dimension_study(v)],
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
        values, notes = from_study(dumps({**given.to_json(), "vary": None, "reach": None, **page.plain()}).encode())
        values |= {ends.name: (stretch[0], stretch[-1]), **page.settings(given)} if stretch else {}
        if given in page.studies(values):
            return values, [*notes, f"The study varies {axis}; the page “{page.title}” draws it."]
    raise BadInput(f"The study varies {axis} in a way that no page offers; run it from the shell.")
