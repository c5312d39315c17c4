"""The samplers of practice: against the published formulas in each schedule's own variables, against recursions of their variance, and
by their orders, of the law and along a path. The second route is native.py."""

import math

import jax
import jax.numpy as jnp
import native
import numpy as np
import pytest
from cases import long
from scipy import integrate, special

from dlab import grid as grids
from dlab import noise, schemes, targets
from dlab.errors import NONE
from dlab.grid import Grid
from dlab.laws import gaussian as laws
from dlab.noise import Bridge, StepNoise
from dlab.sample import simulate
from dlab.study import Study, run

LOG_SNR = {"name": "log-snr", "last": "sigma_min"}
KARRAS = {"name": "karras", "last": "sigma_min"}
VALUES = np.array([0.5, 1.0, 0.1, 0.01])
SAMPLERS = [name for name, s in schemes.REGISTRY.items() if s.family in ("SDE", "ODE")]
CHURN = 4.0


def lay(spec, steps, stop=None) -> Grid:
    return Grid(spec["name"], steps, grids.read(spec, None, stop))


def sampler(name, steps, **given):
    """A scheme of the registry with the option that is given."""
    found = schemes.REGISTRY[name]
    return found.at(given.get(found.option.key, found.option.default), steps) if found.option else found


def variances(scheme, values, grid):
    """Of the last x on N(0, v), (n,), from the exact law at the start; four at a time, whose code all tests share."""
    values = np.asarray(values, float)
    padded = np.resize(values, 4)
    errors = jax.tree.map(lambda leaf: np.broadcast_to(leaf, 4), NONE)
    return laws.propagate_lines(scheme, padded, errors, grid=grid, start="exact").cov[-1][: len(values)]


def gap(scheme, v, grid):
    """Standard deviation of the last x less that of p_t there, on N(0, v); its size is W2."""
    there = np.exp(-grid.stop) * v - np.expm1(-grid.stop)
    return (np.sqrt(variances(scheme, [v], grid)) - np.sqrt(there))[0]


# ---------------------------------------------------------------- 1. in the variables of each schedule

MEAN, COV = np.array([0.3, -0.7]), np.array([[0.5, 0.3], [0.3, 0.9]])
GAUSSIAN = native.gaussian(MEAN, COV)
STEPS = 16
# Name in the registry, its option, and the second implementation with the normals that it takes.
OF_LAWS = {
    "DDPM": ("DDPM", {}, native.ancestral, 1, {}),
    "2M-SDE": ("2M-SDE", {}, native.dpmpp_2m_sde, 1, {}),
    "SEEDS2": ("SEEDS2", {}, native.seeds_2, 2, {"schedule"}),
    "CHURN": ("CHURN", {"churn": CHURN}, native.edm, 1, {"schedule", "churn"}),
    "DDIM": ("DDIM", {}, native.ddim, 0, {}),
    "2M": ("2M", {}, native.dpmpp_2m, 0, {}),
    "UNIPC2": ("UNIPC2", {}, native.unipc, 0, {}),
    "EDM-HEUN": ("EDM-HEUN", {}, native.edm, 0, {"schedule"}),
    "DPM2": ("DPM2", {}, native.dpm_solver_2, 0, {"schedule"}),
    "DPM3": ("DPM3", {}, native.dpm_solver_3, 0, {"schedule"}),
}


def arguments(wanted, schedule):
    return {key: value for key, value in {"schedule": schedule, "churn": CHURN}.items() if key in wanted}


def native_law(of, points, normals, **more):
    """Mean and covariance after a run from the exact law, in the lab's coordinate."""
    begin = native.start(points[0], GAUSSIAN)
    return native.in_lab(points[-1], *native.law(of, points, GAUSSIAN, *begin, normals=normals, **more))


def lab_law(scheme, grid):
    target = targets.build({"name": "gaussian", "mean": MEAN.tolist(), "cov": COV.tolist()})
    law = laws.propagate(scheme, target, NONE, grid=grid, start="exact")
    return law.mean[-1], law.cov[-1]


def apart(one, other):
    """W2 of two Gaussians."""
    return float(laws.bures(*one, *other))


def sigmas(last):
    return np.append(native.karras(STEPS - 1), 0.0) if last == "zero" else native.karras(STEPS)


@pytest.mark.parametrize("name", OF_LAWS)
@pytest.mark.parametrize("last", ["sigma_min", "zero"])
def test_on_one_grid_of_lambda_every_schedule_gives_the_law_of_the_lab(name, last):
    """What freezes x0 or eps, in VP linear, VP cosine and VE: mean and covariance on a Gaussian, down to sigma_min and to 0."""
    scheme, option, of, normals, wanted = OF_LAWS[name]
    lab = lay(KARRAS | {"last": last}, STEPS)
    np.testing.assert_allclose(lab.sigmas, sigmas(last), rtol=1e-13, atol=1e-15)
    mean, cov = lab_law(sampler(scheme, STEPS, **option), lab)
    for schedule in native.SCHEDULES:
        own = native_law(of, schedule.points(sigmas(last)), normals, **arguments(wanted, schedule))
        np.testing.assert_allclose(own[0], mean, rtol=1e-12)
        np.testing.assert_allclose(own[1], cov, rtol=1e-12)


@pytest.mark.parametrize("h", [0.5, 1.0, 2.0, 3.0])
def test_no_step_size_makes_a_step_before_the_first_one_real(h):
    """Where a history is empty a value stands that is not used: no step may meet it and end as no number."""
    times = h * np.arange(4, -1, -1.0)
    for name in OF_LAWS:
        scheme, option, of, normals, wanted = OF_LAWS[name]
        mean, cov = lab_law(sampler(scheme, 4, **option), grids.of_times(times))
        own = native_law(of, native.VE.points(np.sqrt(np.expm1(times))), normals, **arguments(wanted, native.VE))
        np.testing.assert_allclose(own[0], mean, rtol=1e-9, err_msg=name)
        np.testing.assert_allclose(own[1], cov, rtol=1e-9, err_msg=name)


MIXTURE = {
    "name": "mixture", "weights": [0.7, 0.3], "means": [[-0.8, 0.0], [1.2, 0.5]],
    "var": [[[0.25, 0.0], [0.0, 0.25]], [[0.25, 0.1], [0.1, 0.4]]],
}  # fmt: skip


@pytest.fixture(scope="module")
def mixture():
    return targets.build(MIXTURE)


@pytest.mark.parametrize("name", [name for name, (_, _, _, normals, _) in OF_LAWS.items() if not normals])
def test_of_the_flow_every_schedule_gives_the_map_of_the_lab(name, mixture):
    """Particle by particle, where the score is not linear."""
    scheme, _, of, _, wanted = OF_LAWS[name]
    data = native.Data(*(np.asarray(MIXTURE[key], float) for key in ("weights", "means", "var")))
    begin = np.random.default_rng(3).normal(size=(64, 2))
    x = simulate(schemes.REGISTRY[scheme], mixture.field, NONE, begin, grid=lay(KARRAS, STEPS), key=jax.random.key(0)).x
    for schedule in native.SCHEDULES:
        points = schedule.points(sigmas("sigma_min"))
        own = of(data, points, begin * math.hypot(points[0].alpha, points[0].sigma), None, **arguments(wanted, schedule))
        np.testing.assert_allclose(*native.in_lab(points[-1], own), x, rtol=1e-12, atol=1e-12)


def test_ancestral_sampling_goes_by_several_names():
    """DDPM is DDIM with eta = 1; its knob at 1 is the forward step's variance beta_t, at infinity Song's reverse diffusion of VE."""
    lab, points = lay(KARRAS, STEPS), native.VP_LINEAR.points(sigmas("sigma_min"))
    ve = native.VE.points(sigmas("sigma_min"))
    pairs = [
        (sampler("DDPM", STEPS), native_law(native.ddim, points, 1, eta=1.0)),
        (sampler("DDPM", STEPS, noise=1.0), native_law(native.ancestral, points, 1, large=True)),
        (sampler("DDPM", STEPS, noise=math.inf), native_law(native.reverse_diffusion, ve, 1)),
        (sampler("VE-EM", STEPS), native_law(native.reverse_diffusion, ve, 1)),
    ]
    for scheme, own in pairs:
        for got, want in zip(lab_law(scheme, lab), own):
            np.testing.assert_allclose(got, want, rtol=1e-12)


LEAST = {"EM": 0.3, "SHEUN": 0.1, "SRA1": 0.05}  # W2


@pytest.mark.parametrize("name, of, normals", [
    ("EM", native.reverse_diffusion, 1), ("SHEUN", native.heun_in_z, 1), ("SRA1", native.sra1_in_z, 2),
])  # fmt: skip
def test_what_freezes_the_score_in_x_is_another_method_in_z(name, of, normals):
    """On one grid of lambda in 16 steps: the two laws lie further apart than the lab's lies from the target."""
    here = lab_law(schemes.REGISTRY[name], lay(KARRAS, STEPS))
    there = native_law(of, native.VE.points(sigmas("sigma_min")), normals)
    assert apart(here, there) > max(apart((MEAN, COV), here), LEAST[name])


@pytest.mark.parametrize("maker, schedule", [("vp-linear", native.VP_LINEAR), ("vp-cosine", native.VP_COSINE)])
def test_beta_frozen_in_the_schedules_own_time_is_no_euler_of_the_lab(maker, schedule):
    """As it is often programmed, x + beta(s) ds (x/2 + score): the law of EM-FROZEN, and not that of EM."""
    lab = lay({"name": maker}, 64, stop=1e-4)
    inner = lab.times[:-1]
    points = [*schedule.points(np.sqrt(np.expm1(inner))), schedule.at(-0.5 * math.log(math.expm1(1e-4)))]
    s = np.array([p.s for p in points])
    np.testing.assert_allclose(np.diff(s), s[1] - s[0], atol=1e-12)
    own = native_law(native.euler_maruyama, points, 1, schedule=schedule)
    frozen, exact = (lab_law(schemes.REGISTRY[name], lab) for name in ("EM-FROZEN", "EM"))
    for got, want in zip(frozen, own):
        np.testing.assert_allclose(got, want, rtol=1e-11)
    assert apart(exact, own) > 0.005


# ---------------------------------------------------------------- 2. and 3. variances, orders of the law


@pytest.mark.parametrize("last", ["sigma_min", "zero"])
@pytest.mark.parametrize("name", [name for name, s in schemes.REGISTRY.items() if not s.randomised and name not in OF_LAWS])
def test_the_variance_follows_its_recursion(name, last):
    """V' = A^2 V + B on N(0, v) for four v over two decades, every other scheme without a random midpoint."""
    lab = lay(KARRAS | {"last": last}, 24)
    p, rate = lab.sigmas ** (1 / 7), np.ones(24)
    slopes = 14 * p**13 / (1 + p**14) * (p[0] - p[1]) / np.append(lab.h, 1)  # dt of t = log(1 + p^14) at a step's start, over the step
    rate[: 24 - (last == "zero")] = slopes[: 24 - (last == "zero")]
    more = {"EM-FROZEN": {"rate": rate}}.get(name, {})
    np.testing.assert_allclose(variances(sampler(name, 24), VALUES, lab), native.variance(name, VALUES, lab.sigmas, **more), rtol=1e-12)


@pytest.mark.parametrize("knob", [0.0, 0.3, math.inf])
def test_the_knob_of_ddpm_is_the_variance_whose_noise_is_exact(knob):
    lab = lay(LOG_SNR, 24)
    scheme = sampler("DDPM", 24, noise=knob)
    np.testing.assert_allclose(variances(scheme, VALUES, lab), native.variance("DDPM", VALUES, lab.sigmas, knob=knob), rtol=1e-12)
    if 0 < knob < math.inf:
        assert abs(gap(scheme, knob, lab)) < 1e-13
        assert abs(gap(scheme, 1.1 * knob, lab)) > 1e-3


@pytest.mark.parametrize("name", ["EM", "EI", "SO", *SAMPLERS])
def test_the_law_has_the_order_of_the_record(name):
    """On N(0, 1/2) with steps of equal log-SNR from sigma = 80 to 0.002, over N = 128, 256, 512, from the exact law at the start and
    against p_t at the end."""
    counts = (128, 256, 512)
    found = np.abs([gap(sampler(name, n), 0.5, lay(LOG_SNR, n)) for n in counts])
    if name == "OC":  # its law is exact on Gaussians: on others see below
        assert found.max() < 1e-13
        return
    assert np.polyfit(np.log(counts), np.log(found), 1)[0] == pytest.approx(-schemes.REGISTRY[name].law_order, abs=0.06)


ON_A_GRID = ["EM", "EI", "SO", "DDPM", "VE-EM", "TAYLOR", "OC", "PF-EULER", "DDIM"]
PEAKS = {"name": "mixture", "weights": [0.7, 0.3], "means": [[-0.8], [1.2]], "var": 0.25}
TO_ZERO = {"name": "log-snr", "sigma_max": 20, "sigma_min": 0.02}


def on_the_line(names, steps):
    study = Study.from_json({"target": PEAKS, "schemes": names, "steps": steps, "grid": TO_ZERO})
    assert not any(map(study.sampled, names))
    return study, {(r.scheme, r.steps): r.w2 for r in run(study).rows}


@pytest.mark.parametrize("name", [name if name in ("EM", "SO", "OC", "DDIM") else long(name) for name in ON_A_GRID])
def test_the_law_has_its_order_on_a_mixture(name):
    """By the law on a grid, for schemes that ask at a step's start alone: here OC is of order 2. N = 64 and 128."""
    _, found = on_the_line([name], [64, 128])
    assert np.log2(found[name, 64] / found[name, 128]) == pytest.approx(schemes.REGISTRY[name].law_order, abs=0.15)


def test_w2_on_a_mixture_is_that_of_the_map_of_quantiles():
    """Of DDIM, whose map of the line rises: W2^2 is the mean square of the difference of quantiles."""
    study, found = on_the_line(["DDIM"], [64])
    points = native.VE.points(study.grid(64).sigmas)
    weights, means = np.array(PEAKS["weights"]), np.array(PEAKS["means"])[:, 0]
    u = (np.arange(20_000) + 0.5) / 20_000

    def quantiles(alpha, spread):
        x = np.linspace(-6 * spread + alpha * means[0], 6 * spread + alpha * means[1], 400_001)
        return np.interp(u, special.ndtr((x[:, None] - alpha * means) / spread) @ weights, x)

    x = quantiles(1.0, math.hypot(0.5, points[0].sigma))
    end = native.ddim(native.Data(weights, means[:, None], np.full((2, 1, 1), 0.25)), points, x[:, None])[:, 0]
    assert (np.diff(end) > 0).all()
    assert found["DDIM", 64] == pytest.approx(math.sqrt(np.mean((end - quantiles(1.0, 0.5)) ** 2)), rel=2e-3)


@pytest.mark.parametrize("name", ["DPM3", "UNIPC2"])
def test_the_last_step_down_to_0_is_of_order_one_whatever_the_method(name):
    """It leaves what one step of DDIM from sigma_min to 0 does, sqrt(v) (1 - (1 + sigma_min^2 / v)^{-1/2}), whatever N."""
    want = math.sqrt(0.5) * (1 - (1 + 0.002**2 / 0.5) ** -0.5)
    for n in (512, 1024):
        assert gap(schemes.REGISTRY[name], 0.5, lay(LOG_SNR | {"last": "zero"}, n)) == pytest.approx(-want, rel=0.3)


# ---------------------------------------------------------------- 4. and 5. the table of 32 evaluations, optimal grids

TABLE = {  # W2 at 32 evaluations: uniform t, quadratic t, log-SNR, Karras 7, tangent v = .1, inverse square root v = .1, linear VP
    "EM": ".49 .060 .066 .067 .076 .046 .062", "EI": ".54 .072 .108 .102 .225 .088 .074",
    "DDPM": ".29 .125 .153 .158 .078 .072 .126", "VE-EM": ".56 .107 .20 .18 1.5 .49 .108",
    "2M-SDE": "1.9 .30 .018 .038 .025 .24 .33", "SHEUN": "19 .053 .072 .080 .41 .097 .10",
    "SRA1": ".94 .017 .024 .024 .60 .17 .025", "SO": ".27 .014 .0086 .010 .0016 .0041 .015",
    "DDIM": ".25 .071 .084 .083 .065 .056 .073", "2M": ".65 .12 .0069 .014 .023 .060 .13",
    "EDM-HEUN": ".39 .039 .069 .057 1.1 .32 .043",
}  # fmt: skip
FIRST, STOP = math.log1p(80.0**2), math.log1p(0.002**2)
COLUMNS = (
    {"T": FIRST, "grid": {"name": "uniform"}, "stop": STOP},
    {"T": FIRST, "grid": {"name": "quadratic"}, "stop": STOP},
    {"grid": LOG_SNR},
    {"grid": KARRAS},
    {"grid": {"name": "tangent", "v": 0.1}, "stop": STOP},
    {"grid": {"name": "inverse-root", "v": 0.1}, "stop": STOP},
    {"grid": {"name": "vp-linear", "sigma_max": 80}, "stop": STOP},
)


TWICE = {("EM", 5), ("VE-EM", 5)}  # 0.04547 and 0.4846: printed by way of 0.0455 and 0.485


def test_the_table_of_all_grids_is_reproduced_to_its_digits():
    wrong = []
    for name, row in TABLE.items():
        steps = 32 // schemes.REGISTRY[name].score_evals
        for i, (column, printed) in enumerate(zip(COLUMNS, row.split(), strict=True)):
            target = {"name": "spectrum", "values": [1, 0.1, 0.01]}
            study = Study.from_json({"target": target, "schemes": [name], "steps": [steps], **column})
            (found,) = run(study).rows
            unit = 10.0 ** -len(printed.partition(".")[2])
            if abs(found.w2 - float(printed)) > (0.55 if (name, i) in TWICE else 0.5 + 1e-9) * unit:
                wrong.append((name, column, printed, found.w2))
    assert not wrong


@pytest.mark.parametrize("name, grid, key, constant", [
    ("VE-EM", "inverse-root", "v", 2.0), ("DDIM", "tangent", "v", -(math.pi**2) / 8), ("DDPM", "cubic", "m0", -9 / 4),
])  # fmt: skip
@pytest.mark.parametrize("v", [1.0, 0.01])
def test_the_optimal_grids_have_their_constants(name, grid, key, constant, v):
    """N W2 / sqrt(v) with its sign, at N = 4096 and already at 1024 to 2 %; start exact at sigma_max = 1000 sqrt(v), end at 0."""
    spec = {"name": grid, key: 1 / v if key == "m0" else v, "sigma_max": 1000 * math.sqrt(v)}
    for steps in (1024, 4096):
        found = steps * gap(schemes.REGISTRY[name], v, lay(spec, steps)) / math.sqrt(v)
        assert found == pytest.approx(constant, rel=0.02)


# ---------------------------------------------------------------- 6. noise of a frozen denoiser, orders along a path


def weight(t, end, v):
    """Of dW at the time t in the noise of a step that ends at `end`, from its definition with dB_tau = e^{t/2} dW."""
    share = 1.0 if math.isinf(v) else (v + math.expm1(end)) / (v + math.expm1(t))
    return math.exp((t - end) / 2) * share


def projected(t, h, u, v, k):
    """E[bridge m_k], m_k the Legendre moment of the whole step."""
    P = np.polynomial.legendre.Legendre.basis(k)
    end = t - u * h
    near = (v if v < 1 else 0) + math.expm1(end)
    # In log of the time above the end, where the weight is smooth.
    low, high = math.log(1e-14), math.log(u * h)

    def inside(q):
        since = math.exp(q)
        return since * weight(end + since, end, v) * P(2 * (u * h - since) / h - 1)

    return integrate.quad(inside, low, high, epsabs=1e-13, epsrel=1e-11, limit=200, points=[max(low, min(high, math.log(near + 1e-13)))])[0]


def variance_of(t, h, u, v):
    """e^{-end} (tau - tau_end) (v + tau_end) / (v + tau)."""
    end = t - u * h
    share = 1.0 if math.isinf(v) else (v + math.expm1(end)) / (v + math.expm1(t))
    return math.exp(-end) * (math.expm1(t) - math.expm1(end)) * share


def read(h, along, *functionals, coordinates=1):
    """The functionals as combinations of three moments and of normals, (count, 3 + normals, coordinates)."""
    size = noise.MOMENTS + len(functionals)
    basis = np.broadcast_to(np.eye(size)[:, :, None], (size, size, coordinates))
    seen = StepNoise(h, jnp.asarray(basis[noise.MOMENTS :]), moments=jnp.asarray(basis[: noise.MOMENTS]) if along else None)
    found = seen.draw(*functionals)
    return np.stack([np.asarray(f) for f in (found if len(functionals) > 1 else [found])])


STEP = [(3.0, 0.5), (0.3, 0.2), (0.02, 0.0195), (8.0, 0.7), (1e-3, 4e-4)]
CASES = [(*step, v, u) for step in STEP for v in (0.0, 1e-3, 0.5, math.inf) for u in (0.3, 0.8)]


@pytest.mark.parametrize("along", [False, True], ids=["fresh", "path"])
def test_the_bridge_and_its_part_have_their_joint_law(along):
    """Fresh, and together with the moments of a path: read off unit moments and normals, a case in each coordinate, no sampling."""
    t, h, v, u = (jnp.asarray(values) for values in zip(*CASES))
    rows = read(h, along, Bridge(t=t, u=u, v=v), Bridge(t=t, v=v), coordinates=len(CASES))
    for i, (t, h, v, u) in enumerate(CASES):
        part, whole = variance_of(t, h, u, v), variance_of(t, h, 1.0, v)
        shared = part * weight(t - u * h, t - h, v)  # the later one is the earlier, shrunk, and noise of its own
        spread = np.diag([*(h / np.array([1, 3, 5])) * along, 1, 1])
        np.testing.assert_allclose(rows[..., i] @ spread @ rows[..., i].T, [[part, shared], [shared, whole]], rtol=1e-7)
        if along:
            told = [[projected(t, h, q, v, k) for k in range(3)] for q in (u, 1.0)]
            np.testing.assert_allclose((rows[..., i] @ spread)[:, :3], told, rtol=1e-6, atol=1e-8 * h)


def test_at_infinity_the_bridge_is_the_integral_of_the_reverse_sde():
    bridge, integral = (read(0.5, True, f) for f in (Bridge(t=1.3, v=math.inf), noise.Integral(noise.linop.HALF)))
    np.testing.assert_allclose(bridge, integral, atol=1e-9)


def test_along_a_path_that_is_merged_the_bridge_goes_with_the_fine_path():
    """Its covariance with the integral over the fine intervals is what three moments know of it; its variance is the whole."""
    t, h, v, fine, n = 0.8, 0.6, 0.05, 24, 40_000
    lengths = np.full(fine, h / fine)
    path = noise.path(jax.random.key(8), lengths, n, 1)
    truth = np.zeros(n)
    for i in range(fine):
        nodes, weights = np.polynomial.legendre.leggauss(8)
        w = np.array([weight(t - (i + (1 + y) / 2) * h / fine, t - h, v) for y in nodes])
        for k in range(3):
            truth += (2 * k + 1) / 2 * (weights * w) @ np.polynomial.legendre.Legendre.basis(k)(nodes) * path[i, k, :, 0]
    normals = jnp.asarray(np.random.default_rng(2).standard_normal((1, n, 1)))
    merged = jnp.asarray(noise.merge(path, fine)[0], float)
    drawn = np.asarray(StepNoise(h, normals, moments=merged).draw(Bridge(t=t, v=v)))[:, 0]
    whole = variance_of(t, h, 1.0, v)
    told = sum((2 * k + 1) / h * projected(t, h, 1.0, v, k) ** 2 for k in range(3))
    assert 0.9 * whole < told < whole
    for product, want in ((truth**2, whole), (drawn**2, whole), (drawn * truth, told)):
        assert abs(product.mean() - want) < 4.5 * product.std() / math.sqrt(n)


SHORT = {"name": "log-snr", "sigma_max": 2.5, "sigma_min": 0.25, "last": "sigma_min"}
FINE, PATHS, GROUPS, COUNTS = 512, 1024, 8, (16, 32, 64)
STRONG = ("EM", "SO", "DDPM", "SRA1", "SEA", "SHARK", "2M-SDE", "CHURN")  # one of each way to take noise from a path; the rest by hand


@pytest.fixture(scope="module")
def coupled(mixture):
    """coupled(name) -> squares of the distances at COUNTS to the process that the scheme converges to, along one path, (3, PATHS)."""
    fine = lay(SHORT, FINE)
    path = noise.path(jax.random.key(3), fine.h, PATHS, 2)
    paths = {n: noise.merge(path, FINE // n, fine.h) for n in (FINE, FINE // 2, *COUNTS)}
    begin = np.random.default_rng(1).normal(size=(PATHS, 2))

    def final(name, steps):
        given = {"grid": lay(SHORT, steps), "key": jax.random.key(steps), "path": paths[steps]}
        return simulate(sampler(name, steps), mixture.field, NONE, begin, **given).x

    shared = final("SO", FINE)

    def squares(name):
        reference = shared if schemes.REGISTRY[name].dynamics == "SDE" else final(name, FINE)
        return np.array([np.sum((final(name, n) - reference) ** 2, 1) for n in COUNTS])

    squares.off = math.sqrt(np.mean(np.sum((final("SO", FINE // 2) - shared) ** 2, 1)))
    return squares


@pytest.mark.parametrize("name", [
    name if name in STRONG else long(name) for name in ("EM", "SO", *SAMPLERS) if schemes.REGISTRY[name].dynamics != "ODE"
])  # fmt: skip
def test_the_strong_order_is_that_of_the_record(name, coupled):
    """On a mixture, log-SNR from sigma = 2.5 to 0.25, N = 16 to 64 on one path, against SO in 512 steps (what has dynamics of its own:
    against itself); slopes of groups of paths give the standard error."""
    squares, order = coupled(name), schemes.REGISTRY[name].strong_order
    distances = np.sqrt(squares.reshape(len(COUNTS), GROUPS, -1).mean(2))
    slopes = -np.polyfit(np.log(COUNTS), np.log(distances), 1)[0]
    error = slopes.std(ddof=1) / math.sqrt(GROUPS)
    assert error < 0.06
    assert abs(slopes.mean() - order) < 4 * error + 0.1
    if order > 1:  # not the 2 that a Gaussian shows
        assert coupled.off < 0.5 * math.sqrt(squares[-1].mean())
        assert slopes.mean() + 4 * error < 2


# ---------------------------------------------------------------- 7. Roessler's tableaux

# Weights of the drift, its stages' matrix A and the stages' multiples of I10/h.
TABLEAUX = {
    "SRA1": ([1 / 3, 2 / 3], [[0, 0], [3 / 4, 0]], [0, 3 / 2], 2),
    "SRA3": ([1 / 6, 1 / 6, 2 / 3], [[0, 0, 0], [1, 0, 0], [1 / 4, 1 / 4, 0]], [0, 0, 3 / 2], 3),
}


@pytest.mark.parametrize("name", TABLEAUX)
def test_a_tableau_meets_roesslers_conditions_and_is_that_of_the_scheme(name):
    """Strong 3/2 with additive noise: a.1 = 1, a.c = 1/2, a.b = 1, a.b^2 = 3/2. Without noise, order 3: a.c^2 = 1/3, a.Ac = 1/6."""
    a, A, b, order = (np.array(part) for part in TABLEAUX[name])
    c = A.sum(1)
    assert [a.sum(), a @ c, a @ b, a @ b**2] == pytest.approx([1, 1 / 2, 1, 3 / 2], abs=1e-15)
    assert ((a @ c**2, a @ A @ c) == pytest.approx((1 / 3, 1 / 6), abs=1e-15)) == (order == 3)

    class Drift:
        """gamma = sin(x) + t^2, as the score that gives it."""

        def score(self, t, x):
            return jnp.sin(x) + t**2 - x / 2

    t, h, area, x = 0.9, 0.4, 0.07, jnp.asarray([[0.3]])
    # Moments (dW, m_1): I10 = h (dW - m_1)/2; one more, which neither sees.
    whole = 0.5
    moments = jnp.asarray([whole, whole - 2 * area / h, 0.3]).reshape(3, 1, 1)
    got = schemes.REGISTRY[name].step(Drift(), t, t - h, x, StepNoise(h, moments=moments))
    slopes = []
    for i in range(len(a)):
        y = 0.3 + h * sum(A[i, j] * slopes[j] for j in range(i)) + b[i] * area / h
        slopes.append(math.sin(y) + (t - c[i] * h) ** 2)
    assert float(got[0, 0]) == pytest.approx(0.3 + h * a @ slopes + whole, rel=1e-13)


@pytest.mark.parametrize("name", TABLEAUX)
def test_without_noise_it_has_the_order_of_its_tableau(name):
    """On dx = gamma, one particle of a mixture in N = 16 to 64 equal steps of t, against 1024."""
    *_, order = TABLEAUX[name]
    target, ends = targets.build(PEAKS), {}
    for n in (16, 32, 64, 1024):
        path = np.zeros((n, noise.MOMENTS, 1, 1))
        grid = grids.of_times(np.linspace(2.0, 0.5, n + 1))
        ends[n] = simulate(schemes.REGISTRY[name], target.field, NONE, [[0.4]], grid=grid, key=jax.random.key(0), path=path).x[0, 0]
    errors = [abs(ends[n] - ends[1024]) for n in (16, 32, 64)]
    assert np.log2(errors[1] / errors[2]) == pytest.approx(order, abs=0.2)
