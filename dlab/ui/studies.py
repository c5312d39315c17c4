"""The studies of a scene: what its pages ask the lab for. No streamlit here: plain values."""

import math
from collections.abc import Mapping

from dlab import errors, learn, pictures, schemes, targets
from dlab import grid as grids
from dlab.answers import samplers
from dlab.params import BadInput
from dlab.study import DEFAULT, Study
from dlab.targets import observations
from dlab.ui import assumption_cases, settings
from dlab.ui.knobs import in_file
from dlab.ui.settings import IMAGE_STEPS, LADDER, MAX_PANELS, SAMPLES, step_sizes

EXACT = {"name": "none"}  # the score itself


def study(values: Mapping, **changed) -> Study:
    """The study of a scene, with some of its file's values changed; BadInput where settings contradict each other."""
    return Study.from_json(_asked(values) | changed)


def curve(values: Mapping, **changed) -> Study:
    """The same on the time grid of the scene, which the pages Convergence and Particles have."""
    asked = _asked(values)
    if settings.uneven(values):
        del asked["h"], asked["T"]
        asked |= _times(values) | {"steps": list(map(int, settings.table()["counts"].between(values["counts"])))}
    return Study.from_json(asked | changed)


def _times(values) -> dict:
    """What the study file has of a scene's time grid, but for the number of steps."""
    horizon = {"T": values["T"]} if grids.MAKERS[values["grid"]].begins == "T" else {}
    return {"grid": settings.grid_spec(values), "stop": values["stop"] or None, **horizon}


def _asked(values) -> dict:
    if not values["schemes"]:
        raise BadInput("No scheme is chosen; choose at least one.")
    asked = {}
    for setting in settings.table().values():
        asked |= setting.in_study(values)
    return asked | (values["kept"] or {})


def stretch(values: Mapping, name: str) -> list[float]:
    """The values between the two ends of a setting."""
    return step_sizes(values) if name == "h" else settings.table()[name].between(values[name])


def vary(values: Mapping, name: str) -> dict:
    """The study file's `vary` of a setting with two ends."""
    return {"axis": settings.table()[name].varies, "values": stretch(values, name)}


def moving_study(values: Mapping) -> Study:
    """The study that the particles page animates: the panels' schemes at its own step size."""
    if len(values["panels"]) > MAX_PANELS:
        raise BadInput(f"{len(values['panels'])} schemes are chosen; choose at most {MAX_PANELS} to show side by side.")
    alone = {"counts": (values["count"],) * 2, "hs": (values["step"],), "estimator": "auto", "particles": 4096}
    return curve({**values, **alone, "schemes": values["panels"]}, accuracy=None, budget=None)


# ---------------------------------------------------------------- score error


def model_spec(values: Mapping, **changed) -> dict:
    """The study file's `score_error` object of the error whose level a page varies, without a level unless one is given."""
    name = changed.pop("name", values["model"])
    return {"name": name, **{k.name: values[f"{name}.{k.name}"] for k in errors.REGISTRY[name].knobs if k.name != "level"}, **changed}


def along_levels(levels) -> dict:
    """`vary` of a study over levels of the score error; the exact score is always measured beside them."""
    return {"axis": "score_error.level", "values": [0.0, *levels]}


def level_study(values: Mapping) -> Study:
    """The study of W2 against the level of the score error."""
    return study(values, score_error=model_spec(values), vary=along_levels(stretch(values, "levels")))


# ---------------------------------------------------------------- budget, horizon, dimension

BUDGET_STEPS = LADDER[:6]  # step sizes beside a search for step counts


def reaching_study(values: Mapping) -> Study:
    """The study of the budget page: the distances to be reached, and coarse step sizes of its own beside them."""
    return study(values, h=list(BUDGET_STEPS), reach=stretch(values, "distances"))


def epsilon(values: Mapping) -> float:
    """The distance that the budget's table is of: among those to be reached the nearest to the one chosen."""
    return min(stretch(values, "distances"), key=lambda e: abs(math.log(e / values["epsilon"])))


def horizon_studies(values: Mapping) -> dict[str, Study]:
    """The studies of W2 against the horizon, one for each start."""
    return {
        f"{start} start": study(values, start=start, h=[values["fine"]], vary=vary(values, "horizons")) for start in ("paper", "exact")
    }


def dimension_study(values: Mapping) -> Study:
    """The study of a Gaussian in many dimensions: W2 at each of them, and the steps that a distance takes."""
    along = vary(values, "dims")
    if given := values["variances"]:
        target = {"name": "spectrum", "values": list(given)}
        along["values"] = sorted({d for d in along["values"] if d < len(given)} | {len(given)})
    else:
        target = {"name": "spectrum", "shape": values["shape"], "dim": 1, "high": values["high"]}
        target |= {"low": min(values["low"], values["high"])}
    return study(values, target=target, vary=along, reach=[values["epsilon"]], estimator="exact", score_error=EXACT)


# ---------------------------------------------------------------- outside the assumptions

AT = 1 / 16  # the step size at which the relaxing number varies


def case_target(case: assumption_cases.Departure, value: float) -> dict:
    """The study file's `target` object of a case."""
    entry = targets.REGISTRY[case.target]
    return entry.from_knobs({**{k.name: k.default for k in entry.knobs}, **case.fixed, case.key: value})


def case_of(values: Mapping) -> assumption_cases.Departure:
    """The case that a scene shows."""
    return assumption_cases.BY_NAME[values["outside.case"]]


def case_study(values: Mapping) -> Study:
    """W2 against h at the value chosen."""
    case = case_of(values)
    return study(values, target=case_target(case, values[f"outside.{case.name}"]), score_error=EXACT, estimator="auto")


def case_along(values: Mapping) -> Study:
    """W2 at AT against the number that leads out of the assumptions; of schemes whose law is quick to carry."""
    case = case_of(values)
    names = [s for s in values["schemes"] if not schemes.REGISTRY[s].randomised] or ["EM", "SO"]
    along = {"axis": f"target.{case.key}", "values": list(case.values)}
    return study(
        values, target=case_target(case, case.default), schemes=names, h=[min(AT, values["T"])], vary=along, score_error=EXACT,
        estimator="auto",
    )  # fmt: skip


def hessian_studies(values: Mapping) -> dict[str, Study]:
    """SO with each wrong Hessian, beside SO with the exact one and EM."""
    on, drift = values["outside.on"], values["outside.drift"]
    target, sizes = assumption_cases.HESSIAN_TARGETS[on], LADDER[2:] if on == "gaussian" else LADDER[2:6]  # an exact law is cheap
    plain = {"target": target, "h": list(sizes), "T": 4.0, "start": "exact", "seed": values["seed"]}
    wrong = {
        label: {"schemes": ["SO"], "score_error": {**EXACT, "hessian": {**spec, "drift": drift}}}
        for label, spec in assumption_cases.HESSIANS.items()
    }
    asked = {"EM": {"schemes": ["EM"]}, "SO, exact": {"schemes": ["SO"]}, **wrong}
    return {label: Study.from_json(plain | changed) for label, changed in asked.items()}


def case_studies(values: Mapping) -> dict[str, Study]:
    """The studies that let the page open at once in each of its cases, from the values of a scene with nothing changed."""
    asked = {}
    for case in assumption_cases.CASES:
        if case.target != "gaussian":  # which is in closed form, at once
            there = {**values, "outside.case": case.name}
            asked |= {f"{case.name}-h": case_study(there), f"{case.name}-{case.key}": case_along(there)}
    for drift in ("rebuilt", "exact"):
        for label, one in hessian_studies({**values, "outside.on": "skew", "outside.drift": drift}).items():
            asked[f"hessian-{label.lower().replace(',', '').replace(' ', '-').replace('.', '')}-drift-{drift}"] = one
    return asked


def case_answers(values: Mapping) -> list[tuple[str, str, Study, tuple]]:
    """What its sections open with, (name, kind, study, which) of `engine.answer`: the masses of the modes and the first scheme's law, at
    the coarsest step of each case's default."""
    asked = []
    for case in assumption_cases.CASES:
        study = case_study({**values, "outside.case": case.name})
        steps = min(study.steps)
        if study.built.regions:
            asked.append((f"{case.name}-modes", "modes", study, (steps,)))
        if case.target != "gaussian":  # which is in closed form, at once
            asked.append((f"{case.name}-law", "law", study, (study.schemes[0], steps)))
    return asked


# ---------------------------------------------------------------- logistic regression: the experiment of [YY] sec. 5.1

# T = 10, and N = T/h whole numbers of steps for h from 0.1 to 0.385.
EXPERIMENT = {"name": "logistic", "features": 20, "rows": 100, "spread": 10, "data": 0}
EXPERIMENT_STEPS = (26, 31, 40, 59, 100)
SMALL_T = 2.5  # what happens before is forgotten by then, and the steps can be smaller
SMALL_STEPS = (8, 16, 32, 64, 128, 256, 512, 1024, 1448, 2048, 2896, 4096)


def experiment(lam: float, **changed) -> Study:
    """The paper's experiment at a penalty."""
    target = {**EXPERIMENT, "lam": lam, **changed.pop("target", {})}
    plain = {"schemes": list(DEFAULT["schemes"]), "steps": list(EXPERIMENT_STEPS), "T": 10.0, "start": "paper"}
    return Study.from_json({"target": target, **plain, "estimator": "marginal", "particles": 1024, **changed})


def experiment_small(lam: float) -> Study:
    """The same with step sizes down to a tenth of 1/L, for the surrogate's exact law; from p_T itself."""
    return experiment(lam, steps=list(SMALL_STEPS), T=SMALL_T, start="exact")


def experiment_atoms(lam: float) -> Study:
    """EM with so few posterior samples in its score that a small step shows them."""
    steps = [n for n in SMALL_STEPS if n & (n - 1) == 0]
    return experiment(lam, schemes=["EM"], steps=steps, T=SMALL_T, start="exact", target={"atoms": 20})


def experiment_readings(lam: float) -> Study:
    """The study whose readings are compared."""
    return experiment(lam, schemes=["EM", "REM"], steps=[26, 50, 100])


def plane(values: Mapping) -> Study:
    """The study of a scene on the logistic target with two features, whatever target the scene has."""
    return study({**values, "target": "logistic", "spec": None})


def observed(values: Mapping, x, y) -> Study:
    """The study of a scene on the posterior of uploaded observations, x (m, d) as they came, standardised here."""
    target = {"name": "logistic", "x": observations.standardised(x).tolist(), "y": list(y), "lam": values["logistic.ridge"]}
    # Close steps on particles of their own show all coordinates, the score of finitely many samples the first alone.
    estimator = "projected" if values["logistic.score"] == "local" else "marginal"
    return study(values, target=target | {"score": values["logistic.score"]}, estimator=estimator, score_error=EXACT)


# ---------------------------------------------------------------- learned score, images


def learned_spec(values: Mapping, **changed) -> dict:
    """The study file's `score_error` object of the page whose score is learned."""
    numbers = {k: int(values[f"learned.{k}"]) for k in ("samples", "width", "depth", "updates", "seed")}
    return {"name": "learned", "method": values["learned.method"], **numbers, **changed}


def _alike(values) -> dict:
    """What measures curves with a learned score and with the exact one in one way, on the same Brownian paths."""
    return {"estimator": "projected" if values["estimator"] == "auto" else values["estimator"]}


def learned_studies(values: Mapping) -> dict[str, Study]:
    """The studies of that page's curves: with the learned score and with the exact one."""
    specs = {"learned": learned_spec(values), "exact": EXACT}
    return {name: study(values, score_error=spec, **_alike(values)) for name, spec in specs.items()}


def samples_studies(values: Mapping) -> dict[str, Study]:
    """The studies of that page's picture against the number of training samples, one for each method."""
    along = {"axis": "score_error.samples", "values": list(SAMPLES)}
    one = {"schemes": [values["learned.scheme"]], "h": [values["learned.step"]], "vary": along, **_alike(values)}
    return {method: study(values, score_error=learned_spec(values, method=method), **one) for method in learn.METHODS}


IMAGE_PATHS = 1024
IMAGE_GRID = 16  # images of a scheme that are drawn
IMAGE_NETWORK = {"name": "learned", "width": 128, "updates": 2000}


def images_study(values: Mapping) -> Study:
    """The study of the Images page; of a folder with fewer images than asked for it takes all."""
    mine = {name.split(".")[1]: value for name, value in values.items() if name.startswith("images.")}
    count = min(int(mine["count"]), len(pictures.load(mine["data"])[0]))
    target = {"name": "images", "data": mine["data"], "count": count, "width": mine["width"]}
    growth = None if mine["growth"] == "off" else float(mine["growth"])
    return study(
        values, target=target, h=list(IMAGE_STEPS), T=float(mine["T"]), start=mine["start"], growth=growth,
        score_error=IMAGE_NETWORK if mine["score"] == "network" else EXACT, estimator="frechet", particles=IMAGE_PATHS,
        accuracy=None, budget=None,
    )  # fmt: skip


# ---------------------------------------------------------------- samplers


def sampler_study(values: Mapping, names, steps=(8,)) -> Study:
    """Schemes on the grid of the scene, on its target from its start, with the exact score. BadInput where a scheme cannot run there."""
    options = {o.key for name in names if (o := schemes.REGISTRY[name].option) and values[o.key] != o.default}
    return Study.from_json({
        "target": settings.target_spec(values), "schemes": list(names), "steps": list(steps), **_times(values),
        **{key: values[key] for key in ("start", "particles", "seed")}, **{key: in_file(values[key]) for key in options},
    })  # fmt: skip


def sampler_studies(values: Mapping, names) -> tuple[dict[str, Study], dict[str, str]]:
    """As `sampler_study`, where no law of all is known: a study for each number of evaluations that a step may cost, at the numbers of
    steps that a common number of evaluations pays for; and {scheme: why it cannot run here}."""
    groups, missing = {}, {}
    for name in names:
        try:
            sampler_study(values, [name])
        except BadInput as error:
            missing[name] = str(error)
        else:
            groups.setdefault(samplers.evaluations(schemes.REGISTRY[name]), []).append(name)
    asked = {
        f"{cost} a step": sampler_study(values, mine, samplers.steps_of(schemes.REGISTRY[mine[0]])) for cost, mine in groups.items()
    }
    return asked, missing
