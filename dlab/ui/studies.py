"""The studies of a scene: what its pages ask the lab for. No streamlit here: plain values."""

import math

from dlab import errors, pictures, targets
from dlab.params import BadInput
from dlab.study import DEFAULT, Study
from dlab.targets import observations

MILLION = 1_000_000
LADDER = tuple(2.0**-k for k in range(8))  # the step sizes that the controls offer
BUDGET_LADDER = LADDER[:6]  # of the rows beside a search for step counts
# What the controls offer where a page varies something else.
LEVELS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
METHODS = ("denoising", "sliced")  # of learning a score
SAMPLES = (200.0, 1000.0, 5000.0, 20_000.0, 100_000.0)  # that a score is learned from
HORIZONS = tuple(map(float, range(1, 11)))
DIMENSIONS = tuple(4.0**k for k in range(7))
DISTANCES = (1.0, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001)
# Of the settings with two ends, the values between which they lie.
LADDERS = {"h": LADDER, "window": LADDER, "levels": LEVELS, "horizons": HORIZONS, "dims": DIMENSIONS, "distances": DISTANCES}
PENALTIES = (10.0, 50.0, 100.0)
MAX_PANELS = 3
IMAGE_STEPS = (0.5, 0.2, 0.1, 0.05)
IMAGE_PATHS = 1024
IMAGE_GRID = 16  # images of a scheme that are drawn
IMAGE_NETWORK = {"name": "learned", "width": 128, "updates": 2000}


def target_spec(values: dict) -> dict:
    """The study file's `target` object of a scene."""
    if values["spec"]:
        return values["spec"]
    entry = targets.REGISTRY[values["target"]]
    spec = entry.from_knobs({k.name: values[f"{entry.name}.{k.name}"] for k in entry.knobs})
    if values["csv"] and entry.name == "logistic":
        spec |= {"x": values["csv"][0], "y": values["csv"][1]}
    return spec


def error_spec(values: dict) -> dict:
    """The study file's `score_error` object of a scene."""
    entry = errors.REGISTRY[values["error"]]
    spec = {"name": entry.name, **{k.name: values[f"{entry.name}.{k.name}"] for k in entry.knobs}}
    return spec | {k.name: values[f"so.{k.name}"] for k in errors.SECOND_ORDER if values[f"so.{k.name}"]}


def model_spec(values: dict, **changed) -> dict:
    """The study file's `score_error` object of the error whose level a page varies, without a level unless one is given."""
    name = changed.pop("name", values["model"])
    return {"name": name, **{k.name: values[f"{name}.{k.name}"] for k in errors.REGISTRY[name].knobs if k.name != "level"}, **changed}


def learned_spec(values: dict, **changed) -> dict:
    """The study file's `score_error` object of the page whose score is learned."""
    numbers = {k: int(values[f"learned.{k}"]) for k in ("samples", "width", "depth", "updates", "seed")}
    return {"name": "learned", "method": values["learned.method"], **numbers, **changed}


def learned_studies(values: dict) -> dict[str, Study]:
    """The studies of that page's curves: with the learned score and with the exact one."""
    specs = {"learned": learned_spec(values), "exact": {"name": "none"}}
    return {name: study(values, score_error=spec, **alike(values)) for name, spec in specs.items()}


def samples_studies(values: dict) -> dict[str, Study]:
    """The studies of that page's picture against the number of training samples, one for each method."""
    vary = {"axis": "score_error.samples", "values": list(SAMPLES)}
    one = {"schemes": [values["learned.scheme"]], "h": [values["learned.step"]], "vary": vary, **alike(values)}
    return {method: study(values, score_error=learned_spec(values, method=method), **one) for method in METHODS}


def alike(values: dict) -> dict:
    """What measures curves with a learned score and with the exact one in one way, on the same Brownian paths."""
    return {"estimator": "projected" if values["estimator"] == "auto" else values["estimator"]}


def step_sizes(values: dict) -> list[float]:
    if values["hs"]:
        return list(values["hs"])
    return between(LADDER, values["h"])


def study(values: dict, **changed) -> Study:
    """The study of a scene, with some of its file's values changed; BadInput where settings contradict each other."""
    if not values["schemes"]:
        raise BadInput("No scheme is chosen; choose at least one.")
    return Study.from_json(
        {
            "target": target_spec(values),
            "schemes": list(values["schemes"]),
            "h": step_sizes(values),
            "T": values["T"],
            "start": values["start"],
            "score_error": error_spec(values),
            "estimator": values["estimator"],
            "particles": values["particles"],
            "accuracy": values["accuracy"] / 100 or None,
            "budget": values["budget"] * MILLION if values["accuracy"] else None,
            "seed": values["seed"],
            **changed,
        }
    )


def reaching_study(values: dict) -> Study:
    """The study of the budget page: the distances to be reached, and coarse step sizes of its own beside them."""
    return study(values, h=list(BUDGET_LADDER), reach=between(DISTANCES, values["distances"]))


def epsilon(values: dict) -> float:
    """The distance that the budget's table is of: among those to be reached the nearest to the one chosen."""
    return min(between(DISTANCES, values["distances"]), key=lambda e: abs(math.log(e / values["epsilon"])))


def between(ladder, stretch) -> list[float]:
    """The steps of a ladder from one to another."""
    return list(ladder[ladder.index(stretch[0]) : ladder.index(stretch[1]) + 1])


def dimension_study(values: dict) -> Study:
    """The study of a Gaussian in many dimensions: W2 at each of them, and the steps that a distance takes."""
    dims = between(DIMENSIONS, values["dims"])
    if given := values["variances"]:
        target = {"name": "spectrum", "values": list(given)}
        dims = sorted({d for d in dims if d < len(given)} | {len(given)})
    else:
        target = {"name": "spectrum", "shape": values["shape"], "dim": 1, "high": values["high"]}
        target |= {"low": min(values["low"], values["high"])}
    vary = {"axis": "d", "values": dims}
    return study(values, target=target, vary=vary, reach=[values["epsilon"]], estimator="exact", score_error={"name": "none"})


def along_levels(levels) -> dict:
    """`vary` of a study over levels of the score error; the exact score is always measured beside them."""
    return {"axis": "score_error.level", "values": [0.0, *levels]}


def level_study(values: dict) -> Study:
    """The study of W2 against the level of the score error."""
    return study(values, score_error=model_spec(values), vary=along_levels(between(LEVELS, values["levels"])))


def horizon_studies(values: dict) -> dict[str, Study]:
    """The studies of W2 against the horizon, one for each start."""
    vary = {"axis": "T", "values": between(HORIZONS, values["horizons"])}
    return {f"{start} start": study(values, start=start, h=[values["fine"]], vary=vary) for start in ("paper", "exact")}


def moving_study(values: dict) -> Study:
    """The study that the particles page animates: the panels' schemes at its own step size."""
    if len(values["panels"]) > MAX_PANELS:
        raise BadInput(f"{len(values['panels'])} schemes are chosen; choose at most {MAX_PANELS} to move side by side.")
    return study(
        {**values, "schemes": values["panels"], "hs": (values["step"],), "estimator": "auto", "particles": 4096, "accuracy": 0}
    )


# The experiment of [YY] sec. 5.1: T = 10, and N = T/h whole numbers of steps for h from 0.1 to 0.385.
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
    """The study that `study.readings` is asked about."""
    return experiment(lam, schemes=["EM", "REM"], steps=[26, 50, 100])


def plane(values: dict) -> Study:
    """The study of a scene on the logistic target with two features, whatever target the scene has."""
    return study({**values, "target": "logistic", "spec": None})


def observed(values: dict, x, y) -> Study:
    """The study of a scene on the posterior of uploaded observations, x (m, d) as they came, standardised here."""
    target = {"name": "logistic", "x": observations.standardised(x).tolist(), "y": list(y), "lam": values["logistic.ridge"]}
    # Close steps on particles of their own show all coordinates, the score of finitely many samples the first alone.
    way = "projected" if values["logistic.score"] == "local" else "marginal"
    return study(values, target=target | {"score": values["logistic.score"]}, estimator=way, score_error={"name": "none"})


def images_study(values: dict) -> Study:
    """The study of the Images page; of a folder with fewer images than asked for it takes all."""
    mine = {name.split(".")[1]: value for name, value in values.items() if name.startswith("images.")}
    count = min(int(mine["count"]), len(pictures.load(mine["data"])[0]))
    target = {"name": "images", "data": mine["data"], "count": count, "width": mine["width"]}
    growth = None if mine["growth"] == "off" else float(mine["growth"])
    return study(
        values, target=target, h=list(IMAGE_STEPS), T=float(mine["T"]), start=mine["start"], growth=growth,
        score_error=IMAGE_NETWORK if mine["score"] == "network" else {"name": "none"},
        estimator="frechet", particles=IMAGE_PATHS, accuracy=None, budget=None,
    )  # fmt: skip
