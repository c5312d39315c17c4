"""Reads and checks the object "grid" of a study file."""

import itertools

from dlab import params
from dlab.grid.makers import ENDS, MAKERS, time_of
from dlab.params import BadInput

UNIFORM = {"name": "uniform"}
SAME = 1e-9  # relative difference of two horizons that are one


def keys(name: str) -> tuple[str, ...]:
    """What the object of this maker may have beside its name."""
    maker = MAKERS[name]
    if name == "times":
        return "times", "sigmas"
    ends = ("last",) if maker.ends else ()
    cut = ("sigma_max",) if not maker.begins else ()
    return (*maker.settings, *ends, *cut)


def read(given: dict, T: float | None, stop: float | None) -> tuple[tuple[str, object], ...]:
    """The settings of `Grid` from the object of a study file, the horizon that the file names, if any, and its early stop.

    BadInput names what is wrong, also where T contradicts the largest time of the grid.
    """
    params.entry("grid", given, MAKERS)
    name = given["name"]
    maker = MAKERS[name]
    params.only_keys("grid", given, ("name", *keys(name)))
    if name == "times":
        return _listed(given, T, stop)
    found = {key: params.number(f"grid.{key}", given.get(key, default), low, high) for key, (default, low, high) in maker.settings.items()}
    if "beta_max" in found and found["beta_min"] >= found["beta_max"]:
        raise BadInput(f"grid.beta_min = {found['beta_min']:g} is not below beta_max = {found['beta_max']:g}; give two numbers that rise.")
    if maker.begins == "T":
        start = 4.0 if T is None else T
    else:
        sigma_max = params.number("grid.sigma_max", given["sigma_max"], 0.1, 1e4) if "sigma_max" in given else found.get("sigma_max")
        whole = maker.first(**found) if maker.first else float("inf")
        start = whole if sigma_max is None else float(time_of(sigma_max))
        if start > whole * (1 + SAME):
            raise BadInput(f"grid.sigma_max = {sigma_max:g} lies beyond the schedule's own end, t = {whole:.4g}; lower it or leave it out.")
        _same(T, start)
    if start > params.MAX_T:
        raise BadInput(f"The grid '{name}' starts at t = {start:.4g} and the limit is {params.MAX_T:g}; lower its largest noise.")
    low = start
    if maker.ends:
        found["last"] = params.choice("grid.last", given.get("last", ENDS[0]), ENDS)
        low = found["delta"] if maker.ends == "delta" else float(time_of(found["sigma_min"]))
        if low >= min(start, 1.0 if maker.ends == "delta" else start):
            raise BadInput(f"grid.{maker.ends} = {found[maker.ends]:g} is not below the start of the grid, t = {start:.4g}; lower it.")
        if found["last"] == ENDS[1]:
            if stop:
                raise BadInput(f"stop = {stop:g}: the grid ends at its {maker.ends} already; leave stop out, or give last = 'zero'.")
            stop = low
    if stop and stop >= low and not (found.get("last") == ENDS[1]):
        raise BadInput(f"stop = {stop:g} is not below the grid's times, down to t = {low:.4g}; lower it.")
    return (("T", float(start)), *sorted(found.items()), *((("stop", float(stop)),) if stop else ()))


def filled(given: dict) -> dict:
    """The object with every default, of one that `read` has taken."""
    maker = MAKERS[given["name"]]
    defaults = {key: default for key, (default, *_) in maker.settings.items()}
    return {"name": given["name"], **defaults, **({"last": ENDS[0]} if maker.ends else {}), **given}


def _listed(given, T, stop):
    if ("times" in given) == ("sigmas" in given):
        raise BadInput("The grid 'times' takes a list 'times' or a list 'sigmas', one of the two; give it.")
    if stop:
        raise BadInput(f"stop = {stop:g}: a list of times ends where its last one says; leave stop out.")
    key = "times" if "times" in given else "sigmas"
    values = params.array(f"grid.{key}", given[key], (-1,))
    if len(values) < 2 or len(values) > params.MAX_STEPS + 1:
        raise BadInput(f"grid.{key} has {len(values)} entries; give 2 to {params.MAX_STEPS + 1}, one more than steps.")
    if any(a <= b for a, b in itertools.pairwise(values)) or values[-1] < 0:
        raise BadInput(f"grid.{key} = {params.show(values)} must fall from entry to entry and end at 0 or above.")
    times = values if key == "times" else [float(time_of(v)) for v in values]
    if times[0] > params.MAX_T:
        raise BadInput(f"grid.{key} starts at t = {times[0]:.4g} and the limit is {params.MAX_T:g}; start lower.")
    _same(T, times[0])
    return (("times", tuple(times)),)


def _same(T, start):
    if T is not None and abs(T - start) > SAME * start:
        raise BadInput(f"T = {T:g} contradicts the grid, which starts at t = {start:.9g}; leave T out, or give the grid another start.")
