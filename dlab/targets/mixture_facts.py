"""Constants of smoothness of a Gaussian mixture: derived where they can be, else searched where their extremes can lie.

With posterior weights pi_k, precisions P_k and scores s_k of the components, -H = sum pi_k P_k - Cov_pi(s). It is lowest where
two components weigh the same and their scores differ most, and between far or narrow components that place is thin: a lattice
over the whole target does not see it. Two components weigh the same on a quadric with the form D = P_k - P_l; where the quadric
is not bounded and D does not vanish along it, the difference of the scores grows without end, so that m0 = -infinity.
"""

import itertools
import math

import numpy as np

from dlab.targets.base import UNKNOWN, Fact, endless_below, infinite
from dlab.targets.gaussian import speed, turn

BENT = 1 / (6 * math.sqrt(3))  # max of |pi (1 - pi) (1 - 2 pi)|
SEARCHED = "numerical, searched where two components weigh the same"
DIRECTIONS = 48  # lines through a component's mean on which the places of equal weight are searched
POINTS = 40_000  # of such places in all
FAR = (1e3, 1e5)  # in units of the target's own size: where the weights on an unbounded quadric are looked at
SAME = 1e-12  # relative difference of precisions that counts as none


def merged(weights, means, covs):
    """Components of positive weight, those with one mean and covariance as one: weights (K,), means (K, d), covs (K, d, d)."""
    kept: list[list] = []
    for w, m, c in zip(weights, means, covs):
        same = next((k for k in kept if np.array_equal(k[1], m) and np.array_equal(k[2], c)), None)
        if same:
            same[0] += w
        elif w > 0:
            kept.append([w, m, c])
    return tuple(map(np.array, zip(*kept)))


class Components:
    """A mixture's components at time t of the forward process, as NumPy arrays, and what is asked of them at points x (n, d)."""

    def __init__(self, weights, means, covs, t: float = 0.0):
        self.logw = np.log(weights)
        self.means = math.exp(-t / 2) * means
        self.covs = math.exp(-t) * covs - math.expm1(-t) * np.eye(means.shape[1])
        self.precisions = np.linalg.inv(self.covs)
        self.logdet = np.linalg.slogdet(self.precisions)[1]

    def logs(self, x):
        """log of weight times density (n, K), up to one constant, and the components' scores (n, K, d)."""
        inside = x[:, None] - self.means
        scores = -np.einsum("kij,nkj->nki", self.precisions, inside)
        return self.logw + self.logdet / 2 + np.einsum("nki,nki->nk", scores, inside) / 2, scores

    def posterior(self, x):
        """pi (n, K) and the scores (n, K, d)."""
        logs, scores = self.logs(x)
        weights = np.exp(logs - logs.max(1, keepdims=True))
        return weights / weights.sum(1, keepdims=True), scores

    def curvature(self, x):
        """Smallest and largest eigenvalue of -H, each (n,)."""
        values = np.linalg.eigvalsh(-self.score_and_hessian(x)[1])
        return values[:, 0], values[:, -1]

    def score_and_hessian(self, x):
        """s (n, d) and H (n, d, d)."""
        pi, scores = self.posterior(x)
        s = np.einsum("nk,nki->ni", pi, scores)
        spread = np.sqrt(pi)[..., None] * (scores - s[:, None])
        return s, np.einsum("nki,nkj->nij", spread, spread) - np.einsum("nk,kij->nij", pi, self.precisions)

    def ties(self, k: int, l: int, directions):
        """Points of equal weight of components k and l on the lines through the mean of k, (m, d)."""
        D, gap = self.precisions[k] - self.precisions[l], self.means[k] - self.means[l]
        # On mean_k + r u: log_k - log_l = constant + r u.P_l gap - r^2 u.D.u / 2.
        square = -np.einsum("ni,ij,nj->n", directions, D, directions) / 2
        linear = directions @ self.precisions[l] @ gap
        constant = self.logw[k] - self.logw[l] + (self.logdet[k] - self.logdet[l] + gap @ self.precisions[l] @ gap) / 2
        small = np.abs(square) <= SAME * np.abs(self.precisions[[k, l]]).max()
        with np.errstate(all="ignore"):  # lines that meet no such point
            root = np.sqrt(linear**2 - 4 * square * constant)
            # The stable pair of roots: one from the sum that does not cancel, the other from their product.
            half = -(linear + np.where(linear < 0, -1, 1) * root) / 2
            found = np.concatenate([np.where(small, -constant / linear, half / square), np.where(small, np.nan, constant / half)])
        both, known = np.concatenate([directions, directions]), np.isfinite(found)
        return self.means[k] + found[known, None] * both[known]


def _escapes(one: Components, k: int, l: int):
    """Along which components k and l weigh the same arbitrarily far out while their scores differ more and more: functions of a
    distance that give points (d,) next to the quadric; none where it is bounded or their scores' difference is."""
    D = one.precisions[k] - one.precisions[l]
    values, vectors = np.linalg.eigh(D)
    least = SAME * np.abs(one.precisions[[k, l]]).max()
    down, up = np.flatnonzero(values < -least), np.flatnonzero(values > least)
    if len(down) and len(up):  # along the cone u.D.u = 0
        for i, j in itertools.product(down, up):
            first, second = math.sqrt(values[j]) * vectors[:, i], math.sqrt(-values[i]) * vectors[:, j]
            for a, b in itertools.product((1, -1), repeat=2):
                ray = (a * first + b * second) / math.hypot(*np.sqrt(np.abs(values[[i, j]])))
                yield lambda far, ray=ray: far * ray
    elif len(down) or len(up):  # along a paraboloid, in a direction in which D vanishes and the scores do not
        linear = one.precisions[k] @ one.means[k] - one.precisions[l] @ one.means[l]
        curved = (*down, *up)[0]
        for n in vectors[:, np.setdiff1d(np.arange(len(values)), [*down, *up])].T:
            along = (linear @ n) * np.sign(values[curved])
            if abs(along) > SAME * np.abs(linear).max():
                for side in (1, -1):
                    yield lambda far, n=n, along=along, side=side: (
                        far * math.copysign(1.0, along) * n + side * math.sqrt(2 * far * abs(along / values[curved])) * vectors[:, curved]
                    )


def _unbounded(one: Components, k: int, l: int) -> bool | None:
    """Whether the difference of the scores of k and l grows without end where both weigh the same and no other component
    outweighs them; None where that is not decided."""
    escapes = list(_escapes(one, k, l))
    if not escapes or len(one.logw) == 2:
        return bool(escapes)
    size = max(np.abs(one.means - one.means.mean(0)).max(), math.sqrt(np.abs(one.covs).max()))
    for escape in escapes:
        points = [_on_tie(one, k, l, escape(far * size)) for far in FAR]
        if all(x is not None and one.posterior(x[None])[0][0, [k, l]].min() > 0.1 for x in points):
            return True
    # In the plane these are all there are.
    return False if one.means.shape[1] == 2 else None


def _on_tie(one, k, l, x):
    """The point of equal weight next to x along the difference of the scores, or None."""
    for _ in range(50):
        logs, scores = one.logs(x[None])
        slope = scores[0, k] - scores[0, l]
        gap = logs[0, k] - logs[0, l]
        if not np.isfinite(gap) or not slope.any():
            return None
        if abs(gap) < 1e-6 * max(1.0, abs(logs[0, k]) * 1e-9):
            return x
        x = x - gap * slope / (slope @ slope)
    return x if abs(gap) < 1 else None


def places(one: Components, far: float = 4.0) -> np.ndarray:
    """Points where the curvature of the mixture can be extreme: places of equal weight of each two components, close by and
    across, and the components' own surroundings, (m, d)."""
    d, count = one.means.shape[1], len(one.logw)
    pairs = list(itertools.permutations(range(count), 2))
    rng = np.random.default_rng(0)
    number = max(4, min(DIRECTIONS, POINTS // (6 * max(1, len(pairs)))))
    if d == 2:
        angles = np.pi * (np.arange(number) + 0.5) / number
        plain = np.stack([np.cos(angles), np.sin(angles)], -1)
    else:
        plain = rng.standard_normal((number, d))
        plain /= np.linalg.norm(plain, axis=1, keepdims=True)
    points = []
    for k in range(count):
        root = np.linalg.cholesky(one.covs[k])
        axes = np.concatenate([np.eye(d), plain]) if d > 1 else np.eye(1)
        points.append(one.means[k] + np.concatenate([r * axes for r in np.linspace(-far, far, 9)]) @ root.T)
    for k, l in pairs:
        gap = one.means[l] - one.means[k]
        axes = np.linalg.eigh(one.precisions[k] - one.precisions[l])[1].T
        own = [plain, axes, gap[None] / max(np.linalg.norm(gap), 1e-300)] if gap.any() else [plain, axes]
        at = one.ties(k, l, np.concatenate(own))
        if not len(at):
            continue
        pi, scores = one.posterior(at)
        seen = pi[:, k] + pi[:, l] > 0.05
        at, slope = at[seen], (scores[:, k] - scores[:, l])[seen]
        # The weights change over the inverse of the scores' difference.
        width = slope / np.maximum(np.sum(slope**2, 1, keepdims=True), 1e-300)
        points += [at + r * width for r in (0.0, -1.5, 1.5)]
    return np.concatenate(points)


def extremes(one: Components) -> tuple[float, float]:
    """Infimum and supremum of the eigenvalues of -H as searched, refined round the best places."""
    points = places(one)
    low, high = one.curvature(points)
    found = []
    for values, sign in ((low, 1), (-high, -1)):
        best = np.argsort(values)[:8]
        at, top = points[best], values[best]
        pi, scores = one.posterior(at)
        spread = scores - np.einsum("nk,nki->ni", pi, scores)[:, None]
        step = 1 / np.sqrt(np.maximum(np.einsum("nk,nki,nki->n", pi, spread, spread), 1 / np.trace(one.covs[0])))
        rng = np.random.default_rng(1)
        for _ in range(60):  # a random search that narrows: the extremes are smooth and few
            trial = at[:, None] + step[:, None, None] * rng.standard_normal((len(at), 24, at.shape[1]))
            both = one.curvature(trial.reshape(-1, at.shape[1]))
            values = (both[0] if sign == 1 else -both[1]).reshape(len(at), -1)
            i = values.argmin(1)
            better = values[np.arange(len(at)), i] < top
            at = np.where(better[:, None], trial[np.arange(len(at)), i], at)
            top = np.where(better, values[np.arange(len(at)), i], top)
            step = np.where(better, step, 0.7 * step)
        found.append(sign * float(top.min()))
    return found[0], found[1]


def curvature(weights, means, covs) -> dict[str, Fact]:
    """m0 and L0 of a mixture of merged components; L_F, M1 and M2 too where they are derived or infinite, else absent."""
    one, d = Components(weights, means, covs), means.shape[1]
    values = np.linalg.eigvalsh(covs)
    widest_precision, narrowest = float(1 / values.max()), float(1 / values.min())
    if len(weights) == 1:
        spread, turned = values[0], np.linalg.eigh(covs[0])[1].T @ means[0]
        closed = {"m0": widest_precision, "L0": narrowest, "L_F": 0.0, "M2": turn(spread)}
        return {k: Fact(v, "closed form") for k, v in closed.items()} | {"M1": Fact(speed(spread, turned), "proven for all x, t on a grid")}
    shared = all(np.abs(P - one.precisions[0]).max() <= SAME * np.abs(P).max() for P in one.precisions)
    if not shared:
        verdicts = [_unbounded(one, k, l) for k, l in itertools.combinations(range(len(weights)), 2)]
        if any(verdicts):
            why = "two components of unequal covariance weigh the same arbitrarily far out, where their scores differ without bound"
            return {"m0": endless_below(why)} | dict.fromkeys(("L0", "L_F", "M1", "M2"), infinite(why))
        if None in verdicts:
            return dict.fromkeys(("m0", "L0"), UNKNOWN)
    if shared:
        pulls = [one.precisions[0] @ (means[k] - means[l]) for k, l in itertools.combinations(range(len(weights)), 2)]
        if len(weights) == 2:
            # -H = P - pi (1 - pi) w w^T, and pi takes every value between 0 and 1.
            lowest = float(np.linalg.eigvalsh(one.precisions[0] - np.outer(pulls[0], pulls[0]) / 4)[0])
            found = {"m0": Fact(lowest, "closed form"), "L0": Fact(max(narrowest, -lowest), "closed form")}
            return found | {"L_F": Fact(_bend(means, covs[0]), "closed form")}
        # Popoviciu: along a direction the variance of the scores is at most a quarter of their range squared.
        bound = widest_precision - max(float(w @ w) for w in pulls) / 4
        if d != 2:
            return {"m0": Fact(bound, "proven bound"), "L0": Fact(max(narrowest, -bound), "proven bound")}
        lowest = max(extremes(one)[0], bound)
        return {"m0": Fact(lowest, SEARCHED), "L0": Fact(max(narrowest, -lowest), "closed form" if lowest > -narrowest else SEARCHED)}
    lowest, highest = extremes(one)
    # -H is at most the largest of the precisions, so L0 is bounded wherever it is not decided by the lowest curvature.
    return {"m0": Fact(lowest, SEARCHED), "L0": Fact(max(highest, -lowest), SEARCHED)}


def _bend(means, cov) -> float:
    """L_F of two components of one covariance: H moves along w = a P_t (mu_1 - mu_2) alone, by at most BENT |w|^3."""
    values, vectors = np.linalg.eigh(cov)
    gap = (means[0] - means[1]) @ vectors
    z = np.linspace(0, 1, 4001)[1:, None]  # e^{-t/2}
    sizes = np.linalg.norm(z * gap / (1 + (values - 1) * z**2), axis=1)
    return BENT * float(sizes.max()) ** 3


def far_speed(weights, means, covs) -> float:
    """The limit of |d_t s| / (1 + |x|) far out, largest over t and direction: there the widest component alone is left."""
    one = Components(weights, means, covs)
    rng = np.random.default_rng(0)
    out = rng.standard_normal((512, means.shape[1]))
    out /= np.linalg.norm(out, axis=1, keepdims=True)
    first = np.unique(np.argmin(np.einsum("ni,kij,nj->nk", out, one.precisions, out), axis=1))
    return max(turn(np.linalg.eigvalsh(covs[k])) for k in first)


TIMES = (0.0, *np.geomspace(1e-3, 16.0, 24))
LATER = 1e-4  # the difference quotient in time: this share of sigma_t^2, and its tenth next to t = 0


def rates(weights, means, covs) -> dict[str, float]:
    """L_F, M1 and M2 as searched over t where the curvature can be extreme, see `places`; M1's limit far out with them."""
    top = dict.fromkeys(("L_F", "M1", "M2"), 0.0)
    for t in TIMES:
        later = LATER * (-math.expm1(-t) + 0.1)
        one, two = Components(weights, means, covs, t), Components(weights, means, covs, t + later)
        x = places(one)
        x = x[np.argsort(one.curvature(x)[0])[:4096]] if len(x) > 8192 else x
        away = 1 + np.linalg.norm(x, axis=1)
        (s, H), (s_later, H_later) = (c.score_and_hessian(x) for c in (one, two))
        pi, scores = one.posterior(x)
        pull = np.max(np.linalg.norm(scores - s[:, None], axis=-1) * (pi > 1e-12), axis=1)
        step = 1e-4 / np.maximum(pull, 1 / np.sqrt(np.trace(one.covs[0])))
        slopes = [
            np.linalg.norm((one.score_and_hessian(x + step[:, None] * e)[1] - H) / step[:, None, None], axis=(1, 2))
            for e in (*np.eye(means.shape[1]), *_directions(scores, s))
        ]
        found = {
            "L_F": np.max(slopes), "M1": np.max(np.linalg.norm(s_later - s, axis=1) / later / away),
            "M2": np.max(np.linalg.norm(H_later - H, 2, axis=(1, 2)) / later / away),
        }  # fmt: skip
        top = {k: max(v, float(found[k])) for k, v in top.items()}
    return top | {"M1": max(top["M1"], far_speed(weights, means, covs))}


def _directions(scores, s):
    """For each point the direction in which the scores of its components differ most, one array (n, d) in a tuple."""
    spread = scores - s[:, None]
    most = np.take_along_axis(spread, np.linalg.norm(spread, axis=-1).argmax(1)[:, None, None], 1)[:, 0]
    return (most / np.maximum(np.linalg.norm(most, axis=1, keepdims=True), 1e-300),)
