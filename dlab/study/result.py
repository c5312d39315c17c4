"""Rows, fits and notes: what a study answers, in the form of the contract."""

import math
from dataclasses import asdict, dataclass, field

import jax

from dlab import __version__, errors, schemes, targets, theory
from dlab.measure import fit, method
from dlab.study.reach import trends
from dlab.study.spec import SCHEMA, Study

MOST_ENTRIES = 4096  # of a covariance in a result
OUTSIDE = "lies outside the asymptotic range"


@dataclass(frozen=True)
class Row:
    """One point of a curve. `flags` are the sentences behind resolved = False. hessian_evals counts Hessian-vector products where the
    Hessian is known by them alone; spent: what they cost and met, see `Batches.tally`. bound_withdrawn: why this row has no bound where
    its scheme has one. h: None where the steps differ; early_stop: what an early stop adds, see `Case.early_stop`."""

    scheme: str
    h: float | None
    steps: int
    score_evals: int
    hessian_evals: int | float
    particles: int
    w2: float | None
    stderr: float | None
    lower: float | None
    upper: float | None
    floor: float | None
    method: str
    resolved: bool
    bound: float | None
    bound_parts: dict | None
    bound_withdrawn: str
    error_level_met: float | None
    diverged: int
    flags: tuple[str, ...] = ()
    grid_change: float | None = None
    spent: dict | None = None
    early_stop: float | None = None

    @property
    def at(self) -> str:
        """Which point of the curve it is, for a sentence."""
        return f"N = {self.steps}" if self.h is None else f"h = {self.h:.4g}"

    @property
    def size(self) -> float:
        """What fits are taken against: h, or 1/N where steps differ."""
        return 1 / self.steps if self.h is None else self.h


@dataclass(frozen=True)
class Result:
    """What a study found so far: rows and fits, facts of the target, and the notes that a reader must be
    told. `done` is the share of the work behind it; 1.0 is the final answer. reach: the answers of `study.reach`. clouds: final
    positions by name, or packed: the same as npz bytes, where units ran in other processes."""

    study: Study
    rows: tuple[Row, ...]
    done: float = 1.0
    reach: tuple[dict, ...] = ()
    clouds: dict = field(default_factory=dict, compare=False, repr=False)
    packed: bytes = field(default=b"", compare=False, repr=False)

    def to_json(self) -> dict:
        """The result file of the contract: plain values, NaN-free."""
        seldom = ("spent", "bound_withdrawn", "early_stop")
        rows = [{k: v for k, v in asdict(r).items() if v or k not in seldom} | {"flags": list(r.flags)} for r in self.rows]
        fits = [_fit(self.study, name, rows) for name in self.study.schemes]
        return {
            "schema": SCHEMA,
            "study": self.study.to_json(),
            "facts": facts_json(self.study.built.facts),
            "rows": rows,
            "fits": fits,
            **({"reach": list(self.reach), "reach_trends": trends(self.study, self.reach)} if self.study.reach else {}),
            "notes": _notes(self, fits),
            "versions": {"dlab": __version__, "jax": jax.__version__},
        }


def facts_json(facts: targets.Facts) -> dict:
    named = {k: getattr(facts, k) for k in ("m0", "L0", "L_F", "M1", "M2")}
    known = facts.m0.value is not None and facts.L0.value is not None
    return {
        **{k: None if f.value is None else float(f.value) for k, f in named.items()},
        "m_min": min(1.0, float(facts.m0.value)) if known else None,
        "L_max": 1.0 + float(facts.L0.value) if known else None,
        "how": {k: f.how for k, f in named.items()},
        "mean": facts.mean.tolist(),
        "cov": facts.cov.tolist() if facts.cov.size <= MOST_ENTRIES else None,
        "second_moment": facts.second_moment,
        "product": facts.product,
        "field_error": facts.field_error,
    }


def refitted(result: dict, window: tuple[float, float]) -> dict:
    """The result file's object with every fit taken over the resolved points of a window set by hand, coarsest and
    finest h; a note says so."""
    study = Study.from_json(result["study"])
    fits = [_fit(study, name, result["rows"], window) for name in study.schemes]
    notes = [n for n in result["notes"] if OUTSIDE not in n]
    said = f"The fits' window was set by hand: {'h' if study.even else '1/N'} from {max(window):.4g} to {min(window):.4g}."
    return {**result, "fits": fits, "notes": [*notes, said]}


def _fit(study: Study, name: str, rows: list[dict], window=None) -> dict:
    mine = [r for r in rows if r["scheme"] == name]
    scheme = schemes.REGISTRY[name]
    w2, stderr, usable = ([r[k] for r in mine] for k in ("w2", "stderr", "resolved"))
    size = [1 / r["steps"] if r["h"] is None else r["h"] for r in mine]
    law = fit.fit(size, w2, [e or 0.0 for e in stderr], usable, scheme.law_order, window)
    limit = theory.bound(scheme, study.built.facts, T=study.T, h=0.0 if study.even else None, start=study.start)
    at_order = law.at_order or (None, None, None)
    axes = study.built.along_axes if study.start == "exact" and study.clean and study.even else None
    return {
        "scheme": name,
        "slope": law.slope,
        "slope_low": law.low,
        "slope_high": law.high,
        "constant": law.constant,
        "constant_low": law.constant_low,
        "constant_high": law.constant_high,
        "law_order": scheme.law_order,
        "constant_at_order": at_order[0],
        "constant_at_order_low": at_order[1],
        "constant_at_order_high": at_order[2],
        "expansion": None if axes is None else theory.leading_coefficient(scheme, *axes, study.T),
        "used": list(law.used),
        "window": list(window) if window else None,
        "theory_order": None if limit.void else scheme.theorem.order,
        "theory_c1": None if limit.void else limit.constants.c1,
        "theory_c2": None if limit.void else limit.constants.c2,
    }


def _places(rows) -> str:
    """Points of a curve for a sentence, "h = 0.5, 0.25" or "N = 8"."""
    rows = list(rows)
    return rows[0].at[:4] + ", ".join(r.at[4:] for r in rows)


def _notes(result: Result, fits: list[dict]) -> list[str]:
    """One sentence for everything a reader must be told about the result as a whole."""
    study, facts = result.study, result.study.built.facts
    notes = []
    if result.done < 1:
        notes.append(f"Provisional: {result.done:.0%} of the work is done.")
    h = 0.0 if study.even else None
    bounds = {n: theory.bound(schemes.REGISTRY[n], facts, T=study.T, h=h, start=study.start) for n in study.schemes}
    for reason in dict.fromkeys(b.void for b in bounds.values() if b.void):
        names = ", ".join(n for n, b in bounds.items() if b.void == reason)
        notes.append(f"The bound is void for {names}: {reason}")
    notes += [f"{r.scheme} at {r.at} has no bound: {r.bound_withdrawn}." for r in result.rows if r.bound_withdrawn]
    notes += [b.constants.footnote for b in bounds.values() if not b.void and b.constants.footnote]
    if any(not b.void for b in bounds.values()):
        notes.append(
            "The bound is the theorem's leading term: “≲” hides O(h²) terms, M₁ and a condition on the step size."
        )
        measured = [k for k in ("m0", "L0", "L_F") if getattr(facts, k).how.startswith("numerical")]
        if measured:
            notes.append(f"{', '.join(measured)} in the bound: {getattr(facts, measured[0]).how}, not proven.")
    for name in dict.fromkeys(r.scheme for r in result.rows if method(r.method).lower):
        least = _places(r for r in result.rows if r.scheme == name and method(r.method).lower)
        notes.append(f"{name}: the value at {least} is a lower bound of W₂.")
    noisy = [n for n in study.schemes if study.sampled(n) and study.case(n, study.steps[0]).noisy and not study.estimator_for(n).alone]
    if noisy:
        notes.append(
            f"{', '.join(noisy)}: to first order, the effect of the scheme's own noise on a particle has mean zero given the "
            "Brownian path, and is subtracted (a control variate)."
        )
    short = [
        f"{r.scheme} at {r.at} (±{r.stderr / max(r.w2, r.stderr):.0%})"
        for r in result.rows
        if study.accuracy is not None and r.w2 is not None and r.stderr > study.accuracy * r.w2
    ]
    if short and result.done == 1:
        notes.append(
            f"The budget or the memory limit was reached before the relative standard error fell to {study.accuracy:.3g} "
            f"at these points: {', '.join(short)}."
        )
    changes = [r.grid_change for r in result.rows if r.grid_change]
    if changes:
        notes.append(
            "Laws on a grid: judging by refinements of the grid, no value is off by more than "
            f"{max(changes):.1g} of it."
        )
    for name in study.schemes:
        lost = [r for r in result.rows if r.scheme == name and r.diverged]
        if lost and schemes.REGISTRY[name].randomised and study.built.unbounded:
            notes.append(f"{name}: {study.built.unbounded}")
        elif lost:
            notes.append(
                f"{name} diverged at {_places(lost)}: the step is too large for this target."
            )
        hollow = [r for r in result.rows if r.scheme == name and not r.resolved and not r.diverged]
        if hollow:
            notes.append(
                f"{name}: the points at {_places(hollow)} are not resolved and not fitted."
            )
        used = next(f["used"] for f in fits if f["scheme"] == name)
        dropped = [r for r in result.rows if r.scheme == name and r.resolved and r.size not in used]
        if dropped:
            notes.append(f"{name}: {_places(dropped)} {OUTSIDE} and is not fitted.")
    if errors.REGISTRY[study.score_error["name"]].level_is == "share" and study.score_error["level"]:
        notes.append(
            "The level of a relative error is a share of the score; the table has its L₂ norm along the iterates."
        )
    if study.error.hessian_changed and any(schemes.REGISTRY[n].hessian_evals for n in study.schemes):
        notes.append(study.error.said)
    if stop := study.grid(max(study.steps)).stop:
        known = next((f"is {r.early_stop:.3g}" for r in result.rows if r.early_stop), None)
        # |a X_0 + sigma Z - X_0| for the Z and the X_0 that a run ends with.
        most = math.sqrt(facts.dim * -math.expm1(-stop)) - math.expm1(-stop / 2) * facts.second_moment**0.5
        notes.append(f"Every run stops at t = {stop:.3g}: W₂(p_t, p_0) there {known or f'is at most {most:.3g}'}, part of every value.")
    if study.start == "vp":
        notes.append("Start N(0, I): the curves level off at the initialisation error, which no step size removes.")
    if study.start == "paper":
        notes.append(
            "The paper's start N(0, σ²I): the curves level off at the initialisation error, which no step size removes."
        )
    if study.reach and any(not b.void for b in bounds.values()) and study.score_error["name"] != "none":
        notes.append("The numbers of steps that the theorems ask for assume an exact score.")
    missed = {}
    for a in result.reach:
        if a["steps"] is None:
            missed.setdefault(a["scheme"], []).append(f"{a['epsilon']:g}")
    notes += [f"{name}: W₂ = {', '.join(values)} {'is' if len(values) == 1 else 'are'} not reached." for name, values in missed.items()]
    if facts.field_error and any(study.sampled(s) for s in study.schemes):
        notes.append(facts.field_error)
    return notes
