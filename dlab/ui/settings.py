"""Every setting of the app, one line each: default, address key, options, control, group, help, place in the study.

What reads and writes addresses (links), draws controls (controls), makes studies (studies) and opens study files (files) follows
from this table. Add a setting: a line in SETTINGS, or in `of_page` of the page that alone has it, and its name among the page's
controls. Knobs of targets and score errors are settings too, made from their registries.
"""

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache

from dlab import errors, grid, learn, measure, params, pictures, schemes, targets
from dlab.figures.numbers import step_size
from dlab.params import BadInput
from dlab.room import homework, question
from dlab.study import DEFAULT
from dlab.targets import observations
from dlab.targets.spectrum import SHAPES
from dlab.ui import assumption_cases, kinds, knobs, scenes, tour
from dlab.ui.kinds import Choice, Data, Flag, Line, Number, Rung, Setting, Several, StepSizes, Stretch, Text, Whole

but, only = kinds.but, kinds.only  # which pages read a setting
MILLION = 1_000_000
LADDER = tuple(2.0**-k for k in range(8))  # step sizes
LEVELS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)  # of the score error
HORIZONS = tuple(float(T) for T in range(1, 11))
DIMENSIONS = tuple(4.0**k for k in range(7))
DISTANCES = (1.0, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001)
PENALTIES = (10.0, 50.0, 100.0)
SAMPLES = (200.0, 1000.0, 5000.0, 20_000.0, 100_000.0)  # that a score is learned from
IMAGE_STEPS = (0.5, 0.2, 0.1, 0.05)
ACCURACIES = (0, 10, 5, 2, 1)
MAX_PANELS = 3
# The groups of controls that a lesson hides or fixes.
GROUPS = {
    "target": "Target", "schemes": "Schemes", "h": "Step size", "error": "Score error", "horizon": "Horizon and start",
    "sampling": "Sampling", "own": "Settings of one page", "picture": "Picture",
}  # fmt: skip
COSTS = {"steps": "Steps", "evals": "Evaluations", "time": "Measured time"}
AXES = {"h": "step size h", "steps": "number of steps", "evals": "score and Hessian evaluations"}
STARTS = {"exact": "exact law at time T", "paper": "Gaussian N(0, σ²I), as in the paper"}
GRIDS = tuple(name for name in grid.MAKERS if name != "times")  # which a file alone gives
COUNTS = tuple(2.0**k for k in range(2, 10))  # of steps, where they are not equal
# Keys of a study file that are kept as they are where no control shows their values.
KEPT = ("score_error", "accuracy", "budget", *schemes.OPTIONS)
FIRST = "first"  # of the schemes that are shown, whichever it is
MOVIE, CURVE = "particles", "convergence"  # the pages that prepared scenes open


def _titles(registry) -> dict[str, str]:
    return {entry.name: entry.title for entry in registry.values()}


def _names(registry) -> dict[str, str]:
    return {name: name for name in registry}


def _schemes() -> dict[str, str]:
    return _names(schemes.REGISTRY)


def models() -> dict[str, str]:  # kinds of score error whose level a page varies
    return _titles(errors.LEVELED)


def _plain(values) -> bool:  # as observations, by their controls
    return values["target"] == "logistic" and not values["spec"]


def _is_set(values, value) -> bool:
    return bool(value)


# ---------------------------------------------------------------- data of a visitor's file


def _spec(spec):
    if targets.build(spec).dim != 2:
        raise BadInput("the target in the link is not two-dimensional; open it from the shell.")
    return spec


def _observations(data):
    if not isinstance(data, list) or len(data) != 2:
        raise BadInput("the data in the link are not features and labels; upload the CSV again.")
    targets.build({"name": "logistic", "x": data[0], "y": data[1], "lam": 1.0})
    return data[0], data[1]


def _variances(data):
    return tuple(targets.build({"name": "spectrum", "values": data}).values.tolist())


# ---------------------------------------------------------------- objects of the study file


def target_spec(values: Mapping) -> dict:
    """The study file's `target` object of a scene."""
    if values["spec"]:
        return values["spec"]
    entry = targets.REGISTRY[values["target"]]
    spec = entry.from_knobs({k.name: values[f"{entry.name}.{k.name}"] for k in entry.knobs})
    x, y = (values["csv"] if entry.name == "logistic" else None) or (None, None)
    return spec if x is None else spec | {"x": observations.standardised(x).tolist() if values["scaled"] else x, "y": y}


def error_spec(values: Mapping) -> dict:
    """The study file's `score_error` object of a scene."""
    entry = errors.REGISTRY[values["error"]]
    spec = {"name": entry.name, **{k.name: values[f"{entry.name}.{k.name}"] for k in entry.knobs}}
    return spec | {k.name: values[f"so.{k.name}"] for k in errors.SECOND_ORDER if values[f"so.{k.name}"]}


def uneven(values: Mapping) -> bool:
    """Whether the steps of a scene's curve are not equal ones from T to 0."""
    return values["grid"] != "uniform" or values["stop"] > 0


def grid_spec(values: Mapping) -> dict:
    """The study file's `grid` object of a scene."""
    name, maker = values["grid"], grid.MAKERS[values["grid"]]
    ends = {"last": values["last"]} if maker.ends else {}
    return {"name": name, **{key: values[f"{name}.{key}"] for key in maker.settings}, **ends}


def step_sizes(values: Mapping) -> list[float]:
    """The step sizes of a scene, the coarsest first."""
    return list(values["hs"]) if values["hs"] else table()["h"].between(values["h"])


# ---------------------------------------------------------------- the table


def of_page(page: str, *settings: Setting) -> tuple[Setting, ...]:
    """Settings that one page alone has: named "<page>.<name>", in the address of that page only."""
    return tuple(replace(s, name=f"{page}.{s.name}", page=page, group="own") for s in settings)


SETTINGS: tuple[Setting, ...] = (
    # What W2 is measured of.
    Choice("target", "Target p₀", "gaussian", lambda: _titles(targets.PLANAR), group="target",
           help="The law that the sampler should produce.", written=lambda values, value: not values["spec"],
           study=lambda values: {"target": target_spec(values)}),
    Data("spec", "Target from a file", None, _spec, group="target", written=_is_set),  # which no knobs describe
    Data("csv", "Observations", None, _observations, group="target", key="data", written=lambda values, value: value and _plain(values)),
    Flag("scaled", "Features standardised", False, group="target", written=_is_set,
         key=lambda values: "scaled" if _plain(values) else "",
         help="To mean 0 and standard deviation 1, which suits the step sizes; otherwise they are used as they are in the file."),
    Choice("separator", "Separator", "", {"": "as found"} | observations.SEPARATORS, key="", group="target",
           help="The character between the columns of your file."),
    Choice("label", "Column of the label", "", {"": "as found"}, key="", group="target", help="The column with the two classes."),
    Data("kept", "Kept from a file", None, lambda data: params.only_keys("kept", data, KEPT) or data, group="error",
         written=_is_set),  # of a study, what no control shows
    Several("schemes", "Schemes", lambda: tuple(DEFAULT["schemes"]), _schemes, noun="a scheme", look="pills", group="schemes",
            study="schemes", pages=but(MOVIE),
            help=lambda: "; ".join(f"{name}: {title}" for name, title in _titles(schemes.PAPER).items())),
    Several("panels", "Schemes, side by side", ("EM", "SO"), _schemes, noun="a scheme", most=MAX_PANELS, look="pills", group="schemes",
           help="One to three schemes on the same Brownian path.", pages=only("particles")),
    StepSizes("h", "Step sizes h", (0.5, 1 / 64), LADDER, form=step_size, group="h", study=lambda values: {"h": step_sizes(values)},
              pages=but(MOVIE), help="The coarsest and the finest step; each halves the one before."),
    Setting("hs", "Step sizes from a file", None, key="", group="h"),  # that are no stretch of the ladder
    Rung("step", "Step size h", 0.25, LADDER, form=step_size, look="select_slider", group="h",
         help="The scheme takes T/h steps.", pages=only("particles", "theory")),
    Whole("T", "Horizon T", 4, low=1, high=10, group="horizon", study="T",
          help="Time at which the reverse process starts; T/h steps lead back to 0."),
    Choice("grid", "Time grid", "uniform", lambda: {name: grid.MAKERS[name].title for name in GRIDS}, group="h",
           help="The times of the steps. Every noise schedule is such a grid, written in the time t of this lab."),
    Stretch("counts", "Numbers of steps N", (8.0, 64.0), COUNTS, group="h", when=lambda values: uneven(values), pages=but(MOVIE),
            key=lambda values: "counts" if uneven(values) else "", help="The smallest and the largest; each is twice the one before."),
    Rung("count", "Number of steps N", 16.0, COUNTS, look="select_slider", group="h",
         key=lambda values: "count" if uneven(values) else "", help="Including the last step, down to σ = 0.", pages=only("particles")),
    Choice("last", "Last step", "zero", {"zero": "from the smallest σ to 0", "sigma_min": "ends at the smallest σ"}, group="h",
           key=lambda values: "last" if grid.MAKERS[values["grid"]].ends else "",
           help="Down to 0, as in k-diffusion, or an early stop; W₂ then includes what the stop leaves out."),
    Number("stop", "Early stop t", 0.0, 0.0, 1.0, 1e-4, look="number_input", group="h",
           help="The run ends at this time instead of 0; W₂ then includes the distance from pₜ to p₀."),
    Choice("start", "Start", "exact", STARTS | {"vp": "N(0, I), as in variance-preserving schedules"}, group="horizon", study="start",
           help="Exact: no initialisation error. The paper's start ignores what is left of the data at T."),
    Choice("error", "Score error", "none", lambda: _titles(errors.OFFERED), group="error",
           study=lambda values: {"score_error": error_spec(values)}, help="How the score that the scheme uses differs from the exact one."),
    # How.
    Choice("estimator", "How W₂ is measured", "auto", lambda: {"auto": "Best available", **_titles(measure.REGISTRY)}, group="sampling",
           study="estimator", pages=but(MOVIE),
           help="Best available: the exact law where it is known, otherwise projected. The others show why these are needed."),
    Whole("particles", "Brownian paths", 4096, low=16, high=params.MAX_PARTICLES, step=512, look="number_input", group="sampling",
          study="particles", pages=but(MOVIE),
          help="With N paths the standard errors are of order 1/√N. If an accuracy is asked for, this is the number to begin with."),
    Rung("accuracy", "Accuracy", 0, ACCURACIES, form=lambda a: f"±{a} %" if a else "not set", group="sampling",
         study=lambda values: {"accuracy": values["accuracy"] / 100 or None}, pages=but(MOVIE),
         help="Relative standard error to reach. Paths are added to the points that need them, the cheapest first."),
    Whole("budget", "Budget (10⁶ steps)", 200, low=1, high=params.MAX_WORK // MILLION, step=50, look="number_input", group="sampling",
          study=lambda values: {"budget": values["budget"] * MILLION if values["accuracy"] else None}, pages=but(MOVIE),
          help="The most particle-steps to spend on reaching the accuracy."),
    Rung("moving", "Particles", 2000, (500, 1000, 2000, 5000), look="select_slider", group="sampling",
         help="In each panel; every scheme gets the same Brownian paths.", pages=only("particles")),
    Whole("seed", "Seed", 0, low=0, high=2**31 - 1, look="number_input", group="sampling", study="seed",
          help="The same seed gives the same numbers."),
    # How the curve is shown.
    Choice("x", "Horizontal axis", "h", AXES, group="picture", view=True, pages=only("convergence"),
           help="Evaluations compare schemes at equal cost: REM and REI take two scores a step, SO a score and a Hessian."),
    Flag("fits", "Fitted lines", True, group="picture", view=True, help="W₂ = C hᵖ through the filled points; p is the slope.",
           pages=only("convergence")),
    Flag("bounds", "Theorem's bounds", True, group="picture", view=True,
         help="Dotted lines: the leading term of each scheme's theorem with this target's constants."),
    Flag("expansion", "Closed form as h → 0", False, group="picture", view=True, pages=only("convergence"),
         help="The errors of EM, EI and SO to leading order in h on a Gaussian target with exact start and score: derived, not fitted."),
    Choice("brackets", "Brackets", "few", {"few": "For one or two schemes", "always": "Always", "never": "Never"}, group="picture",
           view=True, help="Bands from Gelbrich's lower bound to the coupled upper bound. With many schemes they hide each other.",
           pages=only("convergence")),
    Flag("by_hand", "Choose the fitted step sizes", False, group="picture",
         help="Otherwise a rule leaves out coarse points that bend away from the line of the finer ones.", pages=only("convergence")),
    Stretch("window", "Fitted step sizes h", (0.25, 1 / 64), LADDER, form=step_size, group="picture", pages=only("convergence"),
            when=lambda values: values["by_hand"], help="The coarsest and the finest step used for the slopes."),
    # What pages vary.
    Choice("model", "Score error", "constant", models, group="error",
           help="How the score that the scheme uses differs from the exact one.", pages=only("score_error")),
    Stretch("levels", "Levels ε", (0.01, 0.5), LEVELS, group="error", varies="score_error.level",
            help="The smallest and the largest size of the error; ε = 0 is always measured as well.", pages=only("score_error")),
    Stretch("horizons", "Horizons T", (1.0, 8.0), HORIZONS, group="horizon", varies="T",
            help="The shortest and the longest time from which the reverse process starts.", pages=only("horizon")),
    Rung("fine", "Step size h", 1 / 64, LADDER, form=step_size, look="select_slider", group="h", pages=only("horizon"),
         help="The smaller the step, the longer the initialisation error can be followed before the scheme's own error takes over."),
    Choice("shape", "Spectrum", "isotropic", dict(zip(SHAPES, ("All equal", "Linear", "Power law"))), look="segmented_control",
           group="target", help="All variances equal to the largest; evenly spaced down to the smallest; or a power law in between.",
           pages=only("dimension")),
    Number("low", "Smallest variance", 0.3, 0.05, 4.0, 0.05, group="target", pages=only("dimension"), help="1/L₀: narrowest direction."),
    Number("high", "Largest variance", 0.8, 0.05, 4.0, 0.05, group="target",
           help="1/m₀: the widest direction. The theorems need m₀ > ½, so a variance below 2.", pages=only("dimension")),
    Data("variances", "Variances from a file", None, _variances, group="target", written=_is_set, pages=only("dimension")),
    Stretch("dims", "Dimensions d", (1.0, 4096.0), DIMENSIONS, group="target", varies="d",
            help="The smallest and the largest; each is four times the one before.", pages=only("dimension")),
    Stretch("distances", "Accuracies ε", (0.5, 0.01), DISTANCES, group="h", varies="reach",
            help="For each, the lab searches for the smallest number of steps with W₂ < ε.", pages=only("budget", "dimension")),
    Rung("epsilon", "Accuracy ε", 0.05, DISTANCES, look="select_slider", group="h",
         help="The value that W₂ must stay below; the number of steps for it is found by search.", pages=only("budget", "dimension")),
    Choice("cost", "Count", "steps", COSTS, look="segmented_control", group="picture", view=True, pages=only("budget"),
           help="REM and REI take two scores a step, SO a score and a Hessian. The time is measured on this machine."),
    Choice("work", "Count on the horizontal axis", "evals", COSTS, look="segmented_control", group="picture", view=True,
           help="With a learned model the evaluations of score and Hessian are the cost; here they are cheap.", pages=only("budget")),
    # What pages alone have.
    *of_page(
        "score_error",
        Choice("curve", "Scheme, curve by curve", FIRST, lambda: {FIRST: "the first"} | _schemes(),
               help="Its curve against h is drawn once for each level ε."),
        # The place of a step size among those that are shown, the finest first.
        Rung("at", "Step size h shown", 0.0, tuple(map(float, range(params.MAX_STEP_SIZES))),
             help="W₂ against ε is drawn at this step size."),
        Choice("every", "Kinds of error", "free", {"free": "those with an exact law", "all": "all, some by simulation"},
               help="Some have no exact law on this target and take a few seconds to simulate."),
        Rung("which", "Level ε of the error", 0.5, LEVELS, help="The size of the error that is injected."),
        Choice("models", "Scheme that meets them", "SO", _schemes,
               help="SO's own error is the smallest here, so even fresh noise can be seen above it."),
        Rung("hessian", "Level ε⁽ᴸ⁾", 0.5, LEVELS, help="L* = L + ε⁽ᴸ⁾vvᵀ, in operator and Frobenius norm."),
        Rung("drift", "Level ε⁽ᴹ⁾", 1.0, LEVELS, help="M* = M + ε⁽ᴹ⁾v."),
        Rung("parts", "Level ε", 0.1, LEVELS, help="The size of the score error in this picture."),
    ),
    *of_page(
        "theory",
        Rung("epsilon", "Accuracy ϵ asked for, in W₂", 0.1, DISTANCES,
             help="The distance that the theorem is to guarantee; the table gives the number of steps it asks for."),
    ),
    *of_page(
        "outside",
        Choice("case", "Departure from the assumptions", "modes", {c.name: c.title for c in assumption_cases.CASES},
               help="Which assumption of the theorems fails, and how."),
        *(Rung(c.name, c.label, c.default, c.values, help=c.help) for c in assumption_cases.CASES),
        Choice("on", "Target", "gaussian", {"gaussian": "Tilted Gaussian, exact law", "skew": "Tilted skew, mostly simulated"},
               help="On the Gaussian the constant is derived; the skew target shows that the Gaussian is not special."),
        Choice("drift", "The rate M", "rebuilt", {"rebuilt": "rebuilt from the wrong L", "exact": "of the exact score"},
               help="M = x/4 − Lγ computed from the wrong L, as one would in practice, or with one product of the true Hessian."),
    ),
    *of_page(
        "images",
        Choice("data", "Data", "digits", lambda: _names(pictures.choices()) | {"digits": "Digits, 8 × 8", "mnist": "MNIST, 28 × 28"},
               help="Digits come with scikit-learn; MNIST and folders of square grey images are read from the folder DLAB_DATA."),
        Choice("score", "Score", "exact", {"exact": "exact, of the smoothed images", "network": "a small trained network"},
               help="The network learns from samples of the smoothed images, by denoising: a perceptron of two layers, up to 32² pixels."),
        Rung("count", "Images K", 300.0, (100.0, 300.0, 1000.0), help="The number of images in the law; the others are held out."),
        Rung("width", "Smoothing w", 0.2, (0.1, 0.2, 0.3, 0.5), help="Noise added to each image; grey values run from −1 to 1."),
        Rung("step", "Step size h", 0.2, IMAGE_STEPS, help="Of the images shown. The paper's MNIST images use h = 0.2 and T = 2."),
        Rung("T", "Horizon T", 2.0, (1.0, 2.0, 3.0, 4.0), help="Time at which the reverse process starts."),
        Choice("start", "Start", "paper", dict(reversed(STARTS.items())), help="The law of the noise at time T."),
        Choice("growth", "SO's steps", "2", {"2": "cut where hλ > 2", "1": "cut where hλ > 1", "off": "as asked"},
               help="λ is the largest eigenvalue of L. In one step SO lets distances grow by up to exp(hλ)."),
    ),
    *of_page(
        "learned",
        Choice("method", "Score matching", "denoising", _names(learn.METHODS),
               help="Denoising predicts the noise added to a sample; sliced uses the derivative of the score along random directions."),
        Rung("samples", "Training samples n", 20_000.0, SAMPLES, help="Points drawn from the target: all that the network knows of it."),
        Rung("width", "Width of the network w", 64.0, (16.0, 32.0, 64.0, 128.0), help="Units in each of its hidden layers."),
        Rung("depth", "Hidden layers ℓ", 2.0, (1.0, 2.0, 3.0), help="Layers between input and output."),
        Rung("updates", "Updates k", 2000.0, (500.0, 1000.0, 2000.0, 4000.0, 8000.0), help="Steps of the optimiser, 512 samples each."),
        Choice("scheme", "Scheme that meets the error", "EM", _schemes,
               help="The error is measured along the iterates of this scheme, at the finest step size."),
        Rung("step", "Step size h of this picture", LADDER[6], LADDER, form=step_size,
             help="W₂ is shown for the scheme above at this step size."),
        Rung("t", "Time t of the picture", 0.2, (0.05, 0.1, 0.2, 0.5, 1.0, 2.0), help="Where the error of the score is drawn."),
        Rung("seed", "Network seed", 0.0, (0.0, 1.0, 2.0, 3.0, 4.0), help="Fixes the samples, the first weights and their order."),
    ),
    *of_page(
        "logistic",
        Choice("part", "What is shown", "paper",
               {"paper": "The paper's experiment, d = 20", "plane": "Two features", "csv": "Your own data"},
               help="The paper has twenty features; two can be drawn; your own CSV may have up to 50."),
        Rung("penalty", "Penalty λ", 100.0, PENALTIES, help="A larger one makes the target stiffer and closer to a Gaussian."),
        Choice("score", "Score of pₜ", "kernel",
               {"kernel": "ratio of kernels, as in the paper", "local": "samples that follow the particle"},
               help="First: the exact score of finitely many posterior samples. Second: close to the score of the posterior, but slow."),
        Choice("scheme", "Scheme that is drawn", "EM", _schemes, help="Its particles are drawn beside samples of the posterior."),
        Rung("step", "Step size h of its particles", 0.5, LADDER, form=step_size, help="The scheme takes T/h steps of this size."),
        Number("ridge", "Penalty λ", 1.0, 0.6, 20.0, 0.1, help="Strength of the Gaussian prior; m₀ = λ, and the theorems need m₀ > ½."),
    ),
    # A lecturer's words and restrictions, and what is open.
    Text("title", "Title", "", view=True, written=_is_set, help="Shown instead of the page's question."),
    Text("question", "Question", "", view=True, written=_is_set, help="Shown instead of the sentence below it."),
    Line("ask", "Asked first", "", check=question.parse, view=True, written=_is_set, help=question.HELP),
    Several("hide", "Controls to hide", (), GROUPS, noun="a control group", look="multiselect", view=True, written=_is_set,
            help="They are not shown, and keep their settings."),
    Several("fix", "Controls shown, but fixed", (), GROUPS, noun="a control group", look="multiselect", view=True, written=_is_set,
            help="They can be seen but not changed."),
    Flag("present", "Open in presentation mode", False, view=True, written=_is_set, help="Larger type and lines, controls folded away."),
    Choice("scene", "Prepared scene", "", {s.name: s.question for s in scenes.SCENES}, view=True, written=_is_set),
    Whole("tour", "Step of the guided tour", 0, low=1, high=len(tour.STEPS), view=True, written=_is_set),
    Line("homework", "Homework", "", check=homework.read, view=True, written=_is_set, help="A student's mark."),
    Whole("tall", "Height in a frame", 0, low=200, high=2000, view=True, written=_is_set),  # px of the picture, with ?embed=1
    Flag("play", "Plays at once", False, view=True, written=lambda values, value: False),  # an address bar forgets it
)  # fmt: skip
LESSON = ("title", "question", "ask", "hide", "fix")


def table() -> dict[str, Setting]:
    """Every setting by its name: the lines of SETTINGS, and the numbers of the targets, errors, grids and schemes that are
    registered now."""
    return _table(SETTINGS, tuple(targets.REGISTRY), tuple(errors.REGISTRY), tuple(grid.MAKERS), tuple(schemes.OPTIONS))


@lru_cache(maxsize=8)
def _table(lines, *registered) -> dict[str, Setting]:
    return {setting.name: setting for setting in (*lines, *knobs.of_registries({setting.name for setting in lines}))}


def defaults() -> dict:
    """The scene in which nothing was changed."""
    return {name: setting.initial for name, setting in table().items()}


def names_of(page: str) -> list[str]:
    """The settings that a page alone has."""
    return [name for name, setting in table().items() if setting.page == page]
