"""100 random studies over all targets, each number by the second route of `independent`: score, Hessian, constants and moments of the
target, laws, and where no law is known the moments of the schemes' particles."""

import independent as ind
import numpy as np
import pytest
from cases import long

from dlab import study as studies
from dlab.study import Study

PARTICLES = 20_000  # of a simulation
BEYOND = 5.0  # standard errors that a random number may be off


def close(got, want, rel, abs_, what):
    assert np.all(np.abs(np.asarray(got) - want) <= abs_ + rel * np.abs(want)), f"{what}: {got}, second route {want}"


def points(truth, t, rng, n=12):
    """At up to three standard deviations of p_t."""
    mean, cov = truth.moments()
    root = np.linalg.cholesky(np.exp(-t) * cov + ind.var_of(t) * np.eye(len(cov)))
    y = rng.standard_normal((n, len(cov)))
    y *= np.linspace(0, 3, n)[:, None] / np.linalg.norm(y, axis=1, keepdims=True)
    return ind.a_of(t) * mean + y @ root.T


def judge_target(target, truth, rng):
    """Score and Hessian at four times, mean, covariance, m0 and L0."""
    facts, (mean, cov) = target.facts, truth.moments()
    size = np.sqrt(np.trace(cov))
    close(facts.mean, mean, 0, 2e-4 * size, "mean")
    close(facts.cov if facts.cov.ndim == 2 else np.diag(facts.cov), cov, 0, 4e-4 * size**2, "covariance")
    for t in (0.3, 1.5) if truth.planar else (0.02, 0.3, 1.5):  # a planar quadrature in 80 bits takes minutes at small t
        x = points(truth, t, rng)
        if truth.planar:
            s, H = (np.array(v) for v in zip(*(ind.score_and_hessian(truth.planar, t, v) for v in x[:4])))
        else:
            s, H = truth.score(t, x)
        x = x[: len(s)]
        if hasattr(target.field, "hessian") and not hasattr(target, "values"):
            close(target.field.hessian(t, x), H, 1e-6, 1e-6 * np.abs(H).max(), f"Hessian at t = {t}")
        close(target.field.score(t, x), s, 1e-7, 1e-7 * np.abs(s).max(), f"score at t = {t}")
        curved = np.linalg.eigvalsh(H)
        # Of the diffused law both follow from those of p_0: m(t) = 1/(e^-t/m0 + sigma^2), L(t) <= min(1/sigma^2, e^t L0).
        if facts.m0.value is not None and facts.m0.value > 0:
            assert curved.max() <= -1 / (np.exp(-t) / facts.m0.value + ind.var_of(t)) + 1e-6, "m0"
        if facts.L0.value is not None:
            assert -curved.min() <= min(1 / ind.var_of(t), np.exp(t) * facts.L0.value) * (1 + 1e-6), "L0"


def second_error(error, d):
    """The error as `ind.gaussian_law` takes it."""
    spec = dict(error)
    if spec["name"] != "constant":
        return {} if spec["name"] == "none" else {spec["name"]: spec["level"]}
    angle, e = np.radians(spec["angle"]), np.zeros(d)
    e[:2] = np.array([np.cos(angle), np.sin(angle)]) if d > 1 else np.sign(np.cos(angle))  # |e| is the level, on the line too
    return {"constant": spec["level"] * e}


def judge_row(row, study, truth, rng):
    """W2 of a row whose law is known, exactly; of REM and REI between a lower and an upper bound."""
    T, h, error = study.T, row.h, second_error(study.score_error, study.built.dim)
    what = f"{row.scheme} in {row.steps} steps"
    if row.w2 is None:
        assert row.flags, what
        return
    if truth.parts and len(truth.parts[0]) == 1:
        mean, cov = truth.moments()
        moments = ind.bures(*ind.gaussian_law(row.scheme, mean, cov, T, h, study.start, error), mean, cov)
        if row.scheme not in ("REM", "REI"):
            close(row.w2, moments, 1e-5, 1e-10, what)
        elif error:
            assert row.w2 >= moments * (1 - 1e-4), what
        else:
            low, high = ind.mixture_over_u(row.scheme, mean, cov, T, h, rng, study.start, n=40_000)
            assert low * 0.99 - 1e-9 <= row.w2 <= high * 1.01, f"{what}: {row.w2} not in [{low}, {high}]"
            assert moments * (1 - 1e-4) <= row.w2, f"{what}: {row.w2} below the distance of the moments {moments}"
    elif truth.lines:
        e = truth.axes.T @ error["constant"] if "constant" in error else np.zeros(len(truth.lines))
        seen, square = {}, 0.0
        for line, shift in zip(truth.lines, e):
            if (key := (id(line), float(shift))) not in seen:
                more = {"relative": error.get("relative", 0.0), "constant": shift, "points": 401}
                nodes = {"nodes_u": 7, "nodes_xi": 9} if row.scheme in ("REM", "REI") else {}
                try:
                    seen[key] = ind.line_law_w2(row.scheme, line, T, h, study.start, **more, **nodes)
                except ind.Folded:
                    return
            square += seen[key] ** 2
        want = np.sqrt(square)
        if row.scheme in ("REM", "REI"):
            assert row.w2 >= want * 0.995, f"{what}: {row.w2} below the distance of the coordinates {want}"
        else:
            close(row.w2, want, 5e-3, 1e-6, what)


def judge_cloud(cloud, row, study, truth, rng):
    """Mean and covariance of a scheme's particles against a simulation of its formula in `independent`."""
    d, error = cloud.shape[1], second_error(study.score_error, cloud.shape[1])
    noise = np.sqrt(ind.var_of(study.T)) * rng.standard_normal((PARTICLES, d))
    start = noise + (ind.a_of(study.T) * truth.sample(PARTICLES, rng) if study.start == "exact" else 0.0)
    at = (lambda t: t) if truth.parts else (lambda t: t[0])
    exact = lambda t, x: truth.score(at(t), x)  # noqa: E731
    score = lambda t, x: (1 + error.get("relative", 0.0)) * exact(t, x)[0] + error.get("constant", 0.0)  # noqa: E731

    def drift(t, x):
        s, H = exact(t, x)
        return x / 4 - np.einsum("nij,nj->ni", np.eye(d) / 2 + H, x / 2 + s)

    y = ind.simulate(row.scheme, score, lambda t, x: exact(t, x)[1], study.T, row.h, start, rng, drift)
    i, j = np.triu_indices(d)
    p, q = (np.concatenate([v, v[:, i] * v[:, j]], 1) for v in (cloud, y))
    off = np.abs(p.mean(0) - q.mean(0)) / np.sqrt(p.var(0) / len(p) + q.var(0) / len(q))
    assert np.all(off < BEYOND), f"{row.scheme} in {row.steps} steps: {p.mean(0)}, second route {q.mean(0)}, {off} standard errors"


FEW = (0, 1, 2, 3, 4, 6, 7, 9, 10, 13)  # the rest, with the targets whose constants are measured, by hand


@pytest.mark.parametrize("seed", [*FEW, *(long(s) for s in range(100) if s not in FEW)])
def test_a_random_study_is_that_of_the_second_route(seed):
    data, rng = ind.random_study(seed), np.random.default_rng([seed, 1])
    study, truth = Study.from_json(data), ind.Target(data["target"])
    judge_target(study.built, truth, rng)
    result = studies.run(study)
    for row in result.rows:
        if not row.particles:
            judge_row(row, study, truth, rng)
        elif not (row.scheme in ("REM", "REI") and truth.parts is None):
            judge_cloud(result.clouds[f"{row.scheme}_{row.steps}"], row, study, truth, rng)
