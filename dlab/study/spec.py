"""The study file: reads and checks its plain values; nothing wrong gets past `Study.from_json`."""

import hashlib
import json
import math
from dataclasses import dataclass, fields, replace
from functools import cached_property

from dlab import errors, measure, params, process, schemes, targets
from dlab import grid as grids
from dlab.grid import Grid
from dlab.measure import Case
from dlab.params import BadInput
from dlab.sample import reference
from dlab.study import memory
from dlab.study.paths import SharedPath, asked_for, shared_paths

SCHEMA = 1
BUDGET = 500_000_000  # particle-steps, where an accuracy is asked for and no budget given
TRIES = 2  # points that the search for a number of steps looks at beside the rows, of half the finest row's
BATCH = 1024  # paths simulated together; the first batch gives the provisional points
ESTIMATORS = ("auto", *measure.REGISTRY)
STARTS = ("exact", "paper", "vp")
AXES = ("h", "score_error.level", "score_error.samples", "T", "d")  # what a study may vary, besides any number of the target
TARGET = "target."  # that number's key follows
DEFAULT = {
    "schema": SCHEMA,
    "target": {"name": "gaussian", "mean": [0.0, 0.0], "cov": [[1.0, 0.0], [0.0, 0.5]]},
    "schemes": ["EM", "EI", "REM", "REI", "SO"],
    "h": [0.5, 0.25, 0.125, 0.0625],
    "T": 4.0,
    "start": "exact",
    "score_error": {"name": "none"},
    "estimator": "auto",
    "particles": 4096,
    "accuracy": None,
    "budget": None,
    "seed": 0,
}
# In the file only where they are given.
EXTENDED = {"vary": None, "reach": None, "growth": None, "grid": None, "stop": None, **dict.fromkeys(schemes.OPTIONS)}
STEPS = (8, 16, 32, 64)  # where the grid is not uniform and the file names none


@dataclass(frozen=True)
class Study:
    """One convergence study as checked values; `from_json` is its only door.

    target, score_error   objects of the study file      schemes, steps   tuples; h: the step sizes
    start "exact" | "paper" | "vp"   particles: Brownian paths (at least so many where `accuracy` is set)
    accuracy: relative standard error wanted or None   budget: particle-steps allowed or None
    vary: {"axis", "values"} or None; the study is then asked for each value, see `parts`
    reach: distances for which the smallest number of steps is searched, besides the rows; or None
    growth: the most that h times L's largest eigenvalue may be in a step of SO, which is cut where it would be more; or None
    laid: the object "grid" of the file, None for equal steps from T to 0      stop: the time that a run stops at, None for 0
    options: (key, value) of `schemes.OPTIONS` where they are given
    """

    target: dict | targets.Target
    schemes: tuple[str, ...]
    steps: tuple[int, ...]
    T: float
    start: str
    score_error: dict
    estimator: str
    particles: int
    accuracy: float | None
    budget: int | None
    seed: int
    vary: dict | None = None
    reach: tuple[float, ...] | None = None
    growth: float | None = None
    laid: dict | None = None
    stop: float | None = None
    options: tuple[tuple[str, float], ...] = ()

    @classmethod
    def from_json(cls, data: dict | str | bytes) -> "Study":
        """A study from a JSON object or its text, or from a result file's. BadInput names the key, the value and what to do.

        From Python `target` may also be a Target, one's own from `dlab.targets.target` for instance; such
        a study runs, and its file says "custom" in the target's place.
        """
        if isinstance(data, (str, bytes)):
            data = _parsed(data)
        if isinstance(data, dict) and {"study", "rows"} <= data.keys():
            data = data["study"]
        data = params.plain(data)
        params.only_keys("study", data, [*DEFAULT, *EXTENDED, "steps"])
        if type(data.get("schema", SCHEMA)) is not int or data.get("schema", SCHEMA) != SCHEMA:
            raise BadInput(f"schema = {params.show(data['schema'])} is unknown; this version reads schema {SCHEMA}.")
        params.require("study", data, ("target",))
        values = {**DEFAULT, **EXTENDED, **data}
        if not isinstance(values["target"], targets.Target):
            params.entry("target", values["target"], targets.REGISTRY)
        params.entry("score_error", values["score_error"], errors.REGISTRY)
        values, vary = _varied(data, values)
        stop = None if values["stop"] is None else params.number("stop", values["stop"], 1e-8, params.MAX_T)
        laid = None if values["grid"] in (None, grids.UNIFORM) else values["grid"]
        known = "T" in data or laid is None
        T = params.number("T", values["T"], above=0.0, high=params.MAX_T) if known else None
        settings = grids.read(laid or grids.UNIFORM, T, stop)
        T = settings[0][1][0] if settings[0][0] == "times" else settings[0][1]
        steps = _step_counts(data, values, T) if laid is None and stop is None else _counts_on_grid(data, values, settings)
        names = values["schemes"]
        if not isinstance(names, (list, tuple)) or not names:
            raise BadInput(
                f"schemes = {params.show(names)} is not a list of names; give some of {', '.join(schemes.REGISTRY)}."
            )
        names = tuple(dict.fromkeys(params.choice("schemes", n, schemes.REGISTRY) for n in names))
        study = cls(
            target=values["target"],
            schemes=names,
            steps=steps,
            T=T,
            start=params.choice("start", values["start"], STARTS),
            score_error=values["score_error"],
            estimator=params.choice("estimator", values["estimator"], ESTIMATORS),
            particles=params.integer("particles", values["particles"], 16, params.MAX_PARTICLES),
            accuracy=None if values["accuracy"] is None else params.number("accuracy", values["accuracy"], 1e-4, 1.0),
            budget=None if values["budget"] is None else params.integer("budget", values["budget"], 1, params.MAX_WORK),
            seed=params.integer("seed", values["seed"], 0, 2**31 - 1),
            vary=vary,
            reach=_distances(values["reach"]),
            growth=None if values["growth"] is None else params.number("growth", values["growth"], 0.1, 100.0),
            laid=laid and grids.filled(laid),
            stop=stop,
            options=tuple((key, o.read(values[key])) for key, o in schemes.OPTIONS.items() if values[key] is not None),
        )
        for key, _ in study.options:
            if not any((o := schemes.REGISTRY[name].option) and o.key == key for name in names):
                raise BadInput(f"{key}: none of the schemes {', '.join(names)} has it; leave the key out, or add a scheme that does.")
        if study.reach and laid and laid["name"] == "times":
            raise BadInput("reach looks for a number of steps, and a list of times fixes it; give another grid, or leave reach out.")
        if vary:
            _ = study.parts
            return study
        _ = study.built, study.error  # everything in the file is checked here
        if study.growth is not None and (study.built.paired or study.error.draws):
            raise BadInput(
                f"growth = {study.growth:g}: steps are cut on targets known by Hessian-vector products ('images'), under an error that is "
                "not drawn afresh; leave the key out."
            )
        least = errors.REGISTRY[study.score_error["name"]].min_dim
        if study.built.dim < least:
            raise BadInput(
                f"score_error.name = '{study.score_error['name']}' needs at least {least} dimensions and the target has "
                f"{study.built.dim}; choose another error."
            )
        if study.error.by_matrix and study.built.field.by_products:
            raise BadInput(
                f"score_error.hessian needs H as a matrix, and of the target '{study.target['name']}' SO knows only products with "
                "a vector; leave the key out."
            )
        for name in study.schemes:
            _, reason = measure.choose(study.estimator, study.case(name, study.steps[0]))
            if reason:
                raise BadInput(f"estimator = '{study.estimator}' does not apply to {name}: {reason}")
        if study.budget is not None and study.work > study.budget:
            raise BadInput(
                f"budget = {study.budget} is less than the {study.work} particle-steps that {study.particles} particles "
                "take here; raise it or lower particles."
            )
        _ = study.memory
        if study.work > params.MAX_WORK:
            raise BadInput(
                f"The study asks for {study.work:.2g} particle-steps and the limit is {params.MAX_WORK:.2g}; "
                "lower particles or leave out the smallest h."
            )
        return study

    def to_json(self) -> dict:
        """The study file, every default filled in; `from_json` gives the same study back."""
        names = {"steps": "h" if self.even else "steps", "laid": "grid"}
        values = {names.get(f.name, f.name): getattr(self, "h" if f.name == "steps" and self.even else f.name) for f in fields(self)}
        values |= {key: "inf" if math.isinf(value) else value for key, value in values.pop("options")}
        values = {k: v for k, v in values.items() if k not in EXTENDED or v is not None}
        if isinstance(self.target, targets.Target):
            values["target"] = {"name": "custom"}
        return {"schema": SCHEMA, **{k: list(v) if isinstance(v, tuple) else v for k, v in values.items()}}

    @cached_property
    def parts(self) -> tuple[tuple[float | None, "Study"], ...]:
        """The plain studies that this one consists of, each with its value of the axis; itself where nothing varies."""
        if self.vary is None:
            return ((None, self),)
        plain, axis = {**self.to_json(), "target": self.target, "vary": None}, self.vary["axis"]
        found = []
        for value in self.vary["values"]:
            try:
                found.append((value, Study.from_json(_at(plain, axis, value))))
            except BadInput as error:
                raise BadInput(f"vary.values: at {axis} = {value:g}: {error}") from None
        if (work := sum(part.work for _, part in found)) > params.MAX_WORK:
            raise BadInput(
                f"The values of vary together ask for {work:.2g} particle-steps and the limit is {params.MAX_WORK:.2g}; "
                "give fewer values or lower particles."
            )
        return tuple(found)

    @cached_property
    def built(self) -> targets.Target:
        return self.target if isinstance(self.target, targets.Target) else targets.build(self.target)

    @cached_property
    def error(self) -> errors.ScoreError:
        return errors.build(self.score_error, self.built, self.target if isinstance(self.target, dict) else None)

    def prepared(self, tick=lambda done: None) -> "Study":
        """The study with an error that can be evaluated: a network is trained first. tick(done) may raise to cancel."""
        if self.error.ready:
            return self
        found = replace(self)
        found.__dict__["error"] = self.error.prepared(tick)
        return found

    @property
    def clean(self) -> bool:
        """Whether score, Hessian and drift rate are exact."""
        return self.score_error["name"] == "none" and self.error.second_order_free

    @cached_property
    def key(self) -> str:
        """A name for the study: of what it asks for, so that a key which is added to the contract later changes none."""
        asked = {k: v for k, v in self.to_json().items() if v != DEFAULT.get(k)}
        return hashlib.sha256(json.dumps(asked, sort_keys=True, allow_nan=False).encode()).hexdigest()[:32]

    @property
    def h(self) -> tuple[float | None, ...]:
        """Step sizes, in the order of `steps`; None where steps are not equal."""
        return tuple(self.grid(n).step for n in self.steps)

    @property
    def even(self) -> bool:
        """Whether all steps are equal and lead to 0."""
        return self.laid is None and self.stop is None

    @property
    def printed(self) -> bool:
        """Whether grid and start are those of the printed theorems."""
        return self.even and self.start != "vp"

    @cached_property
    def _settings(self):
        return grids.read(self.laid or grids.UNIFORM, self.T, self.stop)

    def grid(self, steps: int) -> Grid:
        """The times of a run of so many steps."""
        return Grid(self.laid["name"] if self.laid else "uniform", int(steps), self._settings)

    def reference_grid(self, n: int, steps: int) -> Grid:
        """The times of a reference of runs of n steps, so many steps and those from an early stop to 0."""
        own = self.grid(n)
        return (self.grid(steps) if own.nests else own.refined(steps // n)).to_zero()

    def scheme(self, name: str, steps: int) -> schemes.Scheme:
        """A scheme of the registry with its option as the study has it."""
        found = schemes.REGISTRY[name]
        given = dict(self.options)
        return found.at(given.get(found.option.key, found.option.default), steps) if found.option else found

    def case(self, scheme: str, steps: int) -> Case:
        return Case(self.built, self.scheme(scheme, steps), self.error, self.grid(steps), self.start, self.seed)

    def estimator_for(self, scheme: str) -> measure.Estimator:
        """The estimator that measures the scheme."""
        return measure.choose(self.estimator, self.case(scheme, self.steps[0]))[0]

    def sampled(self, scheme: str) -> bool:
        """Whether the scheme's points need simulation."""
        return self.estimator_for(scheme).sampled

    @property
    def sampled_schemes(self) -> list[str]:
        """Those whose points need simulation, in any part."""
        return [s for s in self.schemes if any(part.sampled(s) for _, part in self.parts)]

    def law(self, scheme: str) -> measure.Estimator | None:
        """The registry's first estimator that carries the scheme's law without particles, whatever the study asks for; None
        where there is none."""
        case = self.case(scheme, self.steps[0])
        return next((e for e in measure.REGISTRY.values() if not e.sampled and e.applies(case) is None), None)

    @property
    def paired(self) -> bool:
        """Whether the sampled schemes run beside a reference on the same paths: where the target has one and an estimator asks for it."""
        return self.built.paired and not all(self.estimator_for(s).alone for s in self.schemes if self.sampled(s))

    @cached_property
    def shared_paths(self) -> list[SharedPath]:
        """The Brownian paths of the sampled schemes, with their references."""
        if self.even:
            return shared_paths(self.steps, asked_for(self.built, self.T))
        n = max(self.steps)
        least = asked_for(self.built, n * self.grid(n).steepest(self.built.steepness or 0.0) / (self.built.steepness or 1.0))
        if self.grid(n).nests:
            return shared_paths(self.steps, least)
        return [path for n in self.steps for path in shared_paths((n,), least)]

    @cached_property
    def work(self) -> int:
        """Particle-steps of the run, reference included."""
        if self.vary:
            return sum(part.work for _, part in self.parts)
        sampled = [s for s in self.schemes if self.sampled(s)]
        if not sampled:
            return 0
        references = sum(r.work for g in self.shared_paths for r in g.references) if self.paired else 0
        references *= len({reference.kind(schemes.REGISTRY[s]) for s in sampled})
        return math.ceil(self.particles / BATCH) * BATCH * (len(sampled) * sum(self.steps) + references)

    @cached_property
    def memory(self) -> int:
        """Bytes that the run takes beside a program that has started, as far as is known; BadInput where they are above the limit."""
        if self.vary:
            return max(part.memory for _, part in self.parts)
        return memory.allowed("The study", memory.of_study(self, BATCH))

    @property
    def most(self) -> int:
        """Particle-steps of the run at most: more than the work where an accuracy is asked for."""
        if self.vary:
            return sum(part.most for _, part in self.parts)
        return self.work if self.accuracy is None or not self.work else max(self.work, self.budget or BUDGET)

    @cached_property
    def price(self) -> int:
        """The work and what laws on a grid and the training of a network cost besides, in particle-steps: what the app
        states before a run."""
        if self.vary:
            return sum(part.price for _, part in self.parts)
        price = self._points + self.error.price + (self.built.setup if self.work else 0)
        if self.reach:
            steps = max(1, max(self.steps) // 2)
            price += len(self.reach) * TRIES * replace(self, steps=(steps,), reach=None)._points
        return price

    @property
    def _points(self) -> int:
        """What the points of a plain study cost, in particle-steps."""
        by_law = {s: method for s in self.schemes if not (method := self.estimator_for(s)).sampled}
        laws = sum(method.price(self.case(s, n)) for s, method in by_law.items() for n in self.steps)
        run = self.work * self.built.step_cost * self.error.cost
        if run and not self.built.paired:
            # No reference: every scheme pays for itself.
            efforts = sum(self.built.effort(schemes.REGISTRY[s]) + self.error.cost - 1 for s in self.schemes)
            run = math.ceil(self.particles / BATCH) * BATCH * efforts * sum(self.steps)
        return math.ceil(run) + laws


def _parsed(text: str | bytes):
    """What a JSON text holds; a byte-order mark may stand before it."""
    try:
        text = text if isinstance(text, bytes) else text.removeprefix("\ufeff")
        whole = lambda digits: int(digits) if len(digits) < 400 else float(digits)  # noqa: E731  Python reads no more than 4300
        return json.loads(text, object_pairs_hook=_once, parse_int=whole)
    except BadInput:
        raise
    except (ValueError, RecursionError) as error:
        raise BadInput(f"The study is not valid JSON ({error}); give an object as the README describes.") from None


def _once(pairs) -> dict:
    """The object of a JSON text; of a key that is there twice JSON would keep the last value without a word."""
    found = {}
    for key, value in pairs:
        if key in found:
            both = f"{params.show(found[key])} and {params.show(value)}"
            raise BadInput(f"The key {params.show(key)} is there twice, as {both}; give it once.")
        found[key] = value
    return found


def _varied(data, values) -> tuple[dict, dict | None]:
    """The values of a study file with its `vary` checked; an axis of step sizes is nothing but h."""
    vary = values["vary"]
    if vary is None:
        return values, None
    params.only_keys("vary", vary, ("axis", "values"))
    params.require("vary", vary, ("axis", "values"))
    axis = params.choice("vary.axis", vary["axis"], (*AXES, *(TARGET + key for key in _scalars(values["target"]))))
    given = params.array("vary.values", vary["values"], (-1,))
    if len(given) > params.MAX_STEP_SIZES:
        raise BadInput(f"vary.values has {len(given)} entries; the limit is {params.MAX_STEP_SIZES}.")
    if axis == "h":
        if "h" in data or "steps" in data:
            raise BadInput("The study has both h (or steps) and vary with the axis h; give one of them.")
        return {**values, "h": given}, None
    given = sorted(set(given))
    if axis in ("d", "score_error.samples"):
        given = [params.integer("vary.values", v, 1) for v in given]
    return values, {"axis": axis, "values": given}


def _distances(given) -> tuple[float, ...] | None:
    if given is None:
        return None
    found = params.array("reach", given, (-1,))
    if len(found) > params.MAX_STEP_SIZES or min(found) < 1e-6:
        raise BadInput(f"reach = {params.show(given)}: give up to {params.MAX_STEP_SIZES} distances of at least 1e-6.")
    return tuple(sorted(set(found), reverse=True))


def _scalars(target) -> dict[str, str]:
    """What of a target may vary, {key: "key" | "knob"}: the numbers of its object, and the knobs that describe it."""
    if isinstance(target, targets.Target):
        return {}
    entry = targets.REGISTRY[target["name"]]
    knobs = dict.fromkeys(entry.knobs_of(target) or (), "knob")
    keys = {k for k, v in target.items() if isinstance(v, (int, float)) and not isinstance(v, bool)}
    return {**knobs, **dict.fromkeys(sorted(keys), "key")}


def _at(plain: dict, axis: str, value) -> dict:
    """A plain study file with a value of an axis put in."""
    if axis.startswith(TARGET):
        target, key = plain["target"], axis.removeprefix(TARGET)
        if _scalars(target)[key] == "key":
            return {**plain, "target": {**target, key: value}}
        entry = targets.REGISTRY[target["name"]]
        return {**plain, "target": entry.from_knobs({**entry.knobs_of(target), key: value})}
    if axis == "T":
        return {**plain, "T": value}
    if axis == "d":
        target = plain["target"]
        if isinstance(target, targets.Target) or target["name"] != "spectrum":
            raise BadInput("d can vary only for the target 'spectrum'; give target = {'name': 'spectrum', 'shape': …}.")
        if isinstance(target.get("values"), (list, tuple)):
            if value > len(target["values"]):
                raise BadInput(f"target.values has {len(target['values'])} entries, too few; d takes the first of them.")
            return {**plain, "target": {**target, "values": target["values"][:value]}}
        return {**plain, "target": {**target, "dim": value}}
    key = axis.removeprefix("score_error.")
    entry = errors.REGISTRY[plain["score_error"]["name"]]
    if key not in entry.keys:
        raise BadInput(f"score_error.name = '{entry.name}' has no {key}; choose an error that has one.")
    return {**plain, "score_error": {**plain["score_error"], key: value}}


def _counts_on_grid(data, values, settings) -> tuple[int, ...]:
    """Step counts where steps are not equal, so that no step size names them."""
    if "h" in data:
        raise BadInput("h has no meaning on a grid whose steps differ; give steps, a list of numbers of steps, instead.")
    if settings[0][0] == "times":
        fixed = len(settings[0][1]) - 1
        if "steps" in data and values["steps"] not in ([fixed], (fixed,)):
            raise BadInput(f"steps = {params.show(values['steps'])} contradicts the grid, whose list has {fixed}; leave steps out.")
        return (fixed,)
    return _step_counts({"steps": list(values.get("steps", STEPS))}, {"steps": values.get("steps", STEPS)}, None)


def _step_counts(data, values, T) -> tuple[int, ...]:
    if "steps" in data and "h" in data:
        raise BadInput("The study has both h and steps; give one of them.")
    name = "steps" if "steps" in data else "h"
    given = values[name]
    if not isinstance(given, (list, tuple)) or not given:
        raise BadInput(
            f"{name} = {params.show(given)} is not a list of {'step counts' if name == 'steps' else 'step sizes'}; give at least one."
        )
    if len(given) > params.MAX_STEP_SIZES:
        raise BadInput(f"{name} has {len(given)} entries; the limit is {params.MAX_STEP_SIZES}.")
    if name == "steps":
        counts = [params.integer("steps", n, 1, params.MAX_STEPS) for n in given]
    else:
        counts = []
        for h in given:
            h = params.number("h", h, above=0.0, high=T)
            if T / h > params.MAX_STEPS * (1 + 1e-9):
                raise BadInput(
                    f"h = {h:g} needs {T / h:.3g} steps; the limit is {params.MAX_STEPS}, so give h of at least {T / params.MAX_STEPS:.4g}."
                )
            try:
                counts.append(process.step_count(T, h))
            except ValueError as error:
                raise BadInput(str(error)) from None
    return tuple(sorted(set(counts)))
